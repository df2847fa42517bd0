"""How each message looks on a wire of ours; `codec` says what it means."""

from typing import Annotated, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = [
    "DTMF",
    "DTMF_BUTTONS",
    "MAX_AUDIO_S",
    "MAX_CHANNELS",
    "MAX_IMAGE_SIDE",
    "MAX_MARK_CHARS",
    "MAX_SAMPLE_RATE",
    "MIN_SAMPLE_RATE",
    "PIXEL_BYTES",
    "Audio",
    "Button",
    "Image",
    "Interruption",
    "Mark",
    "Message",
    "Opus",
    "Text",
    "TypeOnly",
    "audio_problem",
    "image_problem",
    "printable",
]

MIN_SAMPLE_RATE: Final = 8000
MAX_SAMPLE_RATE: Final = 192000
MAX_CHANNELS: Final = 8
MAX_AUDIO_S: Final = 2
"""Audio in one message; more than that is for several."""
MAX_IMAGE_SIDE: Final = 8192
"""Pixels."""
MAX_MARK_CHARS: Final = 64
# An Opus packet is 2.5 ms or more, so that these are enough for the audio of one message.
_MAX_PACKETS: Final = MAX_AUDIO_S * 400

Button: TypeAlias = Literal[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", "A", "B", "C", "D"
]
DTMF_BUTTONS: Final[tuple[str, ...]] = get_args(Button)

# Bytes a pixel of the raw formats. Others have no fixed size, or need a palette beside the pixels.
PIXEL_BYTES: Final = {
    "L": 1,
    "LA": 2,
    "RGB": 3,
    "YCbCr": 3,
    "HSV": 3,
    "LAB": 3,
    "RGBA": 4,
    "RGBX": 4,
    "CMYK": 4,
}

_Side: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_IMAGE_SIDE)]
_Rate: TypeAlias = Annotated[int, Meta(ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE)]


class _Wire(msgspec.Struct, gc=False, kw_only=True, tag_field="type"):
    destination: str | UnsetType = UNSET


class Audio(_Wire, gc=False, kw_only=True, tag="audio"):
    """PCM."""

    sample_rate: _Rate
    num_channels: Annotated[int, Meta(ge=1, le=MAX_CHANNELS)] = 1
    audio: bytes


class Opus(_Wire, kw_only=True, tag="opus"):
    """Packets, each of them one of Opus."""

    sample_rate: _Rate
    num_channels: Annotated[int, Meta(ge=1, le=MAX_CHANNELS)] = 1
    num_frames: Annotated[int, Meta(ge=0, le=MAX_AUDIO_S * MAX_SAMPLE_RATE)]
    packets: Annotated[list[bytes], Meta(max_length=_MAX_PACKETS)]


class Image(_Wire, gc=False, kw_only=True, tag="image"):
    """Pixels, or an encoded picture."""

    size: tuple[_Side, _Side]
    format: str | None = None
    image: bytes


class Text(_Wire, gc=False, kw_only=True, tag="text"):
    """Words."""

    text: str


class Message(_Wire, gc=False, kw_only=True, tag="message"):
    """What the application says, as it was encoded."""

    message: msgspec.Raw


class DTMF(_Wire, gc=False, kw_only=True, tag="dtmf"):
    """A key."""

    button: Button


class Mark(_Wire, gc=False, kw_only=True, tag="mark"):
    """To be sent back when the audio before it has been played."""

    mark: Annotated[str, Meta(max_length=MAX_MARK_CHARS)]


class Interruption(_Wire, gc=False, kw_only=True, tag="interruption"):
    """Clear the playback."""


class TypeOnly(msgspec.Struct):
    """What any message has."""

    type: str


def audio_problem(audio_bytes: int, sample_rate: int, num_channels: int) -> str | None:
    """Say why so much audio in this format may not be one message, or None if it may."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        return f"sample_rate is {sample_rate}, not {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
    if not 1 <= num_channels <= MAX_CHANNELS:
        return f"num_channels is {num_channels}, not 1 to {MAX_CHANNELS}"
    most = MAX_AUDIO_S * 2 * num_channels * sample_rate
    if audio_bytes > most:
        return (
            f"{audio_bytes} bytes of audio in one message, where {MAX_AUDIO_S} s, {most} bytes, "
            f"are the most"
        )
    return None


def image_problem(image: bytes, size: tuple[int, int], pixel_format: str | None) -> str | None:
    """Say why this may not be an image message, or None if it may."""
    width, height = size
    if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
        return f"image of {width} x {height} pixels, where a side is 1 to {MAX_IMAGE_SIDE}"
    if pixel_format is None:
        return None
    if pixel_format not in PIXEL_BYTES:
        return (
            f"image format '{printable(pixel_format)}' is none of {', '.join(PIXEL_BYTES)} "
            f"(encoded images have none)"
        )
    expected = width * height * PIXEL_BYTES[pixel_format]
    if len(image) != expected:
        return (
            f"image has {len(image)} bytes, but {width} x {height} pixels in {pixel_format} "
            f"are {expected}"
        )
    return None


def printable(text: str) -> str:
    """At most 120 ASCII characters of what a peer may have chosen."""
    escaped = text[:121].encode("unicode_escape").decode("ascii")
    return escaped if len(escaped) <= 120 else escaped[:117] + "..."
