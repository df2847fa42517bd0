"""The resampler, imported where audio has to be resampled and not before."""

from typing import TYPE_CHECKING

from wsframes.exceptions import MissingExtraError

if TYPE_CHECKING:
    from wsframes.audio.resample import StreamResampler

__all__ = ["new_resampler"]


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
