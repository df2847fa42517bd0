"""What all parts of one run share: dispatcher, timers, background tasks, and the way to end it."""

import functools
import math
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from anyio.abc import TaskGroup

from wsframes.exceptions import UsageError
from wsframes.frames import Frame, FrameDirection
from wsframes.graph.alarm import Alarm
from wsframes.graph.at_work import at_work
from wsframes.graph.clock import finds_loop
from wsframes.graph.dispatcher import Dispatcher, Target
from wsframes.graph.drain import Drain
from wsframes.graph.events import EventHandlers, EventQueue
from wsframes.graph.failures import FailureLog, describe, ends_task, forget_way, is_failure
from wsframes.graph.moving import Moving
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.timers import Timer

if TYPE_CHECKING:
    from wsframes.graph.metrics import ProcessingMetrics

__all__ = ["RunContext"]


Observed = Callable[[str, str, Target], Target]


def _unobserved(source: str, destination: str, target: Target) -> Target:
    return target


def _nothing() -> None:
    """What an end that is over has begun."""


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
        self.drain = Drain(drain_stall_s, self._watch_drain)
        self.observed: Observed = _unobserved
        """Puts observers between two places of the graph; hands the target back without any."""
        self.result: RunResult | None = None
        """How the run ends, once that is decided; the first cause wins."""
        self.metrics: dict[str, ProcessingMetrics] | None = None
        """The clocks of the processors, where they are measured."""
        self.working: list[tuple[str, str]] = []
        """The tasks of this run that have not returned, and whose they are."""
        self._task_group = task_group
        self._alarm = events.alarm = Alarm()
        self.failures = FailureLog(clock=self._alarm.clock)
        # Lifecycle frames that the graph itself is moving, by direction.
        self._moving = {direction: Moving() for direction in FrameDirection}

    def start_soon(
        self,
        func: Callable[..., Coroutine[Any, Any, Any]],
        *args: Any,
        name: object = None,
        owner: str | None = None,
    ) -> None:
        """Start a task that lives at most as long as the run. What it raises ends the run.

        In a callback of the event loop it is started soon, by the task that runs the timers.

        Args:
            func: called with `args`.
            name: of the task.
            owner: whose it is, to be named where it is stuck; None: its own name.

        Raises:
            UsageError: the run is over; in a callback, also when its end is decided.
        """
        title = str(name or getattr(func, "__qualname__", func))
        if not finds_loop():
            if self.result is not None:
                raise UsageError(f"{title} cannot be started from a callback: the run is ending")
            again = functools.partial(self.start_soon, func, *args, name=title, owner=owner)
            self.call_at(self.clock(), again)
            return
        try:
            self._task_group.start_soon(
                self._run_task, (title, owner or title), func, args, name=title
            )
        except RuntimeError:
            raise UsageError(f"{title} cannot be started: the run is over") from None

    def emit(self, handlers: EventHandlers, name: str, *args: Any) -> None:
        """Tell an event, soon; see `EventQueue.emit`."""
        self.events.emit(handlers, name, *args)

    @property
    def clock(self) -> Callable[[], float]:
        """Says what `anyio.current_time` does, for what is done with every message."""
        return self._alarm.clock

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Run a callback at a time of `anyio.current_time()`. It must not wait."""
        return self._alarm.call_at(due_s, callback)

    def put_off(self, timer: Timer, due_s: float) -> None:
        """Run a timer that has not run yet at a later time: cheaper than to let it run."""
        self._alarm.put_off(timer, due_s)

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
            self.result = RunResult(reason=reason, close_code=close_code, error=error, stuck=stuck)
            self._alarm.look_up()

    def finish_by(self, exc: BaseException) -> None:
        """End the run because this goes through it: the cancellation of its caller, or worse."""
        if isinstance(exc, anyio.get_cancelled_exc_class()):
            self.finish(EndReason.CANCELLED)
        else:
            self.finish(EndReason.ERROR, error=exc)

    def add_to_result(self, *, close_code: int | None = None, stuck: str | None = None) -> None:
        """Complete a result that is decided, where it does not say these yet."""
        result = self.result
        if result is not None:
            self.result = msgspec.structs.replace(
                result,
                close_code=close_code if result.close_code is None else result.close_code,
                stuck=result.stuck or stuck,
            )

    def enter(self, frame: Frame, direction: FrameDirection) -> bool:
        """Note a lifecycle frame that was pushed; False if the graph is moving it already."""
        return self._moving[direction].add(frame)

    def is_moving(self, frame: Frame, direction: FrameDirection) -> bool:
        """Whether the graph is moving this frame."""
        return frame in self._moving[direction]

    def let_go(self) -> None:
        """The run is over: hold on to nobody who holds this; see `Node.let_go`."""
        self._alarm.clear()
        self.dispatcher.sink = None
        self.events.let_go()
        self.observed = _unobserved
        self.drain = Drain(math.inf, _nothing)

    async def run_timers(self) -> RunResult:
        """Run what is due until the run's end is decided."""
        while self.result is None:
            try:
                await self._alarm.run(lambda: self.result is not None)
            except Exception as exc:
                self._failed("a timer", "a timer", exc)
        return self.result

    async def _run_task(
        self,
        title: tuple[str, str],
        func: Callable[..., Coroutine[Any, Any, Any]],
        args: tuple[Any, ...],
    ) -> None:
        at_work.set(None)  # it is not part of the work that started it
        self.working.append(title)
        try:
            await func(*args)
        except BaseException as exc:
            if not is_failure(exc):
                self.finish_by(exc)
                # anyio keeps it on asyncio, in a cycle; and with it the locals of all that it has
                # come through, which are the whole session.
                forget_way(exc)
                del func, args
                raise
            if ends_task(exc):
                self.finish(EndReason.CANCELLED)
            else:
                self._failed(*title, exc)
        finally:
            self.working.remove(title)

    def _failed(self, what: str, owner: str, exc: BaseException) -> None:
        self.failures.error(what, f"{what} failed: {describe(exc)}", exc)
        self.finish(EndReason.ERROR, error=exc, stuck=owner)

    def _watch_drain(self) -> None:
        stalls_at_s = self.drain.stalls_at_s
        if self.clock() >= stalls_at_s:
            holder = self.drain.holder
            self.finish(EndReason.STALLED, error=f"the end did not get past {holder}", stuck=holder)
        elif stalls_at_s < math.inf:
            self.call_at(stalls_at_s, self._watch_drain)
        else:
            self.drain.watched = False
