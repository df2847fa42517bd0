"""Frames as JSON: a third larger than MessagePack, and readable in every browser's console."""

from wsframes.frames import Frame
from wsframes.frames.codec import decode_json, encode_json
from wsframes.serializers.base import (
    FrameSerializer,
    FrameSerializerType,
    SerializerSettings,
    VideoDecoder,
    VideoEncoder,
)
from wsframes.serializers.images import JpegImages
from wsframes.serializers.packing import packer_for

__all__ = ["JsonFrameSerializer"]


class JsonFrameSerializer(FrameSerializer):
    """Sends text messages, as `wsframes.frames.codec` lists them. Keeps nothing, without Opus: may
    be shared.

    Bytes are base64. A binary message from the peer is read as JSON too: many clients write UTF-8
    without saying that it is text.

    Args:
        client: this end is the client's: interruptions are read, and not sent.
        opus: audio crosses in Opus, both ways, at `audio_out_bitrate` (extra `opus`). Such a
            serializer serves one session, and is refused by a second one. Audio that the peer sends
            as PCM is read all the same.
        marks: the peer answers marks; see `FrameSerializer`.
        jpeg: images cross in JPEG, both ways, at `video_out_bitrate` (extra `video`). Those that
            the peer sends as pixels are read all the same.

    Raises:
        MissingExtraError: `opus` or `jpeg` without the extra.
    """

    type = FrameSerializerType.TEXT

    def __init__(
        self,
        *,
        client: bool = False,
        opus: bool = False,
        marks: bool = False,
        jpeg: bool = False,
    ) -> None:
        self._client = client
        self.encodes_audio = self.serves_one_session = opus
        self.has_marks = marks
        self._packer = packer_for(SerializerSettings()) if opus else None
        self._images = JpegImages(_message_bytes) if jpeg else None

    def configure(self, settings: SerializerSettings) -> None:
        if self.encodes_audio:
            self._packer = packer_for(settings)

    def video_encoder(self, bitrate: int, framerate: int) -> VideoEncoder | None:
        return None if self._images is None else self._images.encoder(bitrate, framerate)

    @property
    def video_decoder(self) -> VideoDecoder | None:
        return None if self._images is None else self._images.decoded

    def serialize(self, frame: Frame) -> str | None:
        if self._images is not None:
            frame = self._images.encoded(frame)
        return encode_json(frame, client=self._client, packer=self._packer)

    def deserialize(self, data: str | bytes) -> Frame:
        return decode_json(data, client=self._client, packer=self._packer)


# What is in a message beside the image, with a destination's name.
_ENVELOPE_BYTES = 96


def _message_bytes(size_bytes: int) -> int:
    return (size_bytes + 2) // 3 * 4 + _ENVELOPE_BYTES
