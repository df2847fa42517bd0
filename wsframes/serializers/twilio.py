"""Telephone calls by Twilio's Media Streams: JSON around mu-law at 8 kHz.

The messages are those of https://www.twilio.com/docs/voice/media-streams/websocket-messages
for a bidirectional stream (`<Connect><Stream>`):

| event     | from Twilio                            | to Twilio                            |
|-----------|----------------------------------------|--------------------------------------|
| connected | nothing for the application            |                                      |
| start     | InputTransportMessageFrame             |                                      |
| media     | InputAudioRawFrame, 8000 Hz, mono      | OutputAudioRawFrame                  |
| dtmf      | InputDTMFFrame                         |                                      |
| mark      | InputMarkFrame, when it has been heard | OutputMarkFrame                      |
| clear     |                                        | InterruptionFrame                    |
| stop      | InputTransportMessageFrame             |                                      |
"""

from binascii import b2a_base64
from typing import Annotated, Final, TypeAlias

import msgspec

from wsframes.audio.g711 import mulaw_to_pcm, pcm_to_mulaw
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    Frame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InputMarkFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputMarkFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.frames.codec import decode_message
from wsframes.frames.shapes import MAX_AUDIO_S, MAX_MARK_CHARS, Button, printable
from wsframes.serializers.base import FrameSerializer, FrameSerializerType

__all__ = ["TwilioFrameSerializer"]

_RATE: Final = 8000
_MAX_BYTES: Final = MAX_AUDIO_S * _RATE
_MAX_EARLY_S: Final = 10

_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_MARK_CHARS)]


class _Media(msgspec.Struct):
    payload: bytes
    track: str = "inbound"


class _DTMF(msgspec.Struct):
    digit: Button


class _Mark(msgspec.Struct):
    name: _Name


class _StreamStart(msgspec.Struct):
    streamSid: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_MARK_CHARS)]


class _OfMedia(msgspec.Struct, tag_field="event", tag="media"):
    media: _Media


class _OfDTMF(msgspec.Struct, tag_field="event", tag="dtmf"):
    dtmf: _DTMF


class _OfMark(msgspec.Struct, tag_field="event", tag="mark"):
    mark: _Mark


class _OfStart(msgspec.Struct, tag_field="event", tag="start"):
    start: _StreamStart


class _OfStop(msgspec.Struct, tag_field="event", tag="stop"):
    stop: dict[str, msgspec.Raw] = {}


class _EventOnly(msgspec.Struct):
    event: str


