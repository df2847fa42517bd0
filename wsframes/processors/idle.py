"""Notices that some frames have not come for a while."""

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from wsframes.exceptions import UsageError
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    StartFrame,
    StopFrame,
)
from wsframes.graph import FrameProcessor

if TYPE_CHECKING:
    from wsframes.graph.timers import Timer

__all__ = ["IdleFrameProcessor"]


class IdleFrameProcessor(FrameProcessor):
    """Passes every frame on, and calls back when none has come for a time.

    Told once for each quiet period: the next one begins with the next frame that counts. The first
    begins with the start; after the end nothing is told. The time is kept by a timer of the run.

    Args:
        callback: called with this processor, `def` or `async def`, in a task of its own; what it
            raises becomes an `ErrorFrame`.
        timeout: seconds.
        types: the frame types that count; none: all but heartbeats. Frames that move either way
            count.
        name: for logs, errors and statistics.

    Raises:
        UsageError: the timeout is not positive.
    """

    def __init__(
        self,
        *,
        callback: Callable[["IdleFrameProcessor"], Any],
        timeout: float,
        types: Iterable[type[Frame]] = (),
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not timeout > 0:
            raise UsageError(f"timeout is {timeout!r}, not a positive number of seconds")
        self._callback = callback
        self._timeout_s = timeout
        self._types = tuple(types)
        self._last_s = 0.0
        self._timer: Timer | None = None

    def start(self, frame: StartFrame) -> None:
        self._timer = None
        self._heard()

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.push_frame_nowait(frame, direction)
        ends = isinstance(frame, EndFrame | StopFrame | CancelFrame)
        if ends and direction is FrameDirection.DOWNSTREAM:
            if self._timer is not None:
                self._timer.cancel()
        elif self._counts(frame):
            self._heard()

    def _counts(self, frame: Frame) -> bool:
        if self._types:
            return isinstance(frame, self._types)
        return not isinstance(frame, HeartbeatFrame)

    def _heard(self) -> None:
        self._last_s = self._wired().context.clock()
        if self._timer is None:
            self._watch()

    def _watch(self) -> None:
        context = self._wired().context
        self._timer = context.call_at(self._last_s + self._timeout_s, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._wired().context.clock() < self._last_s + self._timeout_s:
            self._watch()
        else:
            self.start_soon(self._tell, name=f"{self.name} callback")

    async def _tell(self) -> None:
        result = self._callback(self)
        if inspect.isawaitable(result):
            await result
