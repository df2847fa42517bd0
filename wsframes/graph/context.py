"""What all parts of one run share: dispatcher, timers, background tasks, and the way to end it."""

import math
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakSet

import anyio
import msgspec
from anyio.abc import TaskGroup

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.dispatcher import Dispatcher, Target
from wsframes.graph.drain import Drain
from wsframes.graph.events import EventHandlers, EventQueue
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.timers import Timer, Timers

__all__ = ["RunContext"]


Observed = Callable[[str, str, Target], Target]


def _unobserved(source: str, destination: str, target: Target) -> Target:
    return target


class RunContext:
    """One run, as its processors see it.

    Args:
        task_group: where background work and lanes live.
        events: tells the handlers of every part of the run.
        drain_stall_s: how long an end may make no progress.
    """

    def __init__(
        self, task_group: TaskGroup, events: EventQueue, drain_stall_s: float = 5.0
    ) -> None:
        self.dispatcher = Dispatcher()
        self.events = events
        self.observed: Observed = _unobserved
        """Puts observers between two places of the graph; hands the target back without any."""
        self.result: RunResult | None = None
        """How the run ends, once that is decided; the first cause wins."""
        self.metrics: dict[str, ProcessingMetrics] | None = None
        """The clocks of the processors, where they are measured."""
        self._task_group = task_group
        self._timers = Timers()
        self._wake = anyio.Event()
        self._wake_at_s = math.inf
        self.drain = Drain(drain_stall_s, self._watch_drain)
        # Lifecycle frames that the graph itself is moving, by direction.
        self._moving: dict[FrameDirection, WeakSet[Frame]] = {
            direction: WeakSet() for direction in FrameDirection
        }

    def start_soon(
        self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any, name: object = None
    ) -> None:
        """Start a task that lives at most as long as the run."""
        self._task_group.start_soon(func, *args, name=name)

    def emit(self, handlers: EventHandlers, name: str, *args: Any) -> None:
        self.events.emit(handlers, name, *args)

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Run a callback at a time of `anyio.current_time()`. It must not wait."""
        timer = self._timers.call_at(due_s, callback)
        if due_s < self._wake_at_s:
            self._wake.set()
        return timer

    def finish(
        self,
        reason: EndReason,
        *,
        close_code: int | None = None,
        error: BaseException | str | None = None,
        stuck: str | None = None,
    ) -> None:
        """End the run, unless its end is decided already. Never waits."""
        if self.result is None:
            self.result = RunResult(
                reason=reason, close_code=close_code, error=error, stuck=stuck
            )
            self._wake.set()

    def add_to_result(self, *, close_code: int | None = None, stuck: str | None = None) -> None:
        """Complete a result that is decided, where it does not say these yet."""
        if self.result is not None:
            self.result = msgspec.structs.replace(
                self.result,
                close_code=self.result.close_code if close_code is None else close_code,
                stuck=self.result.stuck or stuck,
            )

    def enter(self, frame: Frame, direction: FrameDirection) -> bool:
        """Note a lifecycle frame that was pushed; False if the graph is moving it already."""
        moving = self._moving[direction]
        if frame in moving:
            return False
        moving.add(frame)
        return True

    async def run_timers(self) -> RunResult:
        """Run what is due until the run's end is decided."""
        while self.result is None:
            self._wake = anyio.Event()
            self._wake_at_s = self._timers.next_due_s()
            with anyio.CancelScope(deadline=self._wake_at_s):
                await self._wake.wait()
            self._timers.run_due(anyio.current_time())
        return self.result

    def _watch_drain(self) -> None:
        if anyio.current_time() >= self.drain.stalls_at_s:
            self.finish(
                EndReason.STALLED,
                error=f"the end did not get past {self.drain.holder}",
                stuck=self.drain.holder,
            )
        else:
            self.call_at(self.drain.stalls_at_s, self._watch_drain)
