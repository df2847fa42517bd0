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
| interruption |                                      | InterruptionFrame     | never              |

Messages that are for a destination other than the default one have its name as `destination`. A
client reads it as `transport_source`; a server ignores it. Fields that a receiver does not know
are ignored, so that a newer peer can be understood.

The shapes are types of their own beside the frames: a peer cannot name an id, a time, metadata or
any other frame, because there is no field or type for it.

Both ends use the same functions: what goes out are output frames, what comes in are input frames,
whosever end it is. The one difference is `client=True`: only clients take interruptions.

Whatever the bytes, decoding gives a frame or raises `DecodeError`, within 10 ms and 20 ns a byte.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias, cast, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from wsframes.frames.base import Frame
from wsframes.frames.image import InputImageRawFrame, OutputImageRawFrame
from wsframes.frames.lifecycle import InterruptionFrame
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
from wsframes.frames.text import TextFrame

__all__ = [
    "DTMF_BUTTONS",
    "MAX_AUDIO_S",
    "MAX_CHANNELS",
    "MAX_IMAGE_SIDE",
    "MAX_SAMPLE_RATE",
    "MIN_SAMPLE_RATE",
    "audio_problem",
    "decode_json",
    "decode_message",
    "decode_msgpack",
    "encode_json",
    "encode_message",
    "encode_msgpack",
]

MIN_SAMPLE_RATE: Final = 8000
MAX_SAMPLE_RATE: Final = 192000
MAX_CHANNELS: Final = 8
MAX_AUDIO_S: Final = 2
"""Audio in one message; more than that is for several."""
MAX_IMAGE_SIDE: Final = 8192
"""Pixels."""
_Button: TypeAlias = Literal[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", "A", "B", "C", "D"
]
DTMF_BUTTONS: Final[tuple[str, ...]] = get_args(_Button)

# Bytes a pixel of the raw formats. Others have no fixed size, or need a palette beside the pixels.
_PIXEL_BYTES: Final = {
    "L": 1,
    "LA": 2,
    "RGB": 3,
    "YCbCr": 3,
    "HSV": 3,
    "LAB": 3,
    "RGBA": 4,
    "RGBX": 4,
    "CMYK": 4,
}

_Side: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_IMAGE_SIDE)]


class _Wire(msgspec.Struct, gc=False, kw_only=True, tag_field="type"):
    destination: str | UnsetType = UNSET


class _Audio(_Wire, gc=False, kw_only=True, tag="audio"):
    sample_rate: Annotated[int, Meta(ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE)]
    num_channels: Annotated[int, Meta(ge=1, le=MAX_CHANNELS)] = 1
    audio: bytes


class _Image(_Wire, gc=False, kw_only=True, tag="image"):
    size: tuple[_Side, _Side]
    format: str | None = None
    image: bytes


class _Text(_Wire, gc=False, kw_only=True, tag="text"):
    text: str


class _Message(_Wire, gc=False, kw_only=True, tag="message"):
    message: msgspec.Raw


class _DTMF(_Wire, gc=False, kw_only=True, tag="dtmf"):
    button: _Button


class _Interruption(_Wire, gc=False, kw_only=True, tag="interruption"):
    pass


class _TypeOnly(msgspec.Struct):
    type: str


_FromClient: TypeAlias = _Audio | _Image | _Text | _Message | _DTMF
_FromServer: TypeAlias = _FromClient | _Interruption
_TYPES_FROM_CLIENT: Final = ("audio", "dtmf", "image", "message", "text")
_TYPES_FROM_SERVER: Final = (*_TYPES_FROM_CLIENT, "interruption")


class _Format(NamedTuple):
    encode: Callable[[Any], bytes]
    from_client: Callable[[Any], _FromClient]
    from_server: Callable[[Any], _FromServer]
    type_only: Callable[[Any], _TypeOnly]
    message: Callable[[bytes], Any]
    message_cost_problem: Callable[[bytes], str | None]


_MSGPACK: Final = _Format(
    msgspec.msgpack.Encoder().encode,
    msgspec.msgpack.Decoder(_FromClient).decode,
    msgspec.msgpack.Decoder(_FromServer).decode,
    msgspec.msgpack.Decoder(_TypeOnly).decode,
    msgspec.msgpack.Decoder().decode,
    cost_problem_of_msgpack,
)
# msgspec takes 7 us for a float of 6 characters where it is next to 0 or to infinity; float, 0.3.
_JSON: Final = _Format(
    msgspec.json.Encoder().encode,
    msgspec.json.Decoder(_FromClient).decode,
    msgspec.json.Decoder(_FromServer).decode,
    msgspec.json.Decoder(_TypeOnly).decode,
    msgspec.json.Decoder(float_hook=float).decode,
    cost_problem_of_json,
)

# What these decoders raise for bytes that they do not understand.
_REFUSALS: Final = (msgspec.MsgspecError, ValueError, RecursionError)


def encode_msgpack(frame: Frame, *, client: bool = False) -> bytes | None:
    """A frame as a binary message, or None if frames of its type do not cross the wire.

    Args:
        frame: any frame.
        client: whether this end is the client's.

    Raises:
        EncodeError: the frame holds something that the other end would have to refuse.
    """
    return _encode(_MSGPACK, frame, client)


