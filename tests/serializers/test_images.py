"""`wsframes.serializers.images`: the JPEG option of the MessagePack and JSON serializers."""

import random
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serializers.test_msgpack import SERVER as WITHOUT
from tests.video.pictures import changing, difference, photo
from wsframes import InputImageRawFrame, OutputImageRawFrame, TextFrame
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.serializers import FrameSerializer, JsonFrameSerializer, MsgpackFrameSerializer
from wsframes.testing import check_serializer
from wsframes.video import encode_jpeg

KINDS: list[Any] = [MsgpackFrameSerializer, JsonFrameSerializer]


def message(serializer: FrameSerializer, frame: OutputImageRawFrame) -> str | bytes:
    data = serializer.serialize(frame)
    assert isinstance(data, str | bytes)
    return data


def fields(data: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = (
        msgspec.json.decode(data) if isinstance(data, str) else msgspec.msgpack.decode(data)
    )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_images_cross_in_jpeg_and_come_out_as_pixels(kind: Any) -> None:
    server, client = kind(jpeg=True), kind(client=True, jpeg=True)
    frame = photo()
    data = message(client, frame)
    assert fields(data)["format"] is None
    assert len(data) < len(frame.image) / 3
    arrived = server.deserialize(data)
    assert isinstance(arrived, InputImageRawFrame)
    decoded = server.video_decoder(arrived)
    assert (decoded.size, decoded.format) == (frame.size, "RGB")
    assert difference(decoded.image, frame.image) < 10


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_option_they_cross_as_they_are(kind: Any) -> None:
    serializer, frame = kind(), photo()
    assert serializer.video_encoder(800_000, 30) is None
    assert serializer.video_decoder is None
    arrived = serializer.deserialize(message(serializer, frame))
    assert (arrived.image, arrived.format) == (frame.image, "RGB")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_raw_is_read_all_the_same(kind: Any) -> None:
    frame = kind(jpeg=True).deserialize(message(kind(), photo()))
    assert kind(jpeg=True).video_decoder(frame) is frame


@pytest.mark.parametrize("kind", KINDS)
def test_other_frames_and_encoded_images_are_left_alone(kind: Any) -> None:
    serializer = kind(jpeg=True)
    assert serializer.serialize(TextFrame("x")) == kind().serialize(TextFrame("x"))
    encoded = OutputImageRawFrame(b"anything", (1, 1))
    assert message(serializer, encoded) == message(kind(), encoded)


@pytest.mark.parametrize("kind", KINDS)
def test_the_messages_keep_to_the_bitrate(kind: Any) -> None:
    serializer = kind(jpeg=True)
    encode = serializer.video_encoder(400_000, 30)
    total = 0
    for number, frame in enumerate(changing(300)):
        addressed = frame.replace(transport_destination="screen")
        encoded = encode(addressed, number / 30)
        total += 0 if encoded is None else len(message(serializer, encoded))
    assert 0.7 * 400_000 <= 8 * total / 10 <= 400_000


def test_an_image_that_lies() -> None:
    with pytest.raises(EncodeError, match="image has 2 bytes"):
        MsgpackFrameSerializer(jpeg=True).serialize(OutputImageRawFrame(b"12", (1, 1), "RGB"))


def test_a_jpeg_of_another_size_than_the_message_says() -> None:
    decode = MsgpackFrameSerializer(jpeg=True).video_decoder
    assert decode is not None
    with pytest.raises(DecodeError, match="64 x 48 pixels in a message that says other"):
        decode(InputImageRawFrame(encode_jpeg(photo()), (48, 64)))


@given(image=st.binary(), size=st.tuples(st.integers(1, 8192), st.integers(1, 8192)))
def test_decoding_is_total(image: bytes, size: tuple[int, int]) -> None:
    """P15: any bytes of any size are pixels or DecodeError."""
    decode = MsgpackFrameSerializer(jpeg=True).video_decoder
    assert decode is not None
    with pytest.raises(DecodeError):
        decode(InputImageRawFrame(image, size))


def test_damaged_messages() -> None:
    """P15: 2,000 damaged messages, each a frame with as many pixels as it says, or DecodeError."""
    serializer = MsgpackFrameSerializer(jpeg=True)
    decode = serializer.video_decoder
    assert decode is not None
    good = bytes(message(serializer, photo((24, 16))))  # type: ignore[arg-type]
    chance = random.Random(15)
    decoded = 0
    for _ in range(2_000):
        data = bytearray(good)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            frame = serializer.deserialize(bytes(data))
            assert isinstance(frame, InputImageRawFrame)
            frame = decode(frame)
        except DecodeError:
            continue
        decoded += 1
        assert len(frame.image) == 3 * frame.size[0] * frame.size[1]
    assert decoded > 100


@pytest.mark.parametrize("kind", KINDS)
async def test_with_jpeg_it_keeps_the_rules_of_serializers(kind: Any) -> None:
    await check_serializer(
        lambda: kind(jpeg=True),
        peer=lambda: kind(client=True, jpeg=True),
        messages=[message(kind(client=True, jpeg=True), photo())],
    )


def test_the_extra_is_needed_for_the_option_only() -> None:
    assert WITHOUT.video_decoder is None
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        "from wsframes.serializers import MsgpackFrameSerializer\n"
        "MsgpackFrameSerializer()\n"
        "MsgpackFrameSerializer(jpeg=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "wsframes[video]"' in done.stderr.splitlines()[-1]
