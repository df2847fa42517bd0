"""`wsframes.serializers.twilio`."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import BAD_JSON, fuzz, mutations
from wsframes.audio.g711 import mulaw_to_pcm, pcm_to_mulaw
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InputMarkFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputMarkFrame,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.serializers import FrameSerializerType, TwilioFrameSerializer
from wsframes.testing import check_serializer

SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
CODED = bytes(range(160))


def told(event: str, number: int, **fields: Any) -> str:
    """A message as Twilio sends it."""
    return json.dumps(
        {"event": event, "sequenceNumber": str(number), "streamSid": SID, event: fields}
    )


CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = told(
    "start",
    1,
    accountSid="AC1",
    streamSid=SID,
    callSid="CA1",
    tracks=["inbound"],
    mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    customParameters={"FirstName": "Jane"},
)
MEDIA = told(
    "media", 2, track="inbound", chunk="1", timestamp="5", payload=b64encode(CODED).decode()
)
DTMF = told("dtmf", 3, track="inbound_track", digit="1")
MARK = told("mark", 4, name="greeting")
STOP = told("stop", 5, accountSid="AC1", callSid="CA1")
CALL = [CONNECTED, START, MEDIA, DTMF, MARK, STOP]


@pytest.fixture
def twilio() -> TwilioFrameSerializer:
    return TwilioFrameSerializer(SID)


def said(serializer: TwilioFrameSerializer, frame: Frame) -> Any:
    message = serializer.serialize(frame)
    assert isinstance(message, str)
    return json.loads(message)


def test_it_is_text_with_marks_and_no_pcm(twilio: TwilioFrameSerializer) -> None:
    assert twilio.type is FrameSerializerType.TEXT
    assert twilio.has_marks
    assert twilio.encodes_audio
    assert twilio.setup(StartFrame()) is None


def test_a_call_from_its_first_message_to_its_last() -> None:
    serializer = TwilioFrameSerializer()
    assert serializer.deserialize(CONNECTED) is None
    assert serializer.stream_sid is None

    start = serializer.deserialize(START)
    assert isinstance(start, InputTransportMessageFrame)
    assert start.message == json.loads(START)
    assert serializer.stream_sid == SID

    media = serializer.deserialize(MEDIA)
    assert isinstance(media, InputAudioRawFrame)
    assert (media.audio, media.sample_rate, media.num_channels) == (mulaw_to_pcm(CODED), 8000, 1)

    key = serializer.deserialize(DTMF)
    assert isinstance(key, InputDTMFFrame)
    assert key.button == "1"

    mark = serializer.deserialize(MARK)
    assert isinstance(mark, InputMarkFrame)
    assert mark.mark == "greeting"

    stop = serializer.deserialize(STOP)
    assert isinstance(stop, InputTransportMessageFrame)
    assert stop.message == json.loads(STOP)


def test_what_is_said_to_twilio(twilio: TwilioFrameSerializer) -> None:
    audio = mulaw_to_pcm(CODED)
    payload = b64encode(pcm_to_mulaw(audio)).decode()
    assert said(twilio, OutputAudioRawFrame(audio, 8000, 1)) == {
        "event": "media",
        "streamSid": SID,
        "media": {"payload": payload},
    }
    assert said(twilio, OutputMarkFrame('a"\u00e9')) == {
        "event": "mark",
        "streamSid": SID,
        "mark": {"name": 'a"\u00e9'},
    }
    assert said(twilio, InterruptionFrame()) == {"event": "clear", "streamSid": SID}


@pytest.mark.parametrize("frame", [TextFrame("hi"), OutputDTMFFrame("1"), EndFrame()])
def test_other_frames_do_not_cross(twilio: TwilioFrameSerializer, frame: Frame) -> None:
    assert twilio.serialize(frame) is None


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (OutputAudioRawFrame(b"", 16000, 1), "16000 Hz and 1 channel.*audio_out_sample_rate"),
        (OutputAudioRawFrame(b"", 8000, 2), "8000 Hz and 2 channel"),
        (OutputAudioRawFrame(b"\x00", 8000, 1), "OutputAudioRawFrame.*1 bytes of audio"),
        (TransportMessageFrame({}), "TransportMessageFrame.*audio, marks and interruptions only"),
        (TransportMessageUrgentFrame({}), "audio, marks and interruptions only"),
        (OutputMarkFrame("m" * 65), "a mark of 65 characters, where 64 are the most"),
        (OutputMarkFrame("\ud800"), "OutputMarkFrame"),
    ],
)
def test_what_twilio_does_not_take_is_refused(
    twilio: TwilioFrameSerializer, frame: Frame, problem: str
) -> None:
    with pytest.raises(EncodeError, match=problem):
        twilio.serialize(frame)


def test_what_is_said_before_the_start_goes_out_after_it() -> None:
    serializer = TwilioFrameSerializer()
    first, second = mulaw_to_pcm(CODED), mulaw_to_pcm(CODED[::-1])
    assert serializer.serialize(OutputAudioRawFrame(first, 8000, 1)) is None
    with pytest.raises(EncodeError, match="no start message"):
        serializer.serialize(OutputMarkFrame("early"))
    serializer.deserialize(START)

    for audio in (first + second, second):
        message = said(serializer, OutputAudioRawFrame(second, 8000, 1))
        assert b64decode(message["media"]["payload"]) == pcm_to_mulaw(audio)


def test_what_was_said_before_the_start_goes_out_in_the_place_of_a_mark() -> None:
    serializer = TwilioFrameSerializer()
    audio = mulaw_to_pcm(CODED)
    assert serializer.serialize(OutputAudioRawFrame(audio, 8000, 1)) is None
    serializer.deserialize(START)
    early = said(serializer, OutputMarkFrame("greeting"))
    assert early["event"] == "media"
    assert early["streamSid"] == SID
    assert b64decode(early["media"]["payload"]) == pcm_to_mulaw(audio)
    assert said(serializer, OutputMarkFrame("greeting"))["event"] == "mark"
    message = said(serializer, OutputAudioRawFrame(audio, 8000, 1))
    assert b64decode(message["media"]["payload"]) == pcm_to_mulaw(audio)


def test_an_interruption_clears_what_waits_for_the_start() -> None:
    serializer = TwilioFrameSerializer()
    audio = mulaw_to_pcm(CODED)
    serializer.serialize(OutputAudioRawFrame(audio, 8000, 1))
    assert serializer.serialize(InterruptionFrame()) is None
    serializer.deserialize(START)
    message = said(serializer, OutputAudioRawFrame(audio, 8000, 1))
    assert b64decode(message["media"]["payload"]) == pcm_to_mulaw(audio)


def test_ten_seconds_are_the_most_that_waits_for_the_start() -> None:
    serializer = TwilioFrameSerializer()
    for _ in range(10):
        assert serializer.serialize(OutputAudioRawFrame(bytes(16000), 8000, 1)) is None
    with pytest.raises(EncodeError, match="no start message, and 10 s wait"):
        serializer.serialize(OutputAudioRawFrame(bytes(2), 8000, 1))


def test_a_start_of_another_stream_is_refused(twilio: TwilioFrameSerializer) -> None:
    assert isinstance(twilio.deserialize(START), InputTransportMessageFrame)
    with pytest.raises(DecodeError, match="a second start, of another stream"):
        twilio.deserialize(START.replace(SID, "MZ2"))
    assert twilio.stream_sid == SID


def test_the_bot_does_not_hear_itself(twilio: TwilioFrameSerializer) -> None:
    assert twilio.deserialize(MEDIA.replace('"inbound"', '"outbound"')) is None


def test_what_twilio_may_come_to_tell_is_ignored(twilio: TwilioFrameSerializer) -> None:
    assert twilio.deserialize('{"event":"weather","weather":{"sunny":true}}') is None


def test_two_seconds_are_the_most_of_a_message(twilio: TwilioFrameSerializer) -> None:
    def media(size: int) -> str:
        return told("media", 1, payload=b64encode(bytes(size)).decode())

    frame = twilio.deserialize(media(16000))
    assert isinstance(frame, InputAudioRawFrame)
    assert len(frame.audio) == 32000
    with pytest.raises(DecodeError, match="16001 bytes of audio in one message"):
        twilio.deserialize(media(16001))


@pytest.mark.parametrize(
    "message",
    [
        "{}",
        '{"event":7}',
        '{"event":"media"}',
        '{"event":"media","media":{}}',
        '{"event":"media","media":{"payload":"*"}}',
        '{"event":"media","media":{"payload":7}}',
        told("dtmf", 1, digit="11"),
        told("mark", 1, name="m" * 65),
        told("start", 1, streamSid=""),
        told("start", 1, streamSid="M" * 65),
        '{"event":"stop","stop":7}',
        START[:-1] + ',"more":' + "[" * 50 + "]" * 50 + "}",
    ],
    ids=range(12),
)
def test_bad_messages_are_refused(twilio: TwilioFrameSerializer, message: str) -> None:
    with pytest.raises(DecodeError):
        twilio.deserialize(message)


@pytest.mark.parametrize("data", BAD_JSON.values(), ids=BAD_JSON)
def test_bad_input_is_skipped_and_the_next_is_read(
    twilio: TwilioFrameSerializer, data: bytes | str
) -> None:
    try:
        assert twilio.deserialize(data) is None
    except DecodeError:
        pass
    assert isinstance(twilio.deserialize(MEDIA), InputAudioRawFrame)


@given(data=st.binary() | st.text(alphabet=st.characters()))
@example(data=MEDIA)
@example(data=b"\xff")
def test_decoding_is_total(data: bytes | str) -> None:
    """P15: anything gives a frame, None or DecodeError."""
    try:
        frame = TwilioFrameSerializer().deserialize(data)
    except DecodeError:
        return
    assert frame is None or isinstance(frame, Frame)


def test_a_hundred_thousand_mutations(twilio: TwilioFrameSerializer) -> None:
    """P15: 1e5 damaged messages, each a frame, None or DecodeError, and both kinds are many."""
    valid = [message.encode() for message in CALL]
    accepted, refused = fuzz(twilio.deserialize, mutations(valid, 100_000, seed=15))
    assert accepted > 1_000
    assert refused > 10_000


async def test_it_keeps_the_rules_of_serializers() -> None:
    await check_serializer(
        TwilioFrameSerializer,
        peer=lambda: TwilioFrameSerializer(SID),
        messages=CALL,
        sample_rate=8000,
        lossless=False,
    )
