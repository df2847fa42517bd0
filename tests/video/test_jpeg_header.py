"""`wsframes.video.jpeg_header`."""

import io
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.video.pictures import photo
from wsframes.exceptions import DecodeError
from wsframes.video import encode_jpeg
from wsframes.video.jpeg_header import MAX_SCANS, read_header

FRAME = photo()
PLAIN = encode_jpeg(FRAME)
SCAN = PLAIN[PLAIN.index(b"\xff\xda") :]


def saved(**options: object) -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", FRAME.size, FRAME.image).save(file, "JPEG", **options)
    return file.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def frame_segment(
    size: tuple[int, int] = (64, 48), bands: int = 3, bits: int = 8, marker: int = 0xC0
) -> bytes:
    sides = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    return segment(marker, bytes([bits]) + sides + bytes([bands]) + bytes(3 * bands))


def test_the_size_and_the_bands() -> None:
    assert read_header(PLAIN)[:2] == ((64, 48), 3)
    assert read_header(encode_jpeg(photo(pixel_format="L"))).bands == 1


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
def test_the_plain_image_has_the_same_pixels(options: dict[str, object]) -> None:
    data = saved(comment=b"secret", exif=b"Exif\0\0secret", icc_profile=b"secret", **options)
    header = read_header(data)
    assert b"secret" in data
    assert b"secret" not in header.plain
    with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(header.plain)) as plain:
        assert image.tobytes() == plain.tobytes()


def test_fill_bytes_before_a_marker() -> None:
    assert read_header(PLAIN[:2] + b"\xff\xff\xff" + PLAIN[2:]).size == (64, 48)


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no JPEG"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + bytes(50), "no JPEG"),
    "the mark alone": (b"\xff\xd8", "no pixels"),
    "no marker": (b"\xff\xd8" + bytes(100), "no pixels"),
    "fill bytes alone": (b"\xff\xd8" + b"\xff" * 100_000, "no pixels"),
    "the end at once": (b"\xff\xd8\xff\xd9\x00\x02", "kind that is not decoded"),
    "a length of 0": (b"\xff\xd8\xff\xe0\x00\x00" + bytes(50), "cut off"),
    "a length that lies": (b"\xff\xd8\xff\xe0\xff\xff" + bytes(50), "cut off"),
    "no frame": (b"\xff\xd8" + SCAN, "does not say how large"),
    "two frames": (b"\xff\xd8" + frame_segment() * 2 + SCAN, "more than one image"),
    "a short frame": (b"\xff\xd8" + segment(0xC0, b"\x08\0\1\0\1") + SCAN, "or none"),
    "arithmetic coding": (b"\xff\xd8" + frame_segment(marker=0xC9) + SCAN, "not decoded: 0xc9"),
    "no height": (b"\xff\xd8" + frame_segment((64, 0)) + SCAN, "64 x 0"),
    "no width": (b"\xff\xd8" + frame_segment((0, 48)) + SCAN, "0 x 48"),
    "twelve bits": (b"\xff\xd8" + frame_segment(bits=12) + SCAN, "12 bits"),
    "two bands": (b"\xff\xd8" + frame_segment(bands=2) + SCAN, "2 bands"),
    "many passes": (b"\xff\xd8" + frame_segment() + SCAN * (MAX_SCANS + 1), "passes"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name: str) -> None:
    data, problem = BAD[name]
    with pytest.raises(DecodeError, match=problem):
        read_header(data)


def test_as_many_passes_as_are_allowed() -> None:
    assert read_header(b"\xff\xd8" + frame_segment() + SCAN * MAX_SCANS).size == (64, 48)


@given(data=st.binary() | st.binary().map(lambda rest: b"\xff\xd8\xff" + rest))
@example(data=PLAIN)
def test_reading_is_total(data: bytes) -> None:
    """Anything gives a header or DecodeError."""
    try:
        header = read_header(data)
    except DecodeError:
        return
    assert len(header.plain) <= len(data)


def test_damaged_headers() -> None:
    """20,000 of them: each a header or DecodeError, and both kinds are many."""
    chance = random.Random(15)
    read = 0
    for _ in range(20_000):
        data = bytearray(PLAIN)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(PLAIN.index(SCAN))
            if chance.randrange(2):
                data[at] = chance.randrange(256)
            else:
                del data[at : at + chance.randrange(1, 9)]
        try:
            read_header(bytes(data))
        except DecodeError:
            continue
        read += 1
    assert 1_000 < read < 19_000
