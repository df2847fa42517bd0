"""One stream of audio brought to one rate, whatever rates it comes with.

A plain converter: no waiting, no clock. Audio that has the rate already goes through untouched, and
nothing is imported for it.
"""

from typing import TYPE_CHECKING

from wsframes.exceptions import MissingExtraError

if TYPE_CHECKING:
    from wsframes.audio.resample import StreamResampler

__all__ = ["RateConverter", "new_resampler"]


class RateConverter:
    """Converts whole frames.

    Args:
        to_rate: Hz of what comes out.
        num_channels: interleaved.
    """

    __slots__ = ("_from_rate", "_num_channels", "_resampler", "_to_rate", "has_rest")

    def __init__(self, to_rate: int, num_channels: int) -> None:
        self._to_rate = to_rate
        self._num_channels = num_channels
        self._from_rate = to_rate
        self._resampler: StreamResampler | None = None
        self.has_rest = False
        """Whether audio waits in the resampler, some milliseconds of it."""

    def convert(self, audio: bytes, from_rate: int) -> bytes:
        """The frames at the new rate. Where the rate changes, the rest of the old one comes first.

        Raises:
            ValueError: there is no converting it; nothing was taken.
        """
        if from_rate == self._from_rate:
            resampler = self._resampler
            if resampler is None:
                return audio
            self.has_rest = True
            return resampler.push(audio)
        resampler = self._resampler_from(from_rate)
        rest = self.rest()
        self._from_rate = from_rate
        self._resampler = resampler
        if resampler is None:
            return rest + audio
        self.has_rest = True
        return rest + resampler.push(audio)

    def rest(self) -> bytes:
        """What waits in the resampler. What is converted next begins anew."""
        if self._resampler is None or not self.has_rest:
            return b""
        self.has_rest = False
        return self._resampler.flush()

    def _resampler_from(self, from_rate: int) -> "StreamResampler | None":
        if from_rate == self._to_rate:
            return None
        return new_resampler(from_rate, self._to_rate, self._num_channels)


def new_resampler(from_rate: int, to_rate: int, num_channels: int) -> "StreamResampler":
    """A resampler, for which a package is imported.

    Raises:
        ValueError: the package is missing; or there is no such rate.
    """
    try:
        from wsframes.audio.resample import StreamResampler  # needs an extra
    except MissingExtraError as exc:
        raise ValueError(f"audio of {from_rate} Hz where {to_rate} Hz is set: {exc}") from exc
    return StreamResampler(from_rate, to_rate, num_channels)
