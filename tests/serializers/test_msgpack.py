"""`wsframes.serializers.msgpack`."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import BAD_JSON, BAD_MSGPACK, fuzz, mutations
from tests.strategies import frames_a_client_sends, frames_a_server_sends
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputImageRawFrame,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.frames.codec import decode_msgpack, encode_msgpack
from wsframes.serializers import FrameSerializerType, MsgpackFrameSerializer, msgpack

SERVER = MsgpackFrameSerializer()
CLIENT = MsgpackFrameSerializer(client=True)

VALID = [
    encode_msgpack(frame) or b""
    for frame in (
        OutputAudioRawFrame(bytes(range(64)), 16000, 2),
        OutputImageRawFrame(bytes(12), (2, 2), "RGB"),
        TextFrame("hello \u00e9"),
        TransportMessageFrame({"a": [1, 2.5, None, {"b": "c"}], "d": -1}),
        OutputDTMFFrame("#"),
        InterruptionFrame(),
    )
]


def test_it_is_binary_and_needs_no_setup() -> None:
    assert SERVER.type is FrameSerializerType.BINARY
    assert SERVER.setup(StartFrame()) is None


def test_the_same_bytes_as_the_codec() -> None:
    frame = OutputAudioRawFrame(b"\x01\x02", 16000, 1)
    assert SERVER.serialize(frame) == encode_msgpack(frame)
    assert SERVER.serialize(EndFrame()) is None


@given(
    audio=st.binary(max_size=300), sample_rate=st.integers(8000, 192000), channels=st.integers(1, 8)
)
def test_the_short_way_for_audio_says_the_same(
    audio: bytes, sample_rate: int, channels: int
) -> None:
    """What is put before the audio without being encoded again is what the codec puts there."""
    frame = OutputAudioRawFrame(audio, sample_rate, channels)
    other = OutputAudioRawFrame(audio[::-1], sample_rate, channels)
    for each in (frame, other, other):
        assert SERVER.serialize(each) == encode_msgpack(each)


def test_only_plain_audio_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = OutputAudioRawFrame(bytes(8), 16000, 1)
    assert SERVER.serialize(plain) == SERVER.serialize(plain) == encode_msgpack(plain)
    monkeypatch.setattr(msgpack, "_MOST_HEADS", 0)  # there is no room for more
    for frame in (
        OutputAudioRawFrame(bytes(8), 16000, 1, transport_destination="music"),
        OutputAudioRawFrame(bytearray(8), 16000, 1),  # type: ignore[arg-type]
        OutputAudioRawFrame(bytes(8), 12345, 1),
    ):
        assert SERVER.serialize(frame) == encode_msgpack(frame)
    assert not {key for key in msgpack._HEADS if key[0] == 12345}
    with pytest.raises(EncodeError, match="sample_rate is 7"):
        SERVER.serialize(plain.replace(sample_rate=7))
    with pytest.raises(EncodeError, match="no len"):
        SERVER.serialize(plain.replace(audio=7))


def test_only_a_client_takes_an_interruption_and_only_a_server_sends_one() -> None:
    message = SERVER.serialize(InterruptionFrame())
    assert message is not None
    assert isinstance(CLIENT.deserialize(message), InterruptionFrame)
    with pytest.raises(DecodeError, match="unknown type 'interruption'"):
        SERVER.deserialize(message)
    assert CLIENT.serialize(InterruptionFrame()) is None


def test_text_is_read_as_json() -> None:
    frame = SERVER.deserialize('{"type":"text","text":"hi"}')
    assert isinstance(frame, TextFrame)
    assert isinstance(CLIENT.deserialize('{"type":"interruption"}'), InterruptionFrame)


@given(data=st.binary() | st.text(alphabet=st.characters()))
@example(data=VALID[0])
def test_decoding_is_total(data: bytes | str) -> None:
    """P15: anything gives a frame or DecodeError."""
    try:
        frame = SERVER.deserialize(data)
    except DecodeError:
        return
    assert isinstance(frame, Frame)


@given(frame=frames_a_client_sends)
def test_from_client_to_server(frame: Frame) -> None:
    """The server reads whatever the client can write."""
    message = CLIENT.serialize(frame)
    assert message is not None
    assert isinstance(SERVER.deserialize(message), Frame)


@given(frame=frames_a_server_sends)
def test_from_server_to_client(frame: Frame) -> None:
    """The client reads whatever the server can write."""
    message = SERVER.serialize(frame)
    assert message is not None
    assert isinstance(CLIENT.deserialize(message), Frame)


@pytest.mark.parametrize("data", [*BAD_MSGPACK.values(), BAD_JSON["NaN"]])
def test_bad_input_is_skipped_and_the_next_is_read(data: bytes | str) -> None:
    with pytest.raises(DecodeError):
        SERVER.deserialize(data)
    assert isinstance(SERVER.deserialize(VALID[0]), InputAudioRawFrame)


def test_a_hundred_thousand_mutations() -> None:
    """P15: 1e5 damaged messages, each a frame or DecodeError, and both kinds are many."""
    accepted, refused = fuzz(decode_msgpack, mutations(VALID, 100_000, seed=15))
    assert accepted > 1_000
    assert refused > 10_000
