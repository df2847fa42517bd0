"""`wsframes.video.jpeg`, with simplejpeg and without."""

import io
import os
import random
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.video.pictures import changing, difference, noise, photo
from wsframes import OutputImageRawFrame
from wsframes.exceptions import DecodeError
from wsframes.frames.shapes import PIXEL_BYTES
from wsframes.video import MAX_DECODED_PIXELS, JpegEncoder, decode_jpeg, encode_jpeg, jpeg


@pytest.fixture(params=["simplejpeg", "Pillow"], autouse=True)
def _encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert jpeg._simplejpeg is not None
    if request.param == "Pillow":
        monkeypatch.setattr(jpeg, "_simplejpeg", None)


# --- one image


@pytest.mark.parametrize("pixel_format", sorted(PIXEL_BYTES))
@pytest.mark.parametrize("tight", [False, True])
def test_there_and_back(pixel_format: str, tight: bool) -> None:
    frame = photo(pixel_format=pixel_format)
    pixels, size = decode_jpeg(encode_jpeg(frame, 90, tight=tight))
    assert size == frame.size
    expected = photo(pixel_format="L") if pixel_format in ("L", "LA") else photo()
    grey = Image.frombytes("RGB", size, pixels).convert("L").tobytes()
    if pixel_format in ("L", "LA"):
        assert difference(grey, expected.image) < 4
    elif pixel_format != "LAB":  # in which most of these colours have no exact place
        assert difference(pixels, expected.image) < 8


def test_a_grey_image_is_a_grey_jpeg() -> None:
    with Image.open(io.BytesIO(encode_jpeg(photo(pixel_format="L")))) as image:
        assert image.mode == "L"


def test_a_higher_quality_is_larger_and_closer() -> None:
    frame = photo((160, 120))
    files = [encode_jpeg(frame, quality) for quality in (5, 50, 90)]
    assert len(files[0]) < len(files[1]) < len(files[2])
    far = [difference(decode_jpeg(file)[0], frame.image) for file in files]
    assert far[0] > far[1] > far[2]


def test_tight_is_smaller_at_the_same_quality() -> None:
    frame = photo((160, 120))
    assert len(encode_jpeg(frame, 20, tight=True)) < 0.9 * len(encode_jpeg(frame, 20))


def test_noise_that_is_too_large_to_be_made_tight() -> None:
    grey = noise((512, 512))
    frame = grey.replace(image=bytes(255 * (value & 1) for value in grey.image))
    pixels, _ = decode_jpeg(encode_jpeg(frame, 94, tight=True))
    assert len(pixels) == len(frame.image)


def test_without_files_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert decode_jpeg(encode_jpeg(photo(), tight=True))[1] == (64, 48)


