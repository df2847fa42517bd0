"""`wsframes.frames.codec`."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import (
    BAD_JSON,
    BAD_MSGPACK,
    SLOW_JSON,
    SLOW_MSGPACK,
    allowed_s,
    best_time_s,
    json_audio,
    json_message,
    msgpack_message,
)
from tests.strategies import frames_a_client_sends, frames_a_server_sends, json_like
from wsframes import frames as all_frames
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    DTMFFrame,
    Frame,
    ImageRawFrame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InputImageRawFrame,
    InputMarkFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputImageRawFrame,
    OutputMarkFrame,
    SpriteFrame,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
    TTSAudioRawFrame,
)
from wsframes.frames.codec import (
    DTMF_BUTTONS,
    MAX_CHANNELS,
    MAX_IMAGE_SIDE,
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    audio_problem,
    decode_json,
    decode_message,
    decode_msgpack,
    encode_json,
    encode_message,
    encode_msgpack,
)

LISTED = (
    InputAudioRawFrame,
    InputImageRawFrame,
    InputTransportMessageFrame,
    InputDTMFFrame,
    InputMarkFrame,
    TextFrame,
)


def wire(frame: Frame, *, client: bool = False) -> dict[str, Any] | None:
    """What is in the message for a frame. Both formats must say the same."""
    packed = encode_msgpack(frame, client=client)
    text = encode_json(frame, client=client)
    if packed is None or text is None:
        assert (packed, text) == (None, None)
        return None
    fields: dict[str, Any] = msgspec.msgpack.decode(packed)
    assert msgspec.json.decode(text) == msgspec.json.decode(msgspec.json.encode(fields))
    return fields


def crossed(frame: Frame, *, to_client: bool) -> list[Frame]:
    """A frame after it has been on the wire, once per format."""
    packed = encode_msgpack(frame, client=not to_client)
    text = encode_json(frame, client=not to_client)
    assert packed is not None
    assert text is not None
    return [decode_msgpack(packed, client=to_client), decode_json(text, client=to_client)]


# --- shapes -------------------------------------------------------------------------------------


def test_audio_on_the_wire() -> None:
    expected = {"type": "audio", "audio": b"\x01\x02", "sample_rate": 24000, "num_channels": 1}
    assert wire(OutputAudioRawFrame(b"\x01\x02", 24000, 1)) == expected
    assert wire(TTSAudioRawFrame(b"\x01\x02", 24000)) == expected
    assert encode_json(OutputAudioRawFrame(b"\x01\x02", 24000, 1)) == (
        '{"type":"audio","sample_rate":24000,"num_channels":1,"audio":"AQI="}'
    )


def test_an_image_on_the_wire() -> None:
    assert wire(OutputImageRawFrame(b"123456", (2, 1), "RGB")) == {
        "type": "image",
        "image": b"123456",
        "size": [2, 1],
        "format": "RGB",
    }
    assert wire(OutputImageRawFrame(b"jpeg", (640, 480))) == {
        "type": "image",
        "image": b"jpeg",
        "size": [640, 480],
        "format": None,
    }


def test_text_messages_and_keys_on_the_wire() -> None:
    assert wire(TextFrame("hi")) == {"type": "text", "text": "hi"}
    message = {"a": [1, None, "é"]}
    for kind in (TransportMessageFrame, TransportMessageUrgentFrame):
        assert wire(kind(message)) == {"type": "message", "message": message}
    for button in (OutputDTMFFrame("#"), OutputDTMFUrgentFrame("#")):
        assert wire(button) == {"type": "dtmf", "button": "#"}


def test_a_mark_on_the_wire() -> None:
    assert wire(OutputMarkFrame("a" * 64)) == {"type": "mark", "mark": "a" * 64}
    for frame in crossed(OutputMarkFrame("word 3"), to_client=False):
        assert isinstance(frame, InputMarkFrame)
        assert frame.mark == "word 3"
    with pytest.raises(EncodeError, match="a mark of 65 characters, where 64 are the most"):
        encode_msgpack(OutputMarkFrame("a" * 65))
    with pytest.raises(DecodeError, match="length <= 64"):
        decode_json(b'{"type":"mark","mark":"%s"}' % (b"a" * 65))


class Backwards:
    """Packs audio by turning it round, and notes for whom."""

    def __init__(self) -> None:
        self.names: list[str | None] = []

    def pack(
        self, audio: bytes, sample_rate: int, num_channels: int, destination: str | None
    ) -> list[bytes]:
        if sample_rate == 44100:
            raise ValueError("not at 44100")
        self.names.append(destination)
        return [audio[::-1], b""]

    def unpack(
        self,
        packets: list[bytes],
        num_frames: int,
        sample_rate: int,
        num_channels: int,
        source: str | None,
    ) -> bytes:
        self.names.append(source)
        if len(packets) != 2:
            raise ValueError(f"{len(packets)} packets")
        return packets[0][::-1][: 2 * num_channels * num_frames]


@pytest.mark.parametrize(
    ("encode", "decode"), [(encode_msgpack, decode_msgpack), (encode_json, decode_json)]
)
def test_packed_audio_on_the_wire(encode: Any, decode: Any) -> None:
    packer = Backwards()
    frame = OutputAudioRawFrame(b"\1\2\3\4", 16000, 2, transport_destination="music")
    data = encode(frame, packer=packer)
    read = decode(data, client=True, packer=packer)
    assert isinstance(read, InputAudioRawFrame)
    assert (read.audio, read.sample_rate, read.num_channels) == (b"\1\2\3\4", 16000, 2)
    assert read.transport_source == "music"
    assert packer.names == ["music", "music"]
    assert decode(encode(frame.replace(transport_destination=None), packer=packer), packer=packer)
    assert encode(TextFrame("x"), packer=packer) == encode(TextFrame("x"))
    with pytest.raises(EncodeError, match="not at 44100"):
        encode(OutputAudioRawFrame(b"", 44100), packer=packer)
    with pytest.raises(EncodeError, match="sample_rate is 1"):
        encode(OutputAudioRawFrame(b"", 1), packer=packer)
    with pytest.raises(DecodeError, match="Opus, which this end was not told to take"):
        decode(data)


def test_packets_that_cannot_be_unpacked_are_refused() -> None:
    text = '{"type":"opus","packets":[],"num_frames":%d,"sample_rate":%d}'
    with pytest.raises(DecodeError, match="0 packets"):
        decode_json(text % (1, 16000), packer=Backwards())
    with pytest.raises(DecodeError, match="sample_rate"):
        decode_json(text % (1, 1), packer=Backwards())
    with pytest.raises(DecodeError, match="num_frames"):
        decode_json(text % (-1, 16000), packer=Backwards())


def test_an_interruption_on_the_wire() -> None:
    assert wire(InterruptionFrame()) == {"type": "interruption"}
    assert wire(InterruptionFrame(), client=True) is None
    assert encode_msgpack(InterruptionFrame()) == b"\x81\xa4type\xacinterruption"
    assert encode_json(InterruptionFrame()) == '{"type":"interruption"}'
    assert isinstance(decode_json('{"type":"interruption"}', client=True), InterruptionFrame)


def test_a_destination_on_the_wire() -> None:
    frame = OutputAudioRawFrame(b"", 16000, 1, transport_destination="music")
    fields = wire(frame)
    assert fields is not None
    assert fields["destination"] == "music"
    for kind in (
        TextFrame("", transport_destination="music"),
        TransportMessageFrame(1, transport_destination="music"),
        OutputDTMFFrame("1", transport_destination="music"),
        OutputImageRawFrame(b"", (1, 1), transport_destination="music"),
    ):
        for frame_at_client in crossed(kind, to_client=True):
            assert frame_at_client.transport_source == "music"
            assert frame_at_client.transport_destination is None


def test_a_server_takes_no_name_from_its_client() -> None:
    frame = decode_json('{"type":"text","text":"","destination":"x"}')
    assert frame.transport_source is None
    assert frame.transport_destination is None


def test_a_frame_that_does_not_cross_gives_nothing() -> None:
    """Every type of frame but the listed ones, and what came in never goes out again."""
    outbound = (
        OutputAudioRawFrame,
        OutputImageRawFrame,
        TextFrame,
        TransportMessageFrame,
        TransportMessageUrgentFrame,
        OutputDTMFFrame,
        OutputDTMFUrgentFrame,
        OutputMarkFrame,
        InterruptionFrame,
    )
    for name in all_frames.__all__:
        kind = getattr(all_frames, name)
        if not (isinstance(kind, type) and issubclass(kind, Frame)) or issubclass(kind, outbound):
            continue
        required = [field for field in msgspec.structs.fields(kind) if field.required]
        assert wire(kind(*[None] * len(required))) is None, name


def test_a_subclass_of_ones_own_crosses_as_what_it_is() -> None:
    class Jingle(OutputAudioRawFrame):
        title: str = ""

    assert wire(Jingle(b"", 16000, 1, "tune")) == wire(OutputAudioRawFrame(b"", 16000, 1))


def test_unknown_fields_are_ignored() -> None:
    newer = {
        "type": "text",
        "text": "hi",
        "id": 7,
        "pts": 1,
        "metadata": {"user_id": "root"},
        "user_id": "root",
        "transport_source": "x",
        "lane": "system",
        "x": [[{"y": b""}]],
    }
    frame = decode_msgpack(msgspec.msgpack.encode(newer))
    assert isinstance(frame, TextFrame)
    assert frame.text == "hi"
    assert frame.id != 7
    assert frame.pts is None
    assert frame.metadata == {}
    assert frame.transport_source is None


def test_the_number_of_channels_may_be_left_out() -> None:
    frame = decode_json(json_audio('"audio":"AQI=","sample_rate":16000'))
    assert isinstance(frame, InputAudioRawFrame)
    assert (frame.audio, frame.sample_rate, frame.num_channels) == (b"\x01\x02", 16000, 1)


def test_json_may_come_as_bytes() -> None:
    frame = decode_json(b'{"type":"text","text":"\xc3\xa9"}')
    assert isinstance(frame, TextFrame)
    assert frame.text == "é"


def test_audio_of_odd_length_passes() -> None:
    for frame in crossed(OutputAudioRawFrame(b"\x01\x02\x03", 16000, 2), to_client=False):
        assert isinstance(frame, InputAudioRawFrame)
        assert frame.audio == b"\x01\x02\x03"


# --- limits, just below and just above ----------------------------------------------------------


@pytest.mark.parametrize("sample_rate", [MIN_SAMPLE_RATE, MAX_SAMPLE_RATE])
@pytest.mark.parametrize("num_channels", [1, MAX_CHANNELS])
def test_two_seconds_of_audio_are_the_most(sample_rate: int, num_channels: int) -> None:
    two_seconds = bytes(4 * sample_rate * num_channels)
    fits = OutputAudioRawFrame(two_seconds, sample_rate, num_channels)
    for frame in crossed(fits, to_client=False):
        assert isinstance(frame, InputAudioRawFrame)
        assert frame.audio == two_seconds
    assert audio_problem(len(two_seconds), sample_rate, num_channels) is None
    problem = f"{len(two_seconds) + 1} bytes of audio in one message, where 2 s"
    more = OutputAudioRawFrame(two_seconds + b"x", sample_rate, num_channels)
    with pytest.raises(EncodeError, match=f"{more.name}: {problem}"):
        encode_msgpack(more)
    fields = {"type": "audio", "audio": more.audio, "sample_rate": sample_rate}
    fields["num_channels"] = num_channels
    with pytest.raises(DecodeError, match=problem):
        decode_msgpack(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    ("sample_rate", "num_channels", "problem"),
    [
        (MIN_SAMPLE_RATE - 1, 1, "sample_rate is 7999, not 8000 to 192000"),
        (MAX_SAMPLE_RATE + 1, 1, "sample_rate is 192001, not 8000 to 192000"),
        (16000, 0, "num_channels is 0, not 1 to 8"),
        (16000, MAX_CHANNELS + 1, "num_channels is 9, not 1 to 8"),
    ],
)
def test_rates_and_channels_beyond_the_limits(
    sample_rate: int, num_channels: int, problem: str
) -> None:
    assert audio_problem(0, sample_rate, num_channels) == problem
    with pytest.raises(EncodeError, match=problem):
        encode_json(OutputAudioRawFrame(b"", sample_rate, num_channels))
    fields = f'"audio":"","sample_rate":{sample_rate},"num_channels":{num_channels}'
    with pytest.raises(DecodeError, match=r"Expected `int` [<>]= \d+ - at `\$"):
        decode_json(json_audio(fields))


@pytest.mark.parametrize("size", [(1, 1), (MAX_IMAGE_SIDE, 1), (1, MAX_IMAGE_SIDE)])
def test_images_within_the_limits(size: tuple[int, int]) -> None:
    image = bytes(3 * size[0] * size[1])
    for frame in crossed(OutputImageRawFrame(image, size, "RGB"), to_client=False):
        assert isinstance(frame, InputImageRawFrame)
        assert (frame.image, frame.size, frame.format) == (image, size, "RGB")


@pytest.mark.parametrize(
    ("pixel_format", "pixel_bytes"),
    [("L", 1), ("LA", 2)]
    + [(three, 3) for three in ("RGB", "YCbCr", "HSV", "LAB")]
    + [(four, 4) for four in ("RGBA", "RGBX", "CMYK")],
)
def test_the_formats_of_raw_images(pixel_format: str, pixel_bytes: int) -> None:
    image = bytes(6 * pixel_bytes)
    frame = OutputImageRawFrame(image, (3, 2), pixel_format)
    assert len(crossed(frame, to_client=False)) == 2
    with pytest.raises(EncodeError, match=f"3 x 2 pixels in {pixel_format} are {len(image)}$"):
        encode_json(frame.replace(image=image + b"x"))


@pytest.mark.parametrize(
    ("image", "size", "pixel_format", "problem"),
    [
        (b"", (0, 1), None, "image of 0 x 1 pixels, where a side is 1 to 8192"),
        (b"", (1, 8193), None, "image of 1 x 8193 pixels, where a side is 1 to 8192"),
        (b"12", (1, 1), "RGB", "image has 2 bytes, but 1 x 1 pixels in RGB are 3"),
        (b"1234", (1, 1), "RGB", "image has 4 bytes, but 1 x 1 pixels in RGB are 3"),
        (b"1", (1, 1), "JPEG", "image format 'JPEG' is none of L, LA, RGB"),
    ],
)
def test_images_beyond_the_limits(
    image: bytes, size: tuple[int, int], pixel_format: str | None, problem: str
) -> None:
    frame = OutputImageRawFrame(image, size, pixel_format)
    with pytest.raises(EncodeError, match=f"{frame.name}: {problem}"):
        encode_json(frame)
    fields = {"type": "image", "image": image, "size": size, "format": pixel_format}
    with pytest.raises(DecodeError):
        decode_msgpack(msgspec.msgpack.encode(fields))


def test_every_button_and_no_other() -> None:
    assert "".join(DTMF_BUTTONS) == "0123456789*#ABCD"
    for button in DTMF_BUTTONS:
        for frame in crossed(OutputDTMFFrame(button), to_client=False):
            assert isinstance(frame, InputDTMFFrame)
            assert frame.button == button
    for button in ("", "a", "12", "E"):
        with pytest.raises(EncodeError, match="button is not one of 0 1 2"):
            encode_json(OutputDTMFFrame(button))
        with pytest.raises(DecodeError):
            decode_json(msgspec.json.encode({"type": "dtmf", "button": button}))


def test_messages_of_32_levels() -> None:
    decode_json(json_message("[" * 32 + "]" * 32))
    decode_msgpack(msgpack_message(b"\x91" * 31 + b"\x90"))
    for decode, data in (
        (decode_json, json_message("[" * 33 + "]" * 33)),
        (decode_msgpack, msgpack_message(b"\x91" * 32 + b"\x90")),
    ):
        assert "nested deeper than 32 levels" in check_refused(decode, data)


# --- encoding refuses what the other end would --------------------------------------------------


@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (math.nan, "message holds nan, which JSON cannot express"),
        ({"a": [math.inf]}, "message holds inf, which JSON cannot express"),
        ({"a": b""}, "message holds bytes, but is made of dict, list"),
        (2**64, "message holds an integer of more than 64 bits"),
        ("\ud800", "surrogates not allowed"),
    ],
)
def test_a_message_that_is_none_is_refused(encode: Any, message: object, problem: str) -> None:
    frame = TransportMessageFrame(message)
    with pytest.raises(EncodeError, match=f"{frame.name}: .*{problem}"):
        encode(frame)


@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
def test_text_that_is_none_is_refused(encode: Any) -> None:
    frame = TextFrame("\udfff")
    with pytest.raises(EncodeError, match=f"{frame.name}: .*surrogates not allowed"):
        encode(frame)


# --- messages without anything around them ------------------------------------------------------


@given(message=json_like())
def test_a_message_round_trip(message: Any) -> None:
    """What is JSON-like comes back equal, from text and from bytes."""
    encoded = encode_message(message)
    assert decode_message(encoded) == message
    assert decode_message(encoded.encode()) == message


@pytest.mark.parametrize("message", [math.nan, b"", object(), {1: 1}, "\ud800"])
def test_a_bare_message_that_is_none_is_refused(message: object) -> None:
    with pytest.raises(EncodeError, match="^message"):
        encode_message(message)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "truncated"),
        ("{", "truncated"),
        ("NaN", "malformed"),
        ("1e999", "inf"),
        ("[" * 33 + "]" * 33, "deeper than 32"),
        ("[" * 8000, "far too deep|truncated"),  # Python 3.13 goes to the end of it
        ("[" + "1," * 10_000 + "1]", "more than 8192 values"),
        (b"\xff", "malformed"),
        ('"\ud800"', "surrogates not allowed"),
    ],
)
def test_a_bare_message_that_cannot_be_read(data: str | bytes, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem):
        decode_message(data)


# --- P15: decoding is total ---------------------------------------------------------------------


def check_refused(decode: Any, data: str | bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(data)
    reason = str(caught.value)
    assert reason.isascii()
    assert reason.isprintable()
    assert len(reason) <= 256
    # No other error hangs on to it, with the peer's bytes in its text.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return reason


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json(name: str) -> None:
    check_refused(decode_json, BAD_JSON[name])


@pytest.mark.parametrize("name", BAD_MSGPACK)
def test_bad_msgpack(name: str) -> None:
    check_refused(decode_msgpack, BAD_MSGPACK[name])


def test_an_unknown_type_is_told_what_is_known() -> None:
    known = "audio, dtmf, image, mark, message, opus, text"
    unknown = b'{"type":"start"}'
    assert check_refused(decode_json, unknown) == f"unknown type 'start'; known are {known}"
    with pytest.raises(DecodeError, match=f"'start'; known are {known}, interruption"):
        decode_json(unknown, client=True)


def json_text_type(kind: str) -> str:
    return '{"type":"' + kind + '"}'


def test_what_the_peer_chose_is_short_and_escaped() -> None:
    reason = check_refused(decode_json, BAD_JSON["type is control characters"])
    assert r"'\n\x1b[31m\x00'" in reason
    reason = check_refused(decode_json, BAD_JSON["type is a megabyte"])
    assert f"'{'x' * 117}...'" in reason
    for length, shown in ((120, "x" * 120), (121, "x" * 117 + "...")):
        assert f"'{shown}'" in check_refused(decode_json, json_text_type("x" * length))
    reason = check_refused(decode_json, json_text_type("\U0001f600" * 1000))
    assert len(reason) < 200
    reason = check_refused(decode_json, '{"type":"dtmf","button":"' + "x" * 1000 + '"}')
    assert reason.endswith("xxx...")


@pytest.mark.parametrize("name", [*SLOW_JSON, *BAD_JSON])
def test_json_is_decoded_in_time(name: str) -> None:
    """P15: <= 10 ms + 20 ns a byte, for good and bad."""
    data = {**SLOW_JSON, **BAD_JSON}[name]
    assert best_time_s(lambda: decode_json(data)) <= allowed_s(data)


@pytest.mark.parametrize("name", [*SLOW_MSGPACK, *BAD_MSGPACK])
def test_msgpack_is_decoded_in_time(name: str) -> None:
    """P15: <= 10 ms + 20 ns a byte, for good and bad."""
    data = {**SLOW_MSGPACK, **BAD_MSGPACK}[name]
    assert best_time_s(lambda: decode_msgpack(data)) <= allowed_s(data)


@pytest.mark.parametrize("name", SLOW_JSON)
def test_slow_json_is_a_message(name: str) -> None:
    assert isinstance(decode_json(SLOW_JSON[name]), LISTED)


@pytest.mark.parametrize("name", SLOW_MSGPACK)
def test_slow_msgpack_is_a_message(name: str) -> None:
    assert isinstance(decode_msgpack(SLOW_MSGPACK[name]), LISTED)


def outcome(decode: Any, data: str | bytes, *, client: bool) -> None:
    """A listed frame that owns nothing, or DecodeError."""
    listed = (*LISTED, InterruptionFrame) if client else LISTED
    last_id = StartFrame().id
    try:
        frame = decode(data, client=client)
    except DecodeError:
        return
    assert type(frame) in listed
    assert frame.id > last_id
    assert frame.pts is None
    assert frame.metadata == {}
    assert frame.transport_destination is None


@given(data=st.binary(), client=st.booleans())
@example(data=msgpack_message(b"\x80"), client=False)
def test_decoding_bytes_is_total(data: bytes, client: bool) -> None:
    """P15, P17: any bytes give a listed frame with nothing of the peer's in it, or DecodeError."""
    outcome(decode_msgpack, data, client=client)
    outcome(decode_json, data, client=client)


