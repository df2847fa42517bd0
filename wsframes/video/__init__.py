"""Images: resized, encoded under a bitrate, decoded safely, each at its time.

Pure, and in need of the extra `video` (Pillow; simplejpeg is used where it is installed).
"""

from wsframes.video.frame_clock import FrameClock
from wsframes.video.jpeg import MAX_DECODED_PIXELS, JpegEncoder, decode_jpeg, encode_jpeg
from wsframes.video.picture import fit
from wsframes.video.rate import RateController

__all__ = [
    "FrameClock",
    "JpegEncoder",
    "MAX_DECODED_PIXELS",
    "RateController",
    "decode_jpeg",
    "encode_jpeg",
    "fit",
]
