"""`wsframes.video.picture`."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.video.pictures import difference, photo
from wsframes import OutputImageRawFrame
from wsframes.frames.shapes import PIXEL_BYTES
from wsframes.video import fit

formats = st.sampled_from(sorted(PIXEL_BYTES))
sides = st.integers(1, 20)


def test_what_has_the_size_and_the_format_is_handed_back() -> None:
    frame = photo()
    assert fit(frame, (64, 48), "RGB") is frame


def test_all_else_of_the_frame_stays() -> None:
    frame = photo().replace(pts=5, transport_destination="screen")
    fitted = fit(frame, (32, 24), "L")
    assert (fitted.id, fitted.pts, fitted.transport_destination) == (frame.id, 5, "screen")
    assert (fitted.size, fitted.format, len(fitted.image)) == ((32, 24), "L", 32 * 24)


def test_rows_are_from_the_top_and_pixels_from_the_left() -> None:
    red, green, blue, white = b"\xff\0\0", b"\0\xff\0", b"\0\0\xff", b"\xff\xff\xff"
    fitted = fit(OutputImageRawFrame(red + green + blue + white, (2, 2), "RGB"), (4, 4), "RGB")
    rows = [fitted.image[at : at + 12] for at in range(0, 48, 12)]
    assert (rows[0][:3], rows[0][-3:], rows[3][:3], rows[3][-3:]) == (red, green, blue, white)


def test_a_colour_keeps_its_name() -> None:
    pixel = OutputImageRawFrame(b"\xff\x80\x00", (1, 1), "RGB")
    assert fit(pixel, (1, 1), "RGBA").image == b"\xff\x80\x00\xff"
    assert fit(pixel, (1, 1), "CMYK").image == b"\x00\x7f\xff\x00"
    assert fit(pixel, (1, 1), "L").image == bytes([round(0.299 * 255 + 0.587 * 128)])


def test_hues_are_mixed_as_colours() -> None:
    """Between a red of hue 0 and one of hue 254 lies red, and not the cyan of hue 127."""
    reds = OutputImageRawFrame(bytes([0, 255, 255, 254, 255, 255]), (2, 1), "HSV")
    red, green, blue = fit(reds, (1, 1), "RGB").image
    assert red > 200
    assert max(green, blue) < 30


@given(source=formats, target=formats, size=st.tuples(sides, sides), wanted=st.tuples(sides, sides))
def test_every_format_becomes_every_other(
    source: str, target: str, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    """Whatever the formats and the sizes: exactly the bytes that the new ones have."""
    frame = OutputImageRawFrame(bytes(size[0] * size[1] * PIXEL_BYTES[source]), size, source)
    fitted = fit(frame, wanted, target)
    assert (fitted.size, fitted.format) == (wanted, target)
    assert len(fitted.image) == wanted[0] * wanted[1] * PIXEL_BYTES[target]


@pytest.mark.parametrize("pixel_format", ["CMYK", "HSV", "RGBA", "RGBX", "YCbCr"])
def test_there_and_back_is_about_the_same(pixel_format: str) -> None:
    frame = photo()
    there = fit(frame, frame.size, pixel_format)
    assert difference(fit(there, frame.size, "RGB").image, frame.image) < 3


def test_the_formats_are_pillow_s() -> None:
    for name, pixel_bytes in PIXEL_BYTES.items():
        assert len(Image.new(name, (1, 1)).tobytes()) == pixel_bytes


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (OutputImageRawFrame(b"12", (1, 1), "RGB"), "image has 2 bytes"),
        (OutputImageRawFrame(b"123", (0, 1), "RGB"), "image of 0 x 1 pixels"),
        (OutputImageRawFrame(b"123", (1, 1), "P"), "image format 'P' is none of"),
        (OutputImageRawFrame(b"jpeg", (1, 1)), "the image is encoded"),
    ],
)
def test_what_is_no_raw_image(frame: OutputImageRawFrame, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        fit(frame, (1, 1), "RGB")


def test_without_pillow_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['PIL'] = None\nimport wsframes.video"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "wsframes[video]"' in done.stderr.splitlines()[-1]
