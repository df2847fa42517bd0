"""Frames as MessagePack: compact, and the fastest way."""

from wsframes.frames import Frame
from wsframes.frames.codec import decode_json, decode_msgpack, encode_msgpack
from wsframes.serializers.base import FrameSerializer, FrameSerializerType, SerializerSettings
from wsframes.serializers.packing import packer_for

__all__ = ["MsgpackFrameSerializer"]


class MsgpackFrameSerializer(FrameSerializer):
    """Sends binary messages, as `wsframes.frames.codec` lists them. Keeps nothing, without Opus:
    may be shared.

    A text message from the peer is read as JSON of the same shape, so that a peer which speaks
    MessagePack for its audio may write its other messages by hand.

    Args:
        client: this end is the client's: interruptions are read, and not sent.
        opus: audio crosses in Opus, both ways, at `audio_out_bitrate` (extra `opus`). Such a
            serializer serves one session. Audio that the peer sends as PCM is read all the same.
        marks: the peer answers marks; see `FrameSerializer`.

    Raises:
        MissingExtraError: `opus` without the extra.
    """

    type = FrameSerializerType.BINARY

    def __init__(self, *, client: bool = False, opus: bool = False, marks: bool = False) -> None:
        self._client = client
        self.encodes_audio = opus
        self.has_marks = marks
        self._packer = packer_for(SerializerSettings()) if opus else None

    def configure(self, settings: SerializerSettings) -> None:
        if self.encodes_audio:
            self._packer = packer_for(settings)

    def serialize(self, frame: Frame) -> bytes | None:
        return encode_msgpack(frame, client=self._client, packer=self._packer)

    def deserialize(self, data: str | bytes) -> Frame:
        if isinstance(data, str):
            return decode_json(data, client=self._client, packer=self._packer)
        return decode_msgpack(data, client=self._client, packer=self._packer)
