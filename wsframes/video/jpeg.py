"""JPEG, both ways: encoded under a bitrate, and decoded without trusting a byte.

All of it is slow, some milliseconds an image: call it in a thread. simplejpeg is used where it is
installed. Without it Pillow does the same, and a third slower.
"""

import contextlib
import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, BinaryIO, Final

from wsframes.exceptions import DecodeError
from wsframes.frames import OutputImageRawFrame
from wsframes.video.jpeg_header import read_header
from wsframes.video.picture import fit
from wsframes.video.pillow import Image, JpegImageFile
from wsframes.video.rate import RateController

__all__ = ["MAX_DECODED_PIXELS", "JpegEncoder", "decode_jpeg", "encode_jpeg"]

MAX_DECODED_PIXELS: Final = 1 << 21
"""1920 x 1080 and no more. The worst of that size, in 16 passes, takes 30 ms of a thread."""

_BANDS_OF_FORMATS: Final = {"L": "GRAY", "RGB": "RGB"}

# Below so many bytes a pixel, the Huffman tables that suit the image save a tenth and more of it,
# and are worth twice the time. Only Pillow computes them.
_TIGHT_BYTES_PER_PIXEL: Final = 0.1

# An image that stays the same is not encoded anew to be better by no more than this.
_NO_BETTER: Final = 4


try:
    _simplejpeg: Any = importlib.import_module("simplejpeg")
except ImportError:
    _simplejpeg = None


def encode_jpeg(frame: OutputImageRawFrame, quality: int = 75, *, tight: bool = False) -> bytes:
    """A raw image as a JPEG: grey where its format is "L", in colour else.

    Args:
        frame: the image; formats that JPEG does not have are converted to RGB.
        quality: of JPEG's 1 to 100.
        tight: take twice the time to make it smaller, at the same quality.

    Raises:
        ValueError: the frame's bytes are not what its size and format say, or its pixels are
            encoded already.
    """
    plain = fit(frame, frame.size, frame.format if frame.format in _BANDS_OF_FORMATS else "RGB")
    assert plain.format is not None
    if _simplejpeg is None or tight:
        return _encode_with_pillow(plain, quality, tight)
    width, height = plain.size
    bands = len(plain.image) // (width * height)
    pixels = memoryview(plain.image).cast("B", (height, width, bands))
    source = _BANDS_OF_FORMATS[plain.format]
    sampling = "Gray" if bands == 1 else "420"
    encoded: bytes = _simplejpeg.encode_jpeg(pixels, quality, source, sampling)
    return encoded


def decode_jpeg(data: bytes, max_pixels: int = MAX_DECODED_PIXELS) -> tuple[bytes, tuple[int, int]]:
    """The pixels of a JPEG in RGB, and its width and height.

    Nothing is decoded before it is known how large it becomes. What describes the image, such as
    its orientation, is not looked at.

    Raises:
        DecodeError: it is no JPEG that is whole and has at most `max_pixels`.
    """
    size, bands, plain = read_header(data)
    if size[0] * size[1] > max_pixels:
        raise DecodeError(f"JPEG of {size[0]} x {size[1]} pixels, where {max_pixels} are the most")
    decode = _decode_with_pillow if _simplejpeg is None or bands == 4 else _decode_with_simplejpeg
    try:
        pixels = decode(plain)
    except Exception as exc:  # each decoder has its own
        failure = type(exc).__name__
    else:
        return pixels, size
    # Outside of the handler: the decoder's error may hold what the peer has written.
    raise DecodeError(f"JPEG that cannot be decoded: {failure}")


class JpegEncoder:
    """Encodes a stream of images so that it stays under a bitrate; see `RateController`.

    It may be called from one thread after another, not from two at once.

    Args:
        bitrate: bits a second that the messages may take on the average.
        framerate: images a second, at most.
        message_bytes: how large a message becomes that has a JPEG of so many bytes in it.
    """

    def __init__(
        self, bitrate: int, framerate: int, message_bytes: Callable[[int], int] = int
    ) -> None:
        self._rate = RateController(bitrate, framerate)
        self._message_bytes = message_bytes
        self._latest: tuple[OutputImageRawFrame, int, bytes] | None = None

    def __call__(self, frame: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        """Encode an image; None: leave it out, there is no room for it.

        An image that was the latest one already, and is to be a little better at most, is not
        encoded again. One that is encoded is handed back as it is.

        Args:
            frame: raw.
            now_s: time of any one clock that never goes backwards.

        Raises:
            ValueError: the frame's bytes are not what its size and format say.
        """
        if frame.format is None:
            return frame
        quality = self._rate.begin(now_s)
        while quality is not None:
            quality, encoded = self._encode(frame, quality)
            if self._rate.take(quality, self._message_bytes(len(encoded))):
                return frame.replace(image=encoded, format=None)
            quality = self._rate.lower(quality)
        return None

    def _encode(self, frame: OutputImageRawFrame, quality: int) -> tuple[int, bytes]:
        if self._latest is not None:
            latest, its_quality, encoded = self._latest
            if latest is frame and its_quality <= quality <= its_quality + _NO_BETTER:
                return its_quality, encoded
        pixels = frame.size[0] * frame.size[1]
        tight = self._rate.bytes_per_image < _TIGHT_BYTES_PER_PIXEL * pixels
        encoded = encode_jpeg(frame, quality, tight=tight)
        self._latest = frame, quality, encoded
        return quality, encoded


def _encode_with_pillow(frame: OutputImageRawFrame, quality: int, tight: bool) -> bytes:
    assert frame.format is not None
    image = Image.frombytes(frame.format, frame.size, frame.image)
    with _memory_file() as file:
        try:
            image.save(file, "JPEG", quality=quality, subsampling="4:2:0", optimize=tight)
        except OSError:
            # Noise may be larger than the buffer that Pillow gives libjpeg for this.
            file.seek(0)
            file.truncate()
            image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
        file.seek(0)
        return file.read()


@contextlib.contextmanager
def _memory_file() -> Iterator[BinaryIO]:
    """A file of the operating system's, which Pillow writes to without Python's global lock.

    Measured: while a thread encodes into a `BytesIO`, the event loop is held up for 5 ms at a time.
    """
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("wsframes"), "r+b", buffering=0) as file:
            yield file
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            yield file


def _decode_with_simplejpeg(plain: bytes) -> bytes:
    pixels: bytes = _simplejpeg.decode_jpeg(plain, "RGB").tobytes()
    return pixels


def _decode_with_pillow(plain: bytes) -> bytes:
    # Not Image.open, which tries other formats too, and follows a JPEG to the images behind it.
    with JpegImageFile(BytesIO(plain)) as image:
        return image.convert("RGB").tobytes()
