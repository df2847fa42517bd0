"""Images in JPEG, for the serializers of our own wire."""

from collections.abc import Callable

from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import Frame, InputImageRawFrame, OutputImageRawFrame
from wsframes.serializers.base import VideoEncoder

__all__ = ["JpegImages"]


class JpegImages:
    """Both ways between pixels and JPEG. Keeps nothing: may be shared.

    Args:
        message_bytes: how large a message becomes that has a JPEG of so many bytes in it.

    Raises:
        MissingExtraError: the extra `video` is not installed.
    """

    def __init__(self, message_bytes: Callable[[int], int]) -> None:
        from wsframes.video import jpeg  # only who asks for it needs the extra

        self._jpeg = jpeg
        self._message_bytes = message_bytes

    def encoder(self, bitrate: int, framerate: int) -> VideoEncoder:
        """What encodes one stream of images under a bitrate."""
        return self._jpeg.JpegEncoder(bitrate, framerate, self._message_bytes)

    def encoded(self, frame: Frame) -> Frame:
        """The frame itself, or, of a raw image, one that holds its JPEG.

        For images that come past an encoder: those that a client sends.

        Raises:
            EncodeError: the frame's bytes are not what its size and format say.
        """
        if not isinstance(frame, OutputImageRawFrame) or frame.format is None:
            return frame
        try:
            return frame.replace(image=self._jpeg.encode_jpeg(frame), format=None)
        except ValueError as exc:
            raise EncodeError(f"{frame.name}: {exc}") from exc

    def decoded(self, frame: InputImageRawFrame) -> InputImageRawFrame:
        """The pixels of a peer's image, in RGB; itself if they are raw.

        Raises:
            DecodeError: it is no JPEG, or a very large one, or one of another size than the
                message says.
        """
        if frame.format is not None:
            return frame
        pixels, size = self._jpeg.decode_jpeg(frame.image)
        if size != frame.size:
            raise DecodeError(f"JPEG of {size[0]} x {size[1]} pixels in a message that says other")
        return frame.replace(image=pixels, format="RGB")
