"""Which frames may cross a wire, and how they look there.

A message is an object with a `type`, in MessagePack or in JSON, where bytes are base64
(RFC 4648, section 4):

| type         | its other fields                     | a server sends        | and receives       |
|--------------|--------------------------------------|-----------------------|--------------------|
| audio        | audio, sample_rate, num_channels (1) | OutputAudioRawFrame   | InputAudioRawFrame |
| image        | image, size, format (null: encoded)  | OutputImageRawFrame   | InputImageRawFrame |
| text         | text                                 | TextFrame             | TextFrame          |
| message      | message (see `payload`)              | TransportMessageFrame | InputTransport-    |
|              |                                      | and its urgent twin   | MessageFrame       |
| dtmf         | button                               | OutputDTMFFrame       | InputDTMFFrame     |
|              |                                      | and its urgent twin   |                    |
| mark         | mark (up to 64 characters)           | OutputMarkFrame       | InputMarkFrame     |
| opus         | packets, num_frames, sample_rate,    | OutputAudioRawFrame   | InputAudioRawFrame |
|              | num_channels (1)                     | (instead of audio)    |                    |
| interruption |                                      | InterruptionFrame     | never              |

Messages that are for a destination other than the default one have its name as `destination`. A
client reads it as `transport_source`; a server ignores it. Fields that a receiver does not know
are ignored, so that a newer peer can be understood.

Who gets a mark sends the same mark back when it has played the audio that came before it. Opus
crosses where both ends are given an `AudioPacker`: each packet is one of RFC 6716, and the first
`num_frames` samples of what they decode to are the audio; what follows them fills the last packet.

The shapes are types of their own beside the frames: a peer cannot name an id, a time, metadata or
any other frame, because there is no field or type for it.

Both ends use the same functions: what goes out are output frames, what comes in are input frames,
whosever end it is. The one difference is `client=True`: only clients take interruptions.

Whatever the bytes, decoding gives a frame or raises `DecodeError`, within 10 ms and 20 ns a byte.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast

import msgspec
from msgspec import UNSET

from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from wsframes.frames.base import Frame
from wsframes.frames.image import InputImageRawFrame, OutputImageRawFrame
from wsframes.frames.lifecycle import InterruptionFrame
from wsframes.frames.mark import InputMarkFrame, OutputMarkFrame
from wsframes.frames.message import (
    InputDTMFFrame,
    InputTransportMessageFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.frames.payload import (
    content_problem,
    cost_problem_of_json,
    cost_problem_of_msgpack,
)
from wsframes.frames.shapes import (
    DTMF,
    DTMF_BUTTONS,
    MAX_AUDIO_S,
    MAX_CHANNELS,
    MAX_IMAGE_SIDE,
    MAX_MARK_CHARS,
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    Audio,
    Button,
    Image,
    Interruption,
    Mark,
    Message,
    Opus,
    Text,
    TypeOnly,
    audio_problem,
    image_problem,
    printable,
)
from wsframes.frames.text import TextFrame

__all__ = [
    "DTMF_BUTTONS",
    "MAX_AUDIO_S",
    "MAX_CHANNELS",
    "MAX_IMAGE_SIDE",
    "MAX_SAMPLE_RATE",
    "MIN_SAMPLE_RATE",
    "AudioPacker",
    "audio_problem",
    "decode_json",
    "decode_message",
    "decode_msgpack",
    "encode_json",
    "encode_message",
    "encode_msgpack",
]

_FromClient: TypeAlias = Audio | Opus | Image | Text | Message | DTMF | Mark
_FromServer: TypeAlias = _FromClient | Interruption
_TYPES_FROM_CLIENT: Final = ("audio", "dtmf", "image", "mark", "message", "opus", "text")
_TYPES_FROM_SERVER: Final = (*_TYPES_FROM_CLIENT, "interruption")


class _Format(NamedTuple):
    encode: Callable[[Any], bytes]
    from_client: Callable[[Any], _FromClient]
    from_server: Callable[[Any], _FromServer]
    type_only: Callable[[Any], TypeOnly]
    message: Callable[[bytes], Any]
    message_cost_problem: Callable[[bytes], str | None]


_MSGPACK: Final = _Format(
    msgspec.msgpack.Encoder().encode,
    msgspec.msgpack.Decoder(_FromClient).decode,
    msgspec.msgpack.Decoder(_FromServer).decode,
    msgspec.msgpack.Decoder(TypeOnly).decode,
    msgspec.msgpack.Decoder().decode,
    cost_problem_of_msgpack,
)
# msgspec takes 7 us for a float of 6 characters where it is next to 0 or to infinity; float, 0.3.
_JSON: Final = _Format(
    msgspec.json.Encoder().encode,
    msgspec.json.Decoder(_FromClient).decode,
    msgspec.json.Decoder(_FromServer).decode,
    msgspec.json.Decoder(TypeOnly).decode,
    msgspec.json.Decoder(float_hook=float).decode,
    cost_problem_of_json,
)

# What these decoders raise for bytes that they do not understand.
_REFUSALS: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class AudioPacker(Protocol):
    """Makes packets of audio and audio of packets. Keeps the state of both ways."""

    def pack(
        self, audio: bytes, sample_rate: int, num_channels: int, destination: str | None
    ) -> list[bytes]:
        """Packets that last as long as this audio, or a little longer.

        Raises:
            ValueError: the format cannot be packed.
        """

    def unpack(
        self,
        packets: list[bytes],
        num_frames: int,
        sample_rate: int,
        num_channels: int,
        source: str | None,
    ) -> bytes:
        """The first `num_frames` samples per channel of what the packets hold.

        Raises:
            ValueError: they are no packets, or hold less, or more than a message may.
        """


def encode_msgpack(
    frame: Frame, *, client: bool = False, packer: AudioPacker | None = None
) -> bytes | None:
    """A frame as a binary message, or None if frames of its type do not cross the wire.

    Args:
        frame: any frame.
        client: whether this end is the client's.
        packer: packs the audio; None: it goes as PCM.

    Raises:
        EncodeError: the frame holds something that the other end would have to refuse.
    """
    return _encode(_MSGPACK, frame, client, packer)


def decode_msgpack(
    data: bytes, *, client: bool = False, packer: AudioPacker | None = None
) -> Frame:
    """The frame in a binary message.

    Args:
        data: what the peer sent.
        client: whether this end is the client's.
        packer: unpacks audio; None: packed audio is refused.

    Raises:
        DecodeError: the message is not one of the table above.
    """
    return _decode(_MSGPACK, data, client, packer)


def encode_json(
    frame: Frame, *, client: bool = False, packer: AudioPacker | None = None
) -> str | None:
    """As `encode_msgpack`, as a text message."""
    encoded = _encode(_JSON, frame, client, packer)
    return None if encoded is None else encoded.decode()


def decode_json(
    data: bytes | str, *, client: bool = False, packer: AudioPacker | None = None
) -> Frame:
    """As `decode_msgpack`, of JSON."""
    return _decode(_JSON, data, client, packer)


def encode_message(message: object) -> str:
    """An application's message as JSON, with nothing around it.

    Raises:
        EncodeError: it is not JSON-like; see `payload`.
    """
    problem = content_problem(message)
    if problem is not None:
        raise EncodeError(problem)
    try:
        return _JSON.encode(message).decode()
    except (TypeError, ValueError) as error:
        raise EncodeError(f"message: {error}") from error


def decode_message(data: bytes | str) -> Any:
    """An application's message in JSON, with nothing around it.

    Raises:
        DecodeError: it is not JSON, or more of it than a message may have.
    """
    problem: str | None
    try:
        encoded = data.encode() if isinstance(data, str) else data
        value, problem = _decode_message(_JSON, encoded)
        if problem is None:
            return value
    except _REFUSALS as error:
        problem = _explain(error)
    raise DecodeError(problem)


def _encode(wire: _Format, frame: Frame, client: bool, packer: AudioPacker | None) -> bytes | None:
    problem = None
    name = frame.transport_destination
    destination = UNSET if name is None else name
    try:
        if isinstance(frame, OutputAudioRawFrame):
            problem = audio_problem(len(frame.audio), frame.sample_rate, frame.num_channels)
            if packer is not None and problem is None:
                return wire.encode(_packed(frame, packer))
            if problem is None:
                return wire.encode(
                    Audio(
                        audio=frame.audio,
                        sample_rate=frame.sample_rate,
                        num_channels=frame.num_channels,
                        destination=destination,
                    )
                )
        elif isinstance(frame, InterruptionFrame):
            return None if client else wire.encode(Interruption())
        elif isinstance(frame, OutputImageRawFrame):
            problem = image_problem(frame.image, frame.size, frame.format)
            if problem is None:
                return wire.encode(
                    Image(
                        image=frame.image,
                        size=frame.size,
                        format=frame.format,
                        destination=destination,
                    )
                )
        elif isinstance(frame, TextFrame):
            return wire.encode(Text(text=frame.text, destination=destination))
        elif isinstance(frame, TransportMessageFrame | TransportMessageUrgentFrame):
            problem = content_problem(frame.message)
            if problem is None:
                message = msgspec.Raw(wire.encode(frame.message))
                return wire.encode(Message(message=message, destination=destination))
        elif isinstance(frame, OutputDTMFFrame | OutputDTMFUrgentFrame):
            if frame.button in DTMF_BUTTONS:
                button = cast("Button", frame.button)
                return wire.encode(DTMF(button=button, destination=destination))
            problem = f"button is not one of {' '.join(DTMF_BUTTONS)}"
        elif isinstance(frame, OutputMarkFrame):
            if len(frame.mark) <= MAX_MARK_CHARS:
                return wire.encode(Mark(mark=frame.mark, destination=destination))
            problem = f"a mark of {len(frame.mark)} characters, where {MAX_MARK_CHARS} are the most"
        else:
            return None
    except (TypeError, ValueError) as error:
        raise EncodeError(f"{frame.name}: {error}") from error
    raise EncodeError(f"{frame.name}: {problem}")


def _packed(frame: OutputAudioRawFrame, packer: AudioPacker) -> Opus:
    name = frame.transport_destination
    return Opus(
        packets=packer.pack(frame.audio, frame.sample_rate, frame.num_channels, name),
        num_frames=frame.num_frames,
        sample_rate=frame.sample_rate,
        num_channels=frame.num_channels,
        destination=UNSET if name is None else name,
    )


def _decode(wire: _Format, data: bytes | str, client: bool, packer: AudioPacker | None) -> Frame:
    problem: str | None
    try:
        message = wire.from_server(data) if client else wire.from_client(data)
        # What the server calls a destination is a source to its client. The other way round a
        # peer could make up sources without end.
        name = message.destination
        source = name if client and isinstance(name, str) else None
        if isinstance(message, Audio):
            audio, rate, channels = message.audio, message.sample_rate, message.num_channels
            problem = audio_problem(len(audio), rate, channels)
            if problem is None:
                return InputAudioRawFrame(audio, rate, channels, transport_source=source)
        elif isinstance(message, Image):
            image, size, pixel_format = message.image, message.size, message.format
            problem = image_problem(image, size, pixel_format)
            if problem is None:
                return InputImageRawFrame(image, size, pixel_format, transport_source=source)
        elif isinstance(message, Text):
            return TextFrame(message.text, transport_source=source)
        elif isinstance(message, Message):
            value, problem = _decode_message(wire, bytes(message.message))
            if problem is None:
                return InputTransportMessageFrame(value, transport_source=source)
        elif isinstance(message, DTMF):
            return InputDTMFFrame(message.button, transport_source=source)
        elif isinstance(message, Mark):
            return InputMarkFrame(message.mark, transport_source=source)
        elif isinstance(message, Opus):
            if packer is not None:
                rate, channels = message.sample_rate, message.num_channels
                audio = packer.unpack(message.packets, message.num_frames, rate, channels, source)
                return InputAudioRawFrame(audio, rate, channels, transport_source=source)
            problem = "audio in Opus, which this end was not told to take"
        else:
            return InterruptionFrame()
    except _REFUSALS as error:
        problem = _unknown_type(wire, data, client) or _explain(error)
    # Outside of the handler: an error that hung on to the decoder's would bring its text, and so
    # the peer's, into every traceback.
    raise DecodeError(problem)


def _decode_message(wire: _Format, encoded: bytes) -> tuple[Any, str | None]:
    problem = wire.message_cost_problem(encoded)
    if problem is not None:
        return None, problem
    value = wire.message(encoded)
    return value, content_problem(value)


def _unknown_type(wire: _Format, data: bytes | str, client: bool) -> str | None:
    known = _TYPES_FROM_SERVER if client else _TYPES_FROM_CLIENT
    try:
        named = wire.type_only(data).type
    except _REFUSALS:
        return None
    if named in known:
        return None
    return f"unknown type '{printable(named)}'; known are {', '.join(known)}"


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "message is nested far too deep"
    return printable(str(error))