def test_no_file_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        encode_jpeg(photo(), tight=True)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (OutputImageRawFrame(b"12", (1, 1), "RGB"), "image has 2 bytes"),
        (OutputImageRawFrame(b"jpeg", (1, 1)), "the image is encoded"),
    ],
)
def test_what_cannot_be_encoded(frame: OutputImageRawFrame, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        encode_jpeg(frame)


def test_simplejpeg_need_not_be_there() -> None:
    code = (
        "import sys; sys.modules['simplejpeg'] = None\n"
        "from wsframes import OutputImageRawFrame\n"
        "from wsframes.video import decode_jpeg, encode_jpeg\n"
        "print(len(decode_jpeg(encode_jpeg(OutputImageRawFrame(bytes(12), (2, 2), 'RGB')))[0]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "12"


# --- decoding without trust


def printing_inks(adobe: bool) -> bytes:
    file = io.BytesIO()
    Image.new("CMYK", (16, 16), (0, 0, 255, 0)).save(file, "JPEG", quality=95)
    data = file.getvalue()
    assert b"Adobe" in data
    return data if adobe else data.replace(b"Adobe", b"Other")


def test_printing_inks_become_colours() -> None:
    pixels, _ = decode_jpeg(printing_inks(adobe=True))
    red, green, blue = pixels[:3]
    assert min(red, green) > 240  # yellow
    assert blue < 15
    assert len(decode_jpeg(printing_inks(adobe=False))[0]) == 16 * 16 * 3


def bomb(size: tuple[int, int]) -> bytes:
    """A small file that says that it is large."""
    data = bytearray(encode_jpeg(photo()))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    return bytes(data)


@pytest.mark.parametrize("size", [(65535, 65535), (1024, 2049), (65, 65535), (8192, 8192)])
def test_a_bomb_is_refused_before_it_is_decoded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(jpeg, "_decode_with_pillow", decoded.append)
    monkeypatch.setattr(jpeg, "_decode_with_simplejpeg", decoded.append)
    assert size[0] * size[1] > MAX_DECODED_PIXELS
    with pytest.raises(DecodeError, match="are the most"):
        decode_jpeg(bomb(size))
    assert not decoded


def test_as_large_as_is_allowed() -> None:
    frame = photo((16, 16))
    assert decode_jpeg(encode_jpeg(frame), 256)[1] == (16, 16)
    with pytest.raises(DecodeError, match="16 x 16 pixels, where 255 are the most"):
        decode_jpeg(encode_jpeg(frame), 255)


def test_one_that_is_cut_off() -> None:
    data = encode_jpeg(photo((160, 120)))
    for length in (len(data) // 2, 3 * len(data) // 4):
        with pytest.raises(DecodeError, match="cannot be decoded"):
            decode_jpeg(data[:length])


def test_what_is_refused_does_not_repeat_the_peer_s_bytes() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_jpeg(encode_jpeg(photo())[:-200] + b"secret" * 10)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is refused.value.__context__ is None


@given(data=st.binary() | st.binary().map(lambda rest: encode_jpeg(photo())[:-300] + rest))
@example(data=encode_jpeg(photo()))
def test_decoding_is_total(data: bytes) -> None:
    """P15: anything gives pixels or DecodeError."""
    try:
        pixels, size = decode_jpeg(data)
    except DecodeError:
        return
    assert len(pixels) == 3 * size[0] * size[1]


def test_damaged_files() -> None:
    """P15: 3,000 damaged files, each pixels or DecodeError, and both kinds are many."""
    chance = random.Random(15)
    file = io.BytesIO()
    frame = photo((24, 16))
    Image.frombytes("RGB", frame.size, frame.image).save(file, "JPEG", progressive=True)
    seeds = [encode_jpeg(frame), file.getvalue(), encode_jpeg(photo((24, 16), pixel_format="L"))]
    decoded = 0
    for _ in range(3_000):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 3)):
            at = chance.randrange(2, len(data))
            if chance.randrange(3):
                data[at] ^= 1 << chance.randrange(8)
            else:
                del data[at : at + chance.randrange(1, 5)]
        try:
            pixels, size = decode_jpeg(bytes(data))
        except DecodeError:
            continue
        decoded += 1
        assert len(pixels) == 3 * size[0] * size[1]
    assert 100 < decoded < 2_900


# --- a stream under a bitrate


def stream(encoder: JpegEncoder, frames: list[OutputImageRawFrame], framerate: int) -> list[int]:
    """The bytes of each image; 0 for one that was left out."""
    encoded = [encoder(frame, number / framerate) for number, frame in enumerate(frames)]
    return [0 if frame is None else len(frame.image) for frame in encoded]


@pytest.mark.parametrize("bitrate", [200_000, 600_000, 2_000_000])
def test_ten_seconds_of_a_changing_picture_stay_under_the_bitrate(bitrate: int) -> None:
    sizes = stream(JpegEncoder(bitrate, 30), changing(300), 30)
    mean = 8 * sum(sizes) / 10
    assert 0.6 * bitrate <= mean <= bitrate


def test_ten_seconds_anywhere_in_it() -> None:
    sizes = stream(JpegEncoder(400_000, 15), changing(300), 15)
    for begin in range(150):
        assert 8 * sum(sizes[begin : begin + 150]) / 10 <= 400_000


def test_what_the_message_adds_is_counted() -> None:
    frames = [photo((160, 120), number) for number in range(300)]
    sizes = stream(JpegEncoder(800_000, 30, lambda size: 2 * size + 100), frames, 30)
    assert 0.7 * 800_000 <= sum(8 * (2 * size + 100) for size in sizes) / 10 <= 800_000


def test_what_is_encoded_already_is_handed_back() -> None:
    frame = OutputImageRawFrame(b"anything", (1, 1))
    assert JpegEncoder(800_000, 30)(frame, 0.0) is frame


def test_one_that_has_no_room_is_left_out() -> None:
    encoder = JpegEncoder(8_000, 30)
    frames = [noise((64, 64), number) for number in range(10)]
    sizes = stream(encoder, frames, 30)
    assert sizes[0] > 0
    assert sizes[1:] == [0] * 9


def test_an_image_that_stays_is_encoded_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []

    def encode(frame: OutputImageRawFrame, quality: int, *, tight: bool) -> bytes:
        encoded.append(quality)
        return encode_jpeg(frame, quality, tight=tight)

    monkeypatch.setattr(jpeg, "encode_jpeg", encode)
    sizes = stream(JpegEncoder(1_000_000, 30), [photo((160, 120))] * 300, 30)
    assert all(sizes)
    assert len(encoded) < 30
    assert 0.6e6 <= 8 * sum(sizes) / 10 <= 1e6


def test_the_frame_keeps_its_name_and_says_that_it_is_encoded() -> None:
    frame = photo().replace(transport_destination="screen")
    encoded = JpegEncoder(800_000, 30)(frame, 0.0)
    assert encoded is not None
    assert (encoded.id, encoded.format, encoded.size) == (frame.id, None, (64, 48))
    assert encoded.transport_destination == "screen"
