"""Opus in the serializers of our own wire."""

from typing import Any

import pytest

from wsframes.audio.pcm import rms
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import InputAudioRawFrame, OutputAudioRawFrame, OutputMarkFrame, TextFrame
from wsframes.serializers import (
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
    SerializerSettings,
)
from wsframes.testing import check_serializer

every_kind = pytest.mark.parametrize("kind", [MsgpackFrameSerializer, JsonFrameSerializer])

LOUD = OutputAudioRawFrame(b"\x00\x20\x00\xe0" * 320, 16000)


@every_kind
def test_audio_crosses_in_opus_both_ways(kind: Any) -> None:
    server, client = kind(opus=True), kind(client=True, opus=True)
    for here, there in ((server, client), (client, server)):
        message = here.serialize(LOUD)
        assert len(message) < len(LOUD.audio) * 0.6  # and JSON has base64
        frame = there.deserialize(message)
        assert isinstance(frame, InputAudioRawFrame)
        assert frame.num_frames == LOUD.num_frames
        assert rms(frame.audio) > 0.1


@every_kind
def test_the_bitrate_is_what_the_settings_say(kind: Any) -> None:
    sizes = []
    for bitrate in (16000, 64000):
        server = kind(opus=True)
        server.configure(SerializerSettings(audio_out_bitrate=bitrate))
        sizes.append(len(server.serialize(LOUD)))
    assert sizes[1] - sizes[0] == pytest.approx(48000 / 8 * 0.04, rel=0.4)  # JSON has base64
    with pytest.raises(ValueError, match="set audio_out_bitrate"):
        kind(opus=True).configure(SerializerSettings(audio_out_bitrate=1))
    kind().configure(SerializerSettings(audio_out_bitrate=1))  # it has no use for it


@every_kind
def test_who_takes_opus_takes_pcm_too(kind: Any) -> None:
    frame = kind(opus=True).deserialize(kind(client=True).serialize(LOUD))
    assert frame.audio == LOUD.audio


@every_kind
def test_who_was_not_told_to_takes_no_opus(kind: Any) -> None:
    with pytest.raises(DecodeError, match="Opus, which this end was not told to take"):
        kind().deserialize(kind(client=True, opus=True).serialize(LOUD))


@every_kind
def test_what_opus_cannot_carry_says_what_to_set(kind: Any) -> None:
    with pytest.raises(EncodeError, match="set audio_out_sample_rate to one of them"):
        kind(opus=True).serialize(OutputAudioRawFrame(bytes(2), 44100))


def test_a_text_message_may_carry_opus_to_a_binary_wire() -> None:
    message = JsonFrameSerializer(client=True, opus=True).serialize(LOUD)
    assert message is not None
    frame = MsgpackFrameSerializer(opus=True).deserialize(message)
    assert isinstance(frame, InputAudioRawFrame)


@every_kind
async def test_with_opus_it_keeps_the_rules_of_serializers(kind: Any) -> None:
    """Garbage among packets too."""
    message = kind(client=True, opus=True).serialize(LOUD)
    await check_serializer(
        lambda: kind(opus=True, marks=True),
        peer=lambda: kind(client=True, opus=True),
        messages=[message],
        lossless=False,
    )


@every_kind
def test_marks_are_for_who_asks_for_them(kind: Any) -> None:
    assert not kind().has_marks
    assert kind(marks=True).has_marks
    assert kind().serialize(OutputMarkFrame("m")) is not None
    assert not RawAudioSerializer().has_marks
    assert not RawAudioSerializer().encodes_audio
    assert kind(opus=True).encodes_audio
    assert kind().serialize(TextFrame("x")) == kind(opus=True, marks=True).serialize(TextFrame("x"))
