"""Pictures, raw: rows from the top, no padding, in the Pillow mode that `format` names."""

from typing import ClassVar

from wsframes.frames.base import DataFrame, Frame, SystemFrame

__all__ = ["ImageRawFrame", "InputImageRawFrame", "OutputImageRawFrame", "SpriteFrame"]


class ImageRawFrame(Frame):
    """One picture; the base of the image frames.

    Attributes:
        image: the pixels.
        size: width and height in pixels.
        format: a Pillow mode such as "RGB", or None where the pixels are encoded.
    """

    image: bytes
    size: tuple[int, int]
    format: str | None = None

    @property
    def payload_bytes(self) -> int:
        return len(self.image)


class InputImageRawFrame(ImageRawFrame, SystemFrame):
    """A picture from the peer."""

    input_media: ClassVar[bool] = True


class OutputImageRawFrame(ImageRawFrame, DataFrame):
    """A picture for the peer."""


class SpriteFrame(DataFrame):
    """Pictures that are shown in turn, again and again, until another picture comes."""

    images: list[OutputImageRawFrame]

    @property
    def payload_bytes(self) -> int:
        return sum(image.payload_bytes for image in self.images)
