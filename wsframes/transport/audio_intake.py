"""Audio as it comes, of any length and format, made into whole frames of the format that is wanted.

A plain converter: no waiting, no clock. A producer may cut its audio anywhere, within a sample too,
and one byte too many that is passed on as it came turns all that follows into noise. So what is
less than a sample of every channel is kept for the piece that has the rest of it.

Audio that has the format already goes through untouched, and nothing is imported for it.
"""

from typing import TYPE_CHECKING

from wsframes.audio.pcm import FrameAligner, remix
from wsframes.exceptions import UsageError
from wsframes.frames import AudioRawFrame
from wsframes.frames.codec import audio_problem
from wsframes.transport.rate_conversion import new_resampler

if TYPE_CHECKING:
    from wsframes.audio.resample import StreamResampler

__all__ = ["AudioIntake"]

# Of different rate or channels, in one session. Each costs a millisecond, and memory.
_MOST_CONVERSIONS = 8


class AudioIntake:
    """Takes the pieces of one stream.

    Args:
        num_channels: of what comes out.
        sample_rate: Hz of what comes out; None: as it comes.
    """

    __slots__ = (
        "_aligner", "_conversion", "_conversions", "_format", "num_channels", "odd_bytes",
        "rate_given", "sample_rate",
    )  # fmt: skip

    def __init__(self, num_channels: int, sample_rate: int | None) -> None:
        self.num_channels = num_channels
        """As above."""
        self._format: tuple[int, int, str | None] | None = None
        self._aligner = FrameAligner(num_channels)
        self._conversion: _Conversion | None = None
        self._conversions: dict[tuple[int, int], _Conversion] = {}
        self.sample_rate = sample_rate
        """As above; `begin` changes it."""
        self.rate_given = sample_rate or 0
        """Hz of what the latest `take` gave; 0 if there was none and no rate is set."""
        self.odd_bytes = 0
        """Dropped because the rest of their sample never came."""

    def begin(self, sample_rate: int | None) -> None:
        """Give audio of this rate from now on. Where that is new, another stream begins.

        Raises:
            UsageError: there is no such rate.
        """
        if sample_rate != self.sample_rate:
            if sample_rate is not None:
                problem = audio_problem(0, sample_rate, self.num_channels)
                if problem is not None:
                    raise UsageError(f"audio_in_sample_rate: {problem}")
            self.cut()
            self.sample_rate = sample_rate
            self.rate_given = sample_rate or 0
            self._format = self._conversion = None
            self._conversions = {}

    def take(self, frame: AudioRawFrame) -> bytes:
        """The whole frames that this piece completes, maybe none.

        Where the format changes, what was left of the stream before comes first.

        Raises:
            ValueError: the rate or the channels of the piece cannot be used; nothing was taken.
        """
        if (frame.sample_rate, frame.num_channels, frame.transport_source) != self._format:
            return self._change(frame)
        audio, aligner = frame.audio, self._aligner
        if aligner.kept or len(audio) % aligner.frame_bytes:
            audio = aligner.feed(audio)
        return audio if self._conversion is None else self._conversion.push(audio)

    @property
    def has_rest(self) -> bool:
        """Whether audio waits in the resampler, some milliseconds of it."""
        return self._conversion is not None and self._conversion.has_rest

    def rest(self) -> bytes:
        """The stream is over: the last of it, some milliseconds where it was resampled."""
        self.cut()
        return b"" if self._conversion is None else self._conversion.flush()

    def cut(self) -> None:
        """What follows begins with a new sample."""
        self.odd_bytes += self._aligner.reset()

    def _change(self, frame: AudioRawFrame) -> bytes:
        sample_rate, num_channels = frame.sample_rate, frame.num_channels
        problem = audio_problem(0, sample_rate, num_channels)
        if problem is not None:
            raise ValueError(problem)
        conversion = self._conversion_from(sample_rate, num_channels)
        rest = self.rest()
        self._format = (sample_rate, num_channels, frame.transport_source)
        self.rate_given = self.sample_rate or sample_rate
        self._aligner = FrameAligner(num_channels)
        self._conversion = conversion
        audio = self.take(frame)
        return rest + audio if rest else audio

    def _conversion_from(self, sample_rate: int, num_channels: int) -> "_Conversion | None":
        to_rate, to_channels = self.sample_rate or sample_rate, self.num_channels
        now = (sample_rate, num_channels)
        if now == (to_rate, to_channels):
            return None
        conversion = self._conversions.get(now)
        if conversion is None:
            if len(self._conversions) == _MOST_CONVERSIONS and sample_rate != to_rate:
                raise ValueError(f"audio of more than {_MOST_CONVERSIONS} formats in one session")
            conversion = _Conversion(sample_rate, to_rate, num_channels, to_channels)
            if sample_rate != to_rate:
                self._conversions[now] = conversion
        return conversion


class _Conversion:
    """From one rate and number of channels to others."""

    __slots__ = (
        "_from_channels", "_mean", "_resampler", "_through", "_to_channels", "has_rest"
    )  # fmt: skip

    def __init__(self, from_rate: int, to_rate: int, from_channels: int, to_channels: int) -> None:
        self._from_channels = from_channels
        self._to_channels = to_channels
        self.has_rest = False
        # Between two numbers of channels the way leads through one.
        self._through = from_channels if from_channels == to_channels else 1
        self._resampler: StreamResampler | None = None
        if from_rate != to_rate:
            self._resampler = new_resampler(from_rate, to_rate, self._through)
            from wsframes.audio.resample import mean_of_channels  # as fast as that

            self._mean = mean_of_channels

    def push(self, audio: bytes) -> bytes:
        if self._resampler is None:
            return remix(audio, self._from_channels, self._to_channels)
        self.has_rest = True
        if self._from_channels != self._through:
            audio = self._mean(audio, self._from_channels)
        return remix(self._resampler.push(audio), self._through, self._to_channels)

    def flush(self) -> bytes:
        if self._resampler is None or not self.has_rest:
            return b""
        self.has_rest = False
        return remix(self._resampler.flush(), self._through, self._to_channels)
