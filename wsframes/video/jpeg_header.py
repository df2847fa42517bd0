"""What a JPEG says about itself, read without decoding it.

Whatever decodes a peer's bytes must know first what it will cost: a file of a few kilobytes can ask
for gigabytes of pixels, or for thousands of passes over them. Marker codes after ITU-T T.81, table
B.1; the structure after its section B.2.
"""

from typing import Final, NamedTuple

from wsframes.exceptions import DecodeError

__all__ = ["MAX_SCANS", "JpegHeader", "read_header"]

MAX_SCANS: Final = 16
"""An ordinary progressive file has ten."""

_SOI: Final = b"\xff\xd8"
_SOS: Final = 0xDA
_EOI: Final = 0xD9
# Baseline, extended and progressive, of Huffman codes; the others are hardly ever seen, and slow.
_FRAME_MARKERS: Final = frozenset([0xC0, 0xC1, 0xC2])
_OTHER_FRAME_MARKERS: Final = frozenset(
    [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF]
)
# Of what applications may add, only Adobe's mark says anything about the pixels.
_TABLE_MARKERS: Final = frozenset([0xC4, 0xDB, 0xDD, 0xEE])


class JpegHeader(NamedTuple):
    """What came before the pixels.

    Attributes:
        size: width and height in pixels.
        bands: 1 is grey, 3 colour, 4 printing inks.
        plain: the same image with nothing in it that is not needed to decode it: no thumbnails,
            profiles, descriptions.
    """

    size: tuple[int, int]
    bands: int
    plain: bytes


def read_header(data: bytes) -> JpegHeader:
    """Read up to the pixels.

    Raises:
        DecodeError: this is no JPEG, or one of a kind that is not decoded here.
    """
    if data[:2] != _SOI:
        raise DecodeError("image is no JPEG")
    kept = [_SOI]
    size = (0, 0)
    bands = 0
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if data[at : at + 1] != b"\xff" or at + 4 > len(data):
            raise DecodeError("JPEG has no pixels")
        marker = data[at + 1]
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data) or marker in _OTHER_FRAME_MARKERS or marker == _EOI:
            raise DecodeError(f"JPEG is cut off, or of a kind that is not decoded: {marker:#x}")
        if marker in _FRAME_MARKERS:
            if bands or length < 8:
                raise DecodeError("JPEG with more than one image, or none")
            bits, bands = data[at + 4], data[at + 9]
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            size = (int.from_bytes(data[at + 7 : at + 9], "big"), height)
            if bits != 8 or bands not in (1, 3, 4) or 0 in size:
                raise DecodeError(f"JPEG of {bits} bits, {bands} bands, {size[0]} x {size[1]}")
            kept.append(data[at:end])
        elif marker in _TABLE_MARKERS:
            kept.append(data[at:end])
        elif marker == _SOS:
            break
        at = end
    if not bands:
        raise DecodeError("JPEG that does not say how large it is")
    rest = data[at:]
    # Within the coded pixels no 0xff is followed by one of these, so none is missed.
    if rest.count(b"\xff\xda") > MAX_SCANS:
        raise DecodeError(f"JPEG of more than {MAX_SCANS} passes")
    return JpegHeader(size, bands, b"".join([*kept, rest]))
