"""Audio as producers push it, made into whole frames of the format that goes out.

A plain converter: no waiting, no clock.
"""

from wsframes.frames import AudioRawFrame
from wsframes.transport.audio_intake import AudioIntake
from wsframes.transport.rate_conversion import RateConverter

__all__ = ["AudioFeed"]


class AudioFeed:
    """Takes the pieces of one stream, cut anywhere, in any format.

    Args:
        num_channels: of what comes out.
        sample_rate: Hz of what comes out; None: as it comes.

    Attributes:
        sample_rate: Hz of what the latest `take` gave.
        has_rest: whether audio waits in the resampler, some milliseconds of it.
    """

    __slots__ = ("_converter", "_intake", "has_rest", "sample_rate")

    def __init__(self, num_channels: int, sample_rate: int | None) -> None:
        self._intake = AudioIntake(num_channels, None)
        self._converter = None if sample_rate is None else RateConverter(sample_rate, num_channels)
        self.sample_rate = sample_rate or 0
        self.has_rest = False

    def take(self, frame: AudioRawFrame) -> bytes:
        """The whole frames that this piece completes, maybe none.

        Raises:
            ValueError: the rate or the channels of the piece cannot be used; nothing was taken.
        """
        audio = self._intake.take(frame)
        if frame.sample_rate == self.sample_rate and not self.has_rest:
            return audio
        if self._converter is None:
            self.sample_rate = frame.sample_rate
            return audio
        audio = self._converter.convert(audio, frame.sample_rate)
        self.has_rest = self._converter.has_rest
        return audio

    def rest(self) -> bytes:
        """What waits in the resampler; what is taken next begins anew."""
        self.has_rest = False
        return b"" if self._converter is None else self._converter.rest()

    def cut(self) -> None:
        """The stream is over: what follows begins with a new sample."""
        self._intake.cut()

    def clear(self) -> None:
        """Forget all of the stream."""
        self._intake.cut()
        self.rest()

    @property
    def odd_bytes(self) -> int:
        """Dropped because the rest of their sample never came."""
        return self._intake.odd_bytes
