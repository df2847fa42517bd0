"""Logs which frames pass."""

import logging
from collections.abc import Iterable

from wsframes.frames import (
    AudioRawFrame,
    BotSpeakingFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    ImageRawFrame,
)
from wsframes.graph import FrameProcessor

__all__ = ["FrameLogger"]

logger = logging.getLogger("wsframes.processors")

# Many a second, and none of them news.
_FREQUENT = (AudioRawFrame, ImageRawFrame, BotSpeakingFrame, HeartbeatFrame)


class FrameLogger(FrameProcessor):
    """Passes every frame on, and logs its name, size and way to `wsframes.processors`.

    Never what is in it: a log must not hold what users say. A frame that is not logged costs one
    comparison.

    Args:
        prefix: says in the log which logger it is.
        ignored_frame_types: types that are not logged; frequent ones by default.
        level: of the log records.
        name: for errors and statistics.
    """

    def __init__(
        self,
        prefix: str = "Frame",
        *,
        ignored_frame_types: Iterable[type[Frame]] = _FREQUENT,
        level: int = logging.DEBUG,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._prefix = prefix
        self._ignored = tuple(ignored_frame_types)
        self._level = level

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if logger.isEnabledFor(self._level) and not isinstance(frame, self._ignored):
            arrow = ">" if direction is FrameDirection.DOWNSTREAM else "<"
            logger.log(
                self._level,
                "%s %s: %s, %d bytes",
                arrow,
                self._prefix,
                frame.name,
                frame.payload_bytes,
            )
        self.push_frame_nowait(frame, direction)
