"""How long processors take."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from wsframes.frames import Frame, FrameDirection

__all__ = ["ProcessingMetrics"]


class ProcessingMetrics:
    """The time that one processor spent on frames, in seconds, waiting included.

    Attributes:
        frames: how many frames it processed.
        total_s: all of it.
        max_s: the longest.
    """

    __slots__ = ("frames", "max_s", "total_s")

    def __init__(self) -> None:
        self.frames = 0
        self.total_s = 0.0
        self.max_s = 0.0

    def measured(
        self, call: Callable[..., Any], clock: Callable[[], float] = anyio.current_time
    ) -> Callable[[Frame, FrameDirection], Any]:
        """A function with this clock around it."""

        def timed(frame: Frame, direction: FrameDirection) -> Any:
            begin_s = clock()
            try:
                return call(frame, direction)
            finally:
                self._add(clock() - begin_s)

        return timed

    def measured_async(
        self, call: Callable[..., Awaitable[Any]], clock: Callable[[], float] = anyio.current_time
    ) -> Callable[[Frame, FrameDirection], Awaitable[None]]:
        """A coroutine function with this clock around it."""

        async def timed(frame: Frame, direction: FrameDirection) -> None:
            begin_s = clock()
            try:
                await call(frame, direction)
            finally:
                self._add(clock() - begin_s)

        return timed

    def _add(self, seconds: float) -> None:
        self.frames += 1
        self.total_s += seconds
        self.max_s = max(self.max_s, seconds)
