"""Which quality an image may have, so that a stream of them stays under a bitrate.

A plain controller: it knows no images and no encoder, only how large each one became. Two parts:

- A *bucket*, that each image fills with its bytes and time empties. What does not fit is not sent.
  This is what the promise rests on: it holds whatever the images are.
- A *model*, that guesses from the latest image how large the next one becomes at each quality, so
  that as a rule the first try fits.
"""

import math
from typing import Final

__all__ = ["MAX_QUALITY", "MIN_QUALITY", "RateController"]

MIN_QUALITY: Final = 5
"""Of JPEG's 1 to 100: below it an image gets worse and hardly smaller."""
MAX_QUALITY: Final = 90
"""Above it an image gets larger and hardly better."""

_WINDOW_S: Final = 10.0
_BUCKET_S: Final = 0.5
_BUCKET_IMAGES: Final = 1.5

# How full the bucket is meant to be, and how strongly it is brought there.
_SETPOINT: Final = 0.3
_GAIN: Final = 2.0

_MEMORY: Final = 0.1

# How far a guess may be out before an image is given up for it without trying.
_DOUBT: Final = 0.8

# Measured on photographs: bytes go with the -0.8th power of the quantizer's scale.
_EXPONENT: Final = -0.8

# One that fails twice is tried at the lowest quality, and then no more.
_TRIES: Final = 3


class RateController:
    """Chooses the quality of each image of one stream.

    The mean over any ten seconds is at most the bitrate, except where one image at the lowest
    quality is more than half a second's bytes: such an image goes out when nothing is owed, and the
    next when it has been made up for. For each image::

        quality = controller.begin(now)
        while quality is not None:
            data = encode(image, quality)
            if controller.take(quality, len(data)):
                return data
            quality = controller.lower(quality)
        # there is no room for this image: leave it out

    Args:
        bitrate: bits a second.
        framerate: images a second, at most.

    Raises:
        ValueError: one of them is not positive.
    """

    __slots__ = (
        "_bytes_per_s",
        "_capacity",
        "_interval_s",
        "_level",
        "_max_interval_s",
        "_min_interval_s",
        "_now_s",
        "_tries",
        "_weight",
    )

    def __init__(self, bitrate: int, framerate: int) -> None:
        if bitrate < 1 or framerate < 1:
            raise ValueError(f"bitrate {bitrate} and framerate {framerate} must be at least 1")
        bucket_s = max(_BUCKET_S, _BUCKET_IMAGES / framerate)
        # Ten seconds' bytes and a bucket that was empty at their beginning and is full at their
        # end are together no more than ten seconds of the bitrate.
        self._bytes_per_s = bitrate / 8 * (1 - bucket_s / _WINDOW_S)
        self._capacity = bitrate / 8 * bucket_s
        self._level = 0.0
        self._now_s: float | None = None
        self._interval_s = self._min_interval_s = 1 / framerate
        self._max_interval_s = max(self._min_interval_s, bucket_s / 2)
        self._weight: float | None = None
        self._tries = 0

    @property
    def bytes_per_image(self) -> float:
        """What an image may have on the average."""
        return self._bytes_per_s * self._interval_s

    def begin(self, now_s: float) -> int | None:
        """The quality to try for the next image; None: there is no room for one."""
        self._pass_time(now_s)
        self._tries = 0
        if self._weight is None:
            return (MIN_QUALITY + MAX_QUALITY) // 2
        least = self._weight * _relative_size(MIN_QUALITY)
        if self._level > 0 and least * _DOUBT > self._room:
            return None
        pull = 1 + _GAIN * (_SETPOINT - self._level / self._capacity)
        return self._quality_for(min(self.bytes_per_image * pull, self._room))

    def take(self, quality: int, size_bytes: int) -> bool:
        """Tell how large the image became; True: it is counted and goes out."""
        self._tries += 1
        self._weight = size_bytes / _relative_size(quality)
        alone = self._level == 0 and quality == MIN_QUALITY
        if size_bytes > self._room and not alone:
            return False
        self._level += size_bytes
        return True

    def lower(self, quality: int) -> int | None:
        """The quality to try after one that did not fit; None: give the image up."""
        if quality == MIN_QUALITY:
            return None
        if self._tries + 1 >= _TRIES:
            return MIN_QUALITY
        return min(quality - 1, self._quality_for(self._room * _DOUBT))

    @property
    def _room(self) -> float:
        return max(0.0, self._capacity - self._level)

    def _pass_time(self, now_s: float) -> None:
        if self._now_s is not None:
            passed_s = now_s - self._now_s
            self._level = max(0.0, self._level - passed_s * self._bytes_per_s)
            bounded_s = min(max(passed_s, self._min_interval_s), self._max_interval_s)
            self._interval_s += _MEMORY * (bounded_s - self._interval_s)
        self._now_s = now_s

    def _quality_for(self, size_bytes: float) -> int:
        """The best one that is guessed to give at most so many bytes."""
        assert self._weight is not None
        low, high = MIN_QUALITY, MAX_QUALITY
        while low < high:
            middle = (low + high + 1) // 2
            if self._weight * _relative_size(middle) <= size_bytes:
                low = middle
            else:
                high = middle - 1
        return low


def _relative_size(quality: int) -> float:
    # libjpeg scales its quantizers by this many percent; at 50 they are those of the standard.
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return math.pow(scale / 100, _EXPONENT)
