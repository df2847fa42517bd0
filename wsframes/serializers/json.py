"""Frames as JSON: a third larger than MessagePack, and readable in every browser's console."""

from wsframes.frames import Frame
from wsframes.frames.codec import decode_json, encode_json
from wsframes.serializers.base import FrameSerializer, FrameSerializerType

__all__ = ["JsonFrameSerializer"]


class JsonFrameSerializer(FrameSerializer):
    """Sends text messages, as `wsframes.frames.codec` lists them. Keeps nothing: may be shared.

    Bytes are base64. A binary message from the peer is read as JSON too: many clients write UTF-8
    without saying that it is text.

    Args:
        client: this end is the client's: interruptions are read, and not sent.
    """

    type = FrameSerializerType.TEXT

    def __init__(self, *, client: bool = False) -> None:
        self._client = client

    def serialize(self, frame: Frame) -> str | None:
        return encode_json(frame, client=self._client)

    def deserialize(self, data: str | bytes) -> Frame:
        return decode_json(data, client=self._client)