_Told: TypeAlias = _OfMedia | _OfDTMF | _OfMark | _OfStart | _OfStop
_EVENTS: Final = ("media", "dtmf", "mark", "start", "stop")
_decode = msgspec.json.Decoder(_Told).decode
_decode_event = msgspec.json.Decoder(_EventOnly).decode
_REFUSALS: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class TwilioFrameSerializer(FrameSerializer):
    """One call, so each session needs one of its own: it is refused by a second session. Set
    `audio_out_sample_rate=8000`, and `audio_in_sample_rate` as your bot wants it.

    `start` and `stop` come as an `InputTransportMessageFrame` whose message is Twilio's whole
    object: in `start` are the call's SID and your custom parameters. What is said before `start`
    has come is kept, for ten seconds of audio at most, and goes out with the first audio after it,
    or else in the place of the first mark, which Twilio then never answers: the bot counts as
    speaking for as long as an answer is waited for. Otherwise Twilio answers marks, so the bot
    counts as speaking until it has been heard. Keys are sent as tones. Twilio takes no other
    messages, so a `TransportMessageFrame` is refused and counted. To hang up is not for this wire:
    end the session, and Twilio goes on with what follows `<Connect>`.

    Args:
        stream_sid: of the stream, where `start` was read already; None: it is taken from `start`.
    """

    type = FrameSerializerType.TEXT
    audio_sample_rate = _RATE
    has_marks = True
    encodes_audio = True
    serves_one_session = True

    def __init__(self, stream_sid: str | None = None) -> None:
        self._early = b""
        self._stream_sid: str | None = None
        self._media_head = self._mark_head = self._clear = ""
        if stream_sid is not None:
            self._take(stream_sid)

    @property
    def stream_sid(self) -> str | None:
        """Of the stream; None before `start`."""
        return self._stream_sid

    def _take(self, stream_sid: str) -> None:
        self._stream_sid = stream_sid
        sid = msgspec.json.encode(stream_sid).decode()
        self._media_head = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark_head = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":'
        self._clear = f'{{"event":"clear","streamSid":{sid}}}'

    def serialize(self, frame: Frame) -> str | None:
        if isinstance(frame, OutputAudioRawFrame):
            return self._media(frame)
        if isinstance(frame, InterruptionFrame):
            self._early = b""
            return self._clear or None
        if isinstance(frame, OutputMarkFrame):
            return self._mark(frame)
        if isinstance(frame, TransportMessageFrame | TransportMessageUrgentFrame):
            raise EncodeError(f"{frame.name}: Twilio takes audio, marks and interruptions only")
        return None

    def _media(self, frame: OutputAudioRawFrame) -> str | None:
        if frame.sample_rate != _RATE or frame.num_channels != 1:
            raise EncodeError(
                f"{frame.name} has {frame.sample_rate} Hz and {frame.num_channels} channel(s), but "
                "Twilio takes 8000 Hz and 1: set audio_out_sample_rate and audio_out_channels"
            )
        try:
            coded = pcm_to_mulaw(frame.audio)
        except ValueError as error:
            raise EncodeError(f"{frame.name}: {error}") from error
        if self._early:
            coded = self._early + coded
        if self._stream_sid is None:
            if len(coded) > _MAX_EARLY_S * _RATE:
                raise EncodeError(
                    f"{frame.name}: Twilio has sent no start message, and {_MAX_EARLY_S} s wait "
                    "for it"
                )
            self._early = coded
            return None
        self._early = b""
        return f'{self._media_head}{b2a_base64(coded, newline=False).decode()}"}}}}'

    def _mark(self, frame: OutputMarkFrame) -> str:
        if self._stream_sid is None:
            raise EncodeError(f"{frame.name}: Twilio has sent no start message")
        if len(frame.mark) > MAX_MARK_CHARS:
            raise EncodeError(
                f"{frame.name}: a mark of {len(frame.mark)} characters, where {MAX_MARK_CHARS} are "
                "the most"
            )
        if self._early:
            # No audio has followed the start: this is the last chance of what was said before it.
            early, self._early = self._early, b""
            return f'{self._media_head}{b2a_base64(early, newline=False).decode()}"}}}}'
        try:
            return f"{self._mark_head}{msgspec.json.encode(frame.mark).decode()}}}}}"
        except ValueError as error:
            raise EncodeError(f"{frame.name}: {error}") from error

    def deserialize(self, data: str | bytes) -> Frame | None:
        try:
            told = _decode(data)
            if isinstance(told, _OfMedia):
                return _heard(told.media)
            if isinstance(told, _OfDTMF):
                return InputDTMFFrame(told.dtmf.digit)
            if isinstance(told, _OfMark):
                return InputMarkFrame(told.mark.name)
            problem = None
        except _REFUSALS as error:
            if _is_of_another_event(data):
                return None  # "connected", and what Twilio may come to tell
            problem = printable(str(error))
        if problem is not None:
            # Outside of the handler: the decoder's error would bring the peer's text with it.
            raise DecodeError(problem)
        if isinstance(told, _OfStart):
            self._start(told.start.streamSid)
        return InputTransportMessageFrame(decode_message(data))

    def _start(self, stream_sid: str) -> None:
        if self._stream_sid is None:
            self._take(stream_sid)
        elif self._stream_sid != stream_sid:
            raise DecodeError("a second start, of another stream")


def _heard(media: _Media) -> Frame | None:
    if len(media.payload) > _MAX_BYTES:
        raise DecodeError(
            f"{len(media.payload)} bytes of audio in one message, where {MAX_AUDIO_S} s are the "
            "most"
        )
    if media.track != "inbound":
        return None  # what the bot says itself
    return InputAudioRawFrame(mulaw_to_pcm(media.payload), _RATE, 1)


def _is_of_another_event(data: str | bytes) -> bool:
    try:
        return _decode_event(data).event not in _EVENTS
    except _REFUSALS:
        return False
