"""What is used of Pillow, or the error that says how to get it."""

from wsframes.exceptions import MissingExtraError

try:
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile
except ImportError:
    raise MissingExtraError("Pillow", "video") from None

__all__ = ["Image", "JpegImageFile"]
