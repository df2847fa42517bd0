"""`wsframes.serializers.json`."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import BAD_JSON, fuzz, mutations
from tests.strategies import frames_a_client_sends, frames_a_server_sends
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    CancelFrame,
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
from wsframes.frames.codec import encode_json
from wsframes.serializers import FrameSerializerType, JsonFrameSerializer

SERVER = JsonFrameSerializer()
CLIENT = JsonFrameSerializer(client=True)

VALID = [
    (encode_json(frame) or "").encode()
    for frame in (
        OutputAudioRawFrame(bytes(range(64)), 16000, 2),
        OutputImageRawFrame(bytes(12), (2, 2), "RGB"),
        TextFrame("hello \u00e9"),
        TransportMessageFrame({"a": [1, 2.5, None, {"b": "c"}], "d": -1}),
        OutputDTMFFrame("#"),
        InterruptionFrame(),
    )
]


def test_it_is_text_and_needs_no_setup() -> None:
    assert SERVER.type is FrameSerializerType.TEXT
    assert SERVER.setup(StartFrame()) is None


def test_bytes_are_base64() -> None:
    message = SERVER.serialize(OutputAudioRawFrame(b"\xff\xfe", 16000, 1))
    assert message is not None
    assert json.loads(message) == {
        "type": "audio",
        "audio": "//4=",
        "sample_rate": 16000,
        "num_channels": 1,
    }
    assert SERVER.serialize(CancelFrame()) is None


def test_only_a_client_takes_an_interruption_and_only_a_server_sends_one() -> None:
    message = SERVER.serialize(InterruptionFrame())
    assert message == '{"type":"interruption"}'
    assert isinstance(CLIENT.deserialize(message), InterruptionFrame)
    with pytest.raises(DecodeError, match="unknown type 'interruption'"):
        SERVER.deserialize(message)
    assert CLIENT.serialize(InterruptionFrame()) is None


def test_a_binary_message_is_read_as_json() -> None:
    frame = SERVER.deserialize(b'{"type":"text","text":"hi"}')
    assert isinstance(frame, TextFrame)
    with pytest.raises(DecodeError):
        SERVER.deserialize(bytes(640))


def test_nan_is_never_put_on_the_wire() -> None:
    frame = TransportMessageFrame({"level": float("nan")})
    with pytest.raises(EncodeError, match="holds nan, which JSON cannot express"):
        SERVER.serialize(frame)


@given(frame=frames_a_server_sends)
def test_every_message_is_strict_json(frame: Frame) -> None:
    """The standard library reads each message, with no constant that JSON does not have."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    message = SERVER.serialize(frame)
    assert message is not None
    assert isinstance(json.loads(message, parse_constant=refuse), dict)


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


@pytest.mark.parametrize("data", BAD_JSON.values(), ids=BAD_JSON)
def test_bad_input_is_skipped_and_the_next_is_read(data: bytes | str) -> None:
    with pytest.raises(DecodeError):
        SERVER.deserialize(data)
    assert isinstance(SERVER.deserialize(VALID[0]), InputAudioRawFrame)


def test_a_hundred_thousand_mutations() -> None:
    """P15: 1e5 damaged messages, each a frame or DecodeError, and both kinds are many."""
    accepted, refused = fuzz(SERVER.deserialize, mutations(VALID, 100_000, seed=15))
    assert accepted > 1_000
    assert refused > 10_000
