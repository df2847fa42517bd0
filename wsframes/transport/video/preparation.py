"""An image as it goes out: in size and format of the stream, and encoded where that is wanted."""

from wsframes.frames import OutputImageRawFrame
from wsframes.serializers import VideoEncoder
from wsframes.video import fit

__all__ = ["VideoPreparation"]

_MAX_KEPT_BYTES = 16 << 20


class VideoPreparation:
    """Prepares the images of one destination. Slow: call it in a thread, one call at a time.

    Args:
        size: width and height.
        pixel_format: a Pillow mode.
        encoder: of the serializer; None: raw images go out.
        repeats: whether an image may come again; then it is not resized again.
    """

    __slots__ = ("_encoder", "_format", "_kept", "_kept_bytes", "_repeats", "_size")

    def __init__(
        self,
        size: tuple[int, int],
        pixel_format: str,
        encoder: VideoEncoder | None,
        *,
        repeats: bool,
    ) -> None:
        self._size = size
        self._format = pixel_format
        self._encoder = encoder
        self._repeats = repeats
        # With the image itself, so that no other one gets its id.
        self._kept: dict[int, tuple[OutputImageRawFrame, OutputImageRawFrame]] = {}
        self._kept_bytes = 0

    def is_quick(self, image: OutputImageRawFrame) -> bool:
        """Whether it costs nothing, so that no thread is needed."""
        if image.format is None:
            return True
        if self._encoder is not None:
            return False
        return id(image) in self._kept or (image.size, image.format) == (self._size, self._format)

    def __call__(self, image: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        """What goes out; None: nothing, the bitrate has no room for it.

        An image that is encoded already goes out as it is.

        Raises:
            ValueError: the image's bytes are not what its size and format say.
            Exception: what the encoder raises.
        """
        if image.format is None:
            return image
        fitted = self._fit(image)
        return fitted if self._encoder is None else self._encoder(fitted, now_s)

    def _fit(self, image: OutputImageRawFrame) -> OutputImageRawFrame:
        kept = self._kept.get(id(image))
        if kept is not None:
            return kept[1]
        fitted = fit(image, self._size, self._format)
        if self._repeats and fitted is not image:
            self._keep(image, fitted)
        return fitted

    def _keep(self, image: OutputImageRawFrame, fitted: OutputImageRawFrame) -> None:
        size = len(fitted.image)
        if self._kept_bytes + size > _MAX_KEPT_BYTES:
            self._kept.clear()
            self._kept_bytes = 0
        self._kept[id(image)] = image, fitted
        self._kept_bytes += size
