"""Passes the frames that a function of the user lets pass."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from wsframes.frames import Frame, FrameDirection, Lane
from wsframes.graph import FrameProcessor
from wsframes.processors.function import is_async
from wsframes.processors.passage import belongs_to_run

__all__ = ["FunctionFilter"]

DOWNSTREAM = FrameDirection.DOWNSTREAM


class FunctionFilter(FrameProcessor):
    """Asks a function about each frame, and drops those that it does not let pass.

    Lifecycle frames and heartbeats always pass, and frames that are not asked about do.

    Args:
        filter: called with the frame; true: it passes. With `def` the filter is a function, with
            `async def` it has a lane; an interruption cancels an answer that is awaited.
        direction: asks about frames that move this way; None: both ways.
        filter_system_frames: asks about system frames too.
        name: for logs, errors and statistics.
    """

    def __init__(
        self,
        filter: Callable[[Frame], bool | Awaitable[bool]],
        direction: FrameDirection | None = DOWNSTREAM,
        *,
        filter_system_frames: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._filter: Callable[[Frame], Any] = filter
        self._async = is_async(filter)
        self._direction = direction
        self._filter_system_frames = filter_system_frames
        self.dropped: Counter[str] = Counter()
        """Frames that did not pass, by the reason `filtered`."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
        if self._async:
            return self._wait_and_decide(frame, direction)
        if not self._asks_about(frame, direction) or self._filter(frame):
            self.push_frame_nowait(frame, direction)
        else:
            self.dropped["filtered"] += 1
        return None

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        if self._asks_about(frame, direction):
            return False
        self.push_frame_nowait(frame, direction)
        return True

    async def _wait_and_decide(self, frame: Frame, direction: FrameDirection) -> None:
        if not self._asks_about(frame, direction) or await self._filter(frame):
            await self.push_frame(frame, direction)
        else:
            self.dropped["filtered"] += 1

    def _asks_about(self, frame: Frame, direction: FrameDirection) -> bool:
        return (
            (self._direction is None or direction is self._direction)
            and (self._filter_system_frames or frame.lane is not Lane.SYSTEM)
            and not belongs_to_run(frame)
        )

    def _is_lane(self) -> bool:
        return self._async or super()._is_lane()
