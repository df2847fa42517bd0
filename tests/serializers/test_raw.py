"""`wsframes.serializers.raw`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import allowed_s, best_time_s, fuzz, mutations
from tests.strategies import json_like
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
    TTSAudioRawFrame,
)
from wsframes.serializers import FrameSerializerType, RawAudioSerializer

RAW = RawAudioSerializer()


def test_it_is_binary_and_needs_no_setup() -> None:
    assert RAW.type is FrameSerializerType.BINARY
    assert RAW.setup(StartFrame()) is None


def test_audio_is_its_bytes() -> None:
    audio = bytes(640)
    assert RAW.serialize(OutputAudioRawFrame(audio, 16000, 1)) is audio
    assert RAW.serialize(TTSAudioRawFrame(audio, 16000)) is audio


@given(audio=st.binary(max_size=2000), num_channels=st.integers(1, 8))
def test_bytes_are_audio(audio: bytes, num_channels: int) -> None:
    """Any bytes are audio of the wire's format, odd lengths and none too."""
    frame = RawAudioSerializer(48000, num_channels).deserialize(audio)
    assert isinstance(frame, InputAudioRawFrame)
    assert (frame.audio, frame.sample_rate, frame.num_channels) == (audio, 48000, num_channels)


def test_two_seconds_are_the_most() -> None:
    assert isinstance(RAW.deserialize(bytes(64000)), InputAudioRawFrame)
    with pytest.raises(DecodeError, match="64001 bytes of audio in one message, where 2 s"):
        RAW.deserialize(bytes(64001))


@pytest.mark.parametrize(("sample_rate", "num_channels"), [(8000, 1), (16000, 2)])
def test_audio_of_another_format_is_refused(sample_rate: int, num_channels: int) -> None:
    frame = OutputAudioRawFrame(b"", sample_rate, num_channels)
    with pytest.raises(EncodeError, match="16000 Hz and 1: set audio_out_sample_rate") as caught:
        RAW.serialize(frame)
    assert f"{frame.name} has {sample_rate} Hz and {num_channels} channel(s)" in str(caught.value)


@pytest.mark.parametrize(
    ("sample_rate", "num_channels", "problem"),
    [(0, 1, "sample_rate is 0"), (16000, 0, "num_channels is 0")],
)
def test_a_format_that_is_none_is_refused(
    sample_rate: int, num_channels: int, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        RawAudioSerializer(sample_rate, num_channels)


@given(message=json_like())
def test_a_message_is_json_alone(message: object) -> None:
    """Messages go out as JSON text and come back equal, whatever they are."""
    for kind in (TransportMessageFrame, TransportMessageUrgentFrame):
        text = RAW.serialize(kind(message))
        assert isinstance(text, str)
        frame = RAW.deserialize(text)
        assert isinstance(frame, InputTransportMessageFrame)
        assert frame.message == message


def test_a_message_that_is_none_is_refused() -> None:
    with pytest.raises(EncodeError, match="holds nan"):
        RAW.serialize(TransportMessageFrame(float("nan")))


def test_the_marker_of_an_interruption() -> None:
    assert RAW.serialize(InterruptionFrame()) == '{"type":"interruption"}'
    assert RawAudioSerializer(interruption="clear").serialize(InterruptionFrame()) == "clear"
    assert RawAudioSerializer(interruption=None).serialize(InterruptionFrame()) is None


def test_a_marker_from_a_client_is_a_message_and_no_interruption() -> None:
    frame = RAW.deserialize('{"type":"interruption"}')
    assert isinstance(frame, InputTransportMessageFrame)
    assert frame.message == {"type": "interruption"}


@pytest.mark.parametrize("frame", [TextFrame("hi"), OutputDTMFFrame("1"), EndFrame()])
def test_other_frames_do_not_cross(frame: Frame) -> None:
    assert RAW.serialize(frame) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hi",
        "NaN",
        "1e999",
        "{",
        "[" * 100_000,
        "[" * 5000,
        "[]," * 350_000,
        "9" * 5000,
        '"\ud800"',
        "\x00",
        '""' * 500_000,
    ],
    ids=range(12),
)
def test_bad_text_is_refused_in_time(text: str) -> None:
    with pytest.raises(DecodeError):
        RAW.deserialize(text)
    assert best_time_s(lambda: RAW.deserialize(text)) <= allowed_s(text)


@given(data=st.binary() | st.text(alphabet=st.characters()))
def test_decoding_is_total(data: bytes | str) -> None:
    """P15: anything gives a frame or DecodeError."""
    try:
        frame = RAW.deserialize(data)
    except DecodeError:
        return
    assert type(frame) is (InputAudioRawFrame if isinstance(data, bytes) else _MESSAGE)


_MESSAGE = InputTransportMessageFrame


def test_a_hundred_thousand_mutations() -> None:
    """P15: 1e5 damaged texts, each a message or DecodeError, and both kinds are many."""
    valid = [b'{"a": [1, 2.5, null, {"b": "c\\u00e9"}], "d": -1}', b'"text"', b"[1,2,3]"]
    accepted, refused = fuzz(
        lambda data: RAW.deserialize(data.decode("latin-1")), mutations(valid, 100_000, seed=15)
    )
    assert accepted > 1_000
    assert refused > 10_000
