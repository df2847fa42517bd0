"""Audio as it comes, of any length, made into whole frames with the channels that are wanted.

A plain converter: no waiting, no clock. A producer may cut its audio anywhere, within a sample too,
and one byte too many that is passed on as it came turns all that follows into noise. So what is
less than a sample of every channel is kept for the piece that has the rest of it.
"""

from wsframes.audio.pcm import FrameAligner, remix
from wsframes.frames import AudioRawFrame
from wsframes.frames.codec import audio_problem

__all__ = ["AudioIntake"]


class AudioIntake:
    """Takes the pieces of one stream.

    Args:
        num_channels: of what comes out.
        sample_rate: Hz that the audio has to have; None: any. It is not converted.
    """

    __slots__ = ("_aligner", "_format", "_num_channels", "_sample_rate", "odd_bytes")

    def __init__(self, num_channels: int, sample_rate: int | None) -> None:
        self._num_channels = num_channels
        self._sample_rate = sample_rate
        self._format: tuple[int, int, str | None] | None = None
        self._aligner = FrameAligner(num_channels)
        self.odd_bytes = 0
        """Dropped because the rest of their sample never came."""

    def take(self, frame: AudioRawFrame) -> bytes:
        """The whole frames that this piece completes, maybe none.

        Raises:
            ValueError: the rate or the channels of the piece cannot be used; nothing was taken.
        """
        now = (frame.sample_rate, frame.num_channels, frame.transport_source)
        if now != self._format:
            self._begin(now)
        audio = self._aligner.feed(frame.audio)
        if frame.num_channels == self._num_channels:
            return audio
        return remix(audio, frame.num_channels, self._num_channels)

    def cut(self) -> None:
        """The stream is over: what follows begins with a new sample."""
        self.odd_bytes += self._aligner.reset()

    def _begin(self, new: tuple[int, int, str | None]) -> None:
        sample_rate, num_channels, _ = new
        problem = audio_problem(0, sample_rate, num_channels)
        if problem is not None:
            raise ValueError(problem)
        if self._sample_rate is not None and sample_rate != self._sample_rate:
            raise ValueError(
                f"audio of {sample_rate} Hz where {self._sample_rate} Hz is set: it cannot be "
                "resampled in this version"
            )
        self.cut()
        self._format = new
        self._aligner = FrameAligner(num_channels)
