"""What is fuzzed, and what must hold whatever the input: a frame, None, or a `DecodeError`."""

from collections.abc import Callable
from pathlib import Path

from wsframes.exceptions import DecodeError
from wsframes.frames import Frame, OutputAudioRawFrame, TextFrame, TransportMessageFrame
from wsframes.serializers import (
    FrameSerializer,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
    TwilioFrameSerializer,
)

__all__ = ["CORPUS", "TARGETS", "check", "corpus", "seeds"]

CORPUS = Path(__file__).parent / "corpus"

TARGETS: dict[str, Callable[[], FrameSerializer]] = {
    "msgpack": lambda: MsgpackFrameSerializer(marks=True),
    "msgpack-client": lambda: MsgpackFrameSerializer(client=True),
    "msgpack-opus": lambda: MsgpackFrameSerializer(opus=True),
    "json": lambda: JsonFrameSerializer(marks=True),
    "json-client": lambda: JsonFrameSerializer(client=True),
    "raw": RawAudioSerializer,
    "twilio": TwilioFrameSerializer,
}

_MAX_ERROR_BYTES = 256
_FROM_CLIENTS = (
    OutputAudioRawFrame(bytes(640), 16000, 1),
    TextFrame("grüß dich"),
    TransportMessageFrame({"a": [1, 2.5, None, True, "x"], "b": {"": {}}}),
)
_FROM_TWILIO = (
    b'{"event":"connected","protocol":"Call","version":"1.0.0"}',
    (
        b'{"event":"start","sequenceNumber":"1","start":{"streamSid":"MZ1","callSid":"CA1",'
        b'"customParameters":{"a":"b"}},"streamSid":"MZ1"}'
    ),
    b'{"event":"media","media":{"track":"inbound","chunk":"1","payload":"//7+/w=="}}',
    b'{"event":"dtmf","dtmf":{"track":"inbound_track","digit":"1"}}',
    b'{"event":"mark","mark":{"name":"bot:1"}}',
    b'{"event":"stop","stop":{"callSid":"CA1"}}',
)


def check(serializer: FrameSerializer, data: bytes) -> str:
    """Decode it as binary and as text; says what came of the first. Anything else is a find."""
    outcomes = []
    for message in (data, data.decode(errors="replace")):
        try:
            frame = serializer.deserialize(message)
        except DecodeError as error:
            if len(str(error).encode()) > _MAX_ERROR_BYTES:
                raise AssertionError(f"an error of {len(str(error))} characters") from error
            outcomes.append("refused")
        else:
            assert frame is None or isinstance(frame, Frame), type(frame)
            assert frame is None or frame.pts is None
            outcomes.append("frame")
    return outcomes[0]


def corpus(name: str) -> list[bytes]:
    """What the fuzzer has kept of a target."""
    lines = (CORPUS / f"{name}.txt").read_text(encoding="ascii").split()
    return [bytes.fromhex(line) for line in lines]


def seeds(name: str) -> list[bytes]:
    """Messages as a peer sends them, for a target to begin with."""
    if name == "raw":
        return [bytes(640), b'{"a": 1}']
    if name == "twilio":
        return list(_FROM_TWILIO)
    kind = JsonFrameSerializer if name.startswith("json") else MsgpackFrameSerializer
    peer = MsgpackFrameSerializer(opus=True) if name == "msgpack-opus" else kind()
    messages = [peer.serialize(frame) for frame in _FROM_CLIENTS]
    return [
        message.encode() if isinstance(message, str) else message
        for message in messages
        if message is not None
    ]
