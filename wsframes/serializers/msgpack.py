"""Frames as MessagePack: compact, and the fastest way."""

from wsframes.frames import Frame
from wsframes.frames.codec import decode_json, decode_msgpack, encode_msgpack
from wsframes.serializers.base import FrameSerializer, FrameSerializerType

__all__ = ["MsgpackFrameSerializer"]


class MsgpackFrameSerializer(FrameSerializer):
    """Sends binary messages, as `wsframes.frames.codec` lists them. Keeps nothing: may be shared.

    A text message from the peer is read as JSON of the same shape, so that a peer which speaks
    MessagePack for its audio may write its other messages by hand.

    Args:
        client: this end is the client's: interruptions are read, and not sent.
    """

    type = FrameSerializerType.BINARY

    def __init__(self, *, client: bool = False) -> None:
        self._client = client

    def serialize(self, frame: Frame) -> bytes | None:
        return encode_msgpack(frame, client=self._client)

    def deserialize(self, data: str | bytes) -> Frame:
        if isinstance(data, str):
            return decode_json(data, client=self._client)
        return decode_msgpack(data, client=self._client)
