"""Raw images in the size and the format that is wanted."""

from wsframes.frames import OutputImageRawFrame
from wsframes.frames.shapes import PIXEL_BYTES, image_problem
from wsframes.video.pillow import Image

__all__ = ["fit"]

# Between values of these, what lies in the middle is not the colour in the middle; and from some of
# them Pillow knows the way to RGB only.
_THROUGH_RGB = ("CMYK", "HSV", "LAB", "YCbCr")


def fit(
    frame: OutputImageRawFrame, size: tuple[int, int], pixel_format: str
) -> OutputImageRawFrame:
    """A raw image, stretched to a size and in a format; itself where it has both.

    Takes some milliseconds, most of them without Python's global lock: call it in a thread.

    Args:
        frame: the image; one that is encoded is refused.
        size: width and height in pixels.
        pixel_format: a Pillow mode, one of `PIXEL_BYTES`. Transparency is cut off where the format
            has none.

    Raises:
        ValueError: the frame's bytes are not what its size and format say, or its pixels are
            encoded.
    """
    if frame.format is None:
        raise ValueError("the image is encoded: give its pixels and their format")
    problem = image_problem(frame.image, frame.size, frame.format)
    if problem is not None:
        raise ValueError(problem)
    if frame.size == size and frame.format == pixel_format:
        return frame
    assert pixel_format in PIXEL_BYTES
    image = Image.frombytes(frame.format, frame.size, frame.image)
    if frame.format in _THROUGH_RGB and frame.format != pixel_format:
        image = image.convert("RGB")
    if frame.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    if image.mode != pixel_format:
        image = image.convert(pixel_format)
    return frame.replace(image=image.tobytes(), size=size, format=pixel_format)