def decode_msgpack(data: bytes, *, client: bool = False) -> Frame:
    """The frame in a binary message.

    Args:
        data: what the peer sent.
        client: whether this end is the client's.

    Raises:
        DecodeError: the message is not one of the table above.
    """
    return _decode(_MSGPACK, data, client)


def encode_json(frame: Frame, *, client: bool = False) -> str | None:
    """As `encode_msgpack`, as a text message."""
    encoded = _encode(_JSON, frame, client)
    return None if encoded is None else encoded.decode()


def decode_json(data: bytes | str, *, client: bool = False) -> Frame:
    """As `decode_msgpack`, of JSON."""
    return _decode(_JSON, data, client)


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


def audio_problem(audio_bytes: int, sample_rate: int, num_channels: int) -> str | None:
    """Say why so much audio in this format may not be one message, or None if it may."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        return f"sample_rate is {sample_rate}, not {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
    if not 1 <= num_channels <= MAX_CHANNELS:
        return f"num_channels is {num_channels}, not 1 to {MAX_CHANNELS}"
    most = MAX_AUDIO_S * 2 * num_channels * sample_rate
    if audio_bytes > most:
        return (
            f"{audio_bytes} bytes of audio in one message, where {MAX_AUDIO_S} s, {most} bytes, "
            f"are the most"
        )
    return None


def _image_problem(image: bytes, size: tuple[int, int], pixel_format: str | None) -> str | None:
    width, height = size
    if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
        return f"image of {width} x {height} pixels, where a side is 1 to {MAX_IMAGE_SIDE}"
    if pixel_format is None:
        return None
    if pixel_format not in _PIXEL_BYTES:
        return (
            f"image format '{_printable(pixel_format)}' is none of {', '.join(_PIXEL_BYTES)} "
            f"(encoded images have none)"
        )
    expected = width * height * _PIXEL_BYTES[pixel_format]
    if len(image) != expected:
        return (
            f"image has {len(image)} bytes, but {width} x {height} pixels in {pixel_format} "
            f"are {expected}"
        )
    return None


def _encode(wire: _Format, frame: Frame, client: bool) -> bytes | None:
    problem = None
    name = frame.transport_destination
    destination = UNSET if name is None else name
    try:
        if isinstance(frame, OutputAudioRawFrame):
            problem = audio_problem(len(frame.audio), frame.sample_rate, frame.num_channels)
            if problem is None:
                return wire.encode(
                    _Audio(
                        audio=frame.audio,
                        sample_rate=frame.sample_rate,
                        num_channels=frame.num_channels,
                        destination=destination,
                    )
                )
        elif isinstance(frame, InterruptionFrame):
            return None if client else wire.encode(_Interruption())
        elif isinstance(frame, OutputImageRawFrame):
            problem = _image_problem(frame.image, frame.size, frame.format)
            if problem is None:
                return wire.encode(
                    _Image(
                        image=frame.image,
                        size=frame.size,
                        format=frame.format,
                        destination=destination,
                    )
                )
        elif isinstance(frame, TextFrame):
            return wire.encode(_Text(text=frame.text, destination=destination))
        elif isinstance(frame, TransportMessageFrame | TransportMessageUrgentFrame):
            problem = content_problem(frame.message)
            if problem is None:
                message = msgspec.Raw(wire.encode(frame.message))
                return wire.encode(_Message(message=message, destination=destination))
        elif isinstance(frame, OutputDTMFFrame | OutputDTMFUrgentFrame):
            if frame.button in DTMF_BUTTONS:
                button = cast("_Button", frame.button)
                return wire.encode(_DTMF(button=button, destination=destination))
            problem = f"button is not one of {' '.join(DTMF_BUTTONS)}"
        else:
            return None
    except (TypeError, ValueError) as error:
        raise EncodeError(f"{frame.name}: {error}") from error
    raise EncodeError(f"{frame.name}: {problem}")


def _decode(wire: _Format, data: bytes | str, client: bool) -> Frame:
    problem: str | None
    try:
        message = wire.from_server(data) if client else wire.from_client(data)
        # What the server calls a destination is a source to its client. The other way round a
        # peer could make up sources without end.
        name = message.destination
        source = name if client and isinstance(name, str) else None
        if isinstance(message, _Audio):
            audio, rate, channels = message.audio, message.sample_rate, message.num_channels
            problem = audio_problem(len(audio), rate, channels)
            if problem is None:
                return InputAudioRawFrame(audio, rate, channels, transport_source=source)
        elif isinstance(message, _Image):
            image, size, pixel_format = message.image, message.size, message.format
            problem = _image_problem(image, size, pixel_format)
            if problem is None:
                return InputImageRawFrame(image, size, pixel_format, transport_source=source)
        elif isinstance(message, _Text):
            return TextFrame(message.text, transport_source=source)
        elif isinstance(message, _Message):
            value, problem = _decode_message(wire, bytes(message.message))
            if problem is None:
                return InputTransportMessageFrame(value, transport_source=source)
        elif isinstance(message, _DTMF):
            return InputDTMFFrame(message.button, transport_source=source)
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
    return f"unknown type '{_printable(named)}'; known are {', '.join(known)}"


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "message is nested far too deep"
    return _printable(str(error))


def _printable(text: str) -> str:
    """At most 120 ASCII characters of what a peer may have chosen."""
    escaped = text[:121].encode("unicode_escape").decode("ascii")
    return escaped if len(escaped) <= 120 else escaped[:117] + "..."
