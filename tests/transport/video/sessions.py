"""Sessions that show pictures of one pixel, by which they are told apart on the wire."""

from typing import Any

from tests.transport.sessions import RATE, Session
from wsframes import Frame, OutputAudioRawFrame, OutputImageRawFrame, SpriteFrame
from wsframes.serializers import RawAudioSerializer, VideoEncoder
from wsframes.testing import MemoryPeer

__all__ = ["Pictures", "image", "shown", "sprite", "video_session"]


class Pictures(RawAudioSerializer):
    """Bare PCM; of an image its name, and its destination before it.

    Args:
        encoder: of the images.
    """

    def __init__(self, encoder: VideoEncoder | None = None) -> None:
        super().__init__(RATE)
        self._encoder = encoder
        self.asked: list[tuple[int, int]] = []

    def video_encoder(self, bitrate: int, framerate: int) -> VideoEncoder | None:
        self.asked.append((bitrate, framerate))
        return self._encoder

    def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputImageRawFrame):
            where = f"{frame.transport_destination}:" if frame.transport_destination else ""
            return where + frame.image.decode()
        return frame.audio if isinstance(frame, OutputAudioRawFrame) else None


def video_session(serializer: Any = ..., **params: Any) -> Session:
    """A session of one pixel at ten images a second."""
    defaults: dict[str, Any] = {
        "serializer": Pictures() if serializer is ... else serializer,
        "video_out_enabled": True,
        "video_out_width": 1,
        "video_out_height": 1,
        "video_out_color_format": "L",
        "video_out_framerate": 10,
    }
    return Session(**defaults | params)


def image(name: str, **common: Any) -> OutputImageRawFrame:
    return OutputImageRawFrame(name.encode(), (1, 1), "L", **common)


def sprite(names: str, **common: Any) -> SpriteFrame:
    return SpriteFrame([image(name) for name in names], **common)


def shown(peer: MemoryPeer, since_s: float = 0.0) -> list[tuple[float, str]]:
    """The names of the images that the peer has seen, each with its time."""
    return [
        (round(message.time_s - since_s, 6), message.data)
        for message in peer.received
        if isinstance(message.data, str)
    ]
