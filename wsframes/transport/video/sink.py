"""What the images of an output are sent through."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from wsframes.frames import Frame

__all__ = ["VideoSink"]


class VideoSink(NamedTuple):
    """Three ways out.

    Attributes:
        write: sends an image; says why it was not taken, or None.
        pass_on: hands a picture on that has been shown.
        report: tells what is wrong with an image.
    """

    write: Callable[[Frame], Awaitable[str | None]]
    pass_on: Callable[[Frame], None]
    report: Callable[[str, Exception | None], None]
