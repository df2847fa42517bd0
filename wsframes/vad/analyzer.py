"""What tells voice from other sounds."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

from wsframes.audio.pcm import rms
from wsframes.vad.params import VADParams

__all__ = ["VADAnalyzer", "volume_of_rms"]


class VADAnalyzer(ABC):
    """Says of each window of one stream of audio how sure it is that there is a voice in it.

    It is a part of one session at a time. Its methods are called one at a time, from the event
    loop or, unless it `runs_inline`, from worker threads.

    Args:
        params: what a voice has to be; may be changed while it runs, by a VADParamsUpdateFrame.

    Attributes:
        params: as it began.
        sample_rate: Hz of the audio that it gets next.
    """

    runs_inline: ClassVar[bool] = False
    """True: it is called on the event loop. For analyzers that take well under a millisecond for a
    window: to have a thread do it would cost about 60 us more each time."""

    sample_rates: ClassVar[tuple[int, ...] | None] = None
    """The rates, in Hz, that it can analyze; None: any."""

    def __init__(self, *, params: VADParams | None = None) -> None:
        self.params = params if params is not None else VADParams()
        self.sample_rate = 16000

    def prepare(self) -> None:  # noqa: B027  (most have nothing to do)
        """Load what takes long. Called in a worker thread, before the first audio."""

    def set_sample_rate(self, sample_rate: int) -> None:
        """The rate of what comes next, which begins a new stream.

        Raises:
            ValueError: it cannot analyze that.
        """
        if self.sample_rates is not None and sample_rate not in self.sample_rates:
            possible = " or ".join(map(str, self.sample_rates))
            raise ValueError(
                f"{type(self).__name__} analyzes audio of {possible} Hz, not of {sample_rate} Hz"
            )
        self.sample_rate = sample_rate
        self.reset()

    @abstractmethod
    def num_frames_required(self) -> int:
        """How long each window has to be, in frames at `sample_rate`."""

    @abstractmethod
    def voice_confidence(self, buffer: bytes) -> float:
        """How sure it is that there is a voice in this window, from 0 to 1.

        Args:
            buffer: exactly one window, mono PCM, which follows the one before it.
        """

    def volume(self, buffer: bytes) -> float:
        """How loud a window is: 1 is full scale, each 0.1 less is 10 dB less, 0 is silence."""
        return volume_of_rms(rms(buffer))

    def reset(self) -> None:  # noqa: B027
        """Forget the stream: what comes next has nothing to do with what came before."""


def volume_of_rms(level: float) -> float:
    """Volume, from 0 to 1, of a root mean square from 0 to 1; 100 dB and more below 1 are 0."""
    return max(0.0, 1 + math.log10(level) / 5) if level > 0 else 0.0