@given(data=st.text(alphabet=st.characters()), client=st.booleans())
@example(data=json_message("{}"), client=False)
def test_decoding_text_is_total(data: str, client: bool) -> None:
    """P15, P17: any text gives a listed frame with nothing of the peer's in it, or DecodeError."""
    outcome(decode_json, data, client=client)


_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.sampled_from(["audio", "text", "RGB", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
_field = st.sampled_from(
    ["audio", "sample_rate", "num_channels", "image", "size", "format", "text", "message"]
    + ["button", "destination", "id", "pts", "metadata"]
)
_kind = st.sampled_from(["audio", "image", "text", "message", "dtmf", "interruption"]) | _anything


@given(
    fields=st.dictionaries(_field, _anything | st.integers(1, 20000)),
    kind=_kind,
    client=st.booleans(),
)
def test_decoding_wrong_types_is_total(fields: dict[str, Any], kind: Any, client: bool) -> None:
    """P15, P17: any value in any field gives a listed frame, or DecodeError."""
    outcome(decode_msgpack, msgspec.msgpack.encode({"type": kind, **fields}), client=client)
    outcome(decode_json, msgspec.json.encode({**fields, "type": kind}), client=client)


# --- round trip ---------------------------------------------------------------------------------

_PARTNERS: list[tuple[type[Frame], type[Frame]]] = [
    (OutputAudioRawFrame, InputAudioRawFrame),
    (OutputImageRawFrame, InputImageRawFrame),
    (TextFrame, TextFrame),
    (TransportMessageFrame, InputTransportMessageFrame),
    (TransportMessageUrgentFrame, InputTransportMessageFrame),
    (DTMFFrame, InputDTMFFrame),
    (OutputMarkFrame, InputMarkFrame),
    (InterruptionFrame, InterruptionFrame),
]
_PAYLOADS = ("audio", "sample_rate", "num_channels", "image", "size", "format", "text", "message")


def check_arrival(sent: Frame, received: Frame) -> None:
    partner = next(there for here, there in _PARTNERS if isinstance(sent, here))
    assert type(received) is partner
    for name in (*_PAYLOADS, "button", "mark"):
        assert getattr(received, name, None) == getattr(sent, name, None), name


@given(frame=frames_a_client_sends)
def test_what_a_client_sends_arrives(frame: Frame) -> None:
    """Client to server, both formats: the partner type with the same payload."""
    for received in crossed(frame, to_client=False):
        check_arrival(frame, received)


@given(frame=frames_a_server_sends)
def test_what_a_server_sends_arrives(frame: Frame) -> None:
    """Server to client, both formats: the partner type with the same payload."""
    for received in crossed(frame, to_client=True):
        check_arrival(frame, received)


@given(frame=frames_a_client_sends)
def test_what_comes_in_does_not_go_out_again(frame: Frame) -> None:
    """An input frame other than text that nobody consumed is not echoed to the peer."""
    for received in crossed(frame, to_client=False):
        if not isinstance(received, TextFrame):
            assert wire(received) is None


def test_a_sprite_goes_out_picture_by_picture() -> None:
    assert wire(SpriteFrame([OutputImageRawFrame(b"", (1, 1))])) is None
    assert wire(ImageRawFrame(b"", (1, 1))) is None
