"""Watching frames pass, without being part of the pipeline."""

import inspect
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import msgspec

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Target
from wsframes.graph.failures import describe, is_failure
from wsframes.graph.idle import IdleWatch
from wsframes.graph.leftovers import is_unawaited
from wsframes.graph.mailbox import Counts, QueueStatistics
from wsframes.graph.standins import Via

__all__ = ["BaseObserver", "FramePushed", "Observers"]

_MAX_WAITING = 1024


class FramePushed(msgspec.Struct, frozen=True):
    """A frame was handed from one place to the next.

    Attributes:
        source: name of the processor that pushed it.
        destination: name of the processor that it was pushed to.
        frame: the frame itself.
        direction: which way it went.
        time_s: `anyio.current_time()`.
    """

    source: str
    destination: str
    frame: Frame
    direction: FrameDirection
    time_s: float


class BaseObserver:
    """Is told of every frame that is pushed, once for each hop.

    With `def`, `on_push_frame` runs inside the push: it must be quick. With `async def` it runs in
    a task of its own behind a queue of 1024 entries; when it cannot follow, the newest are lost to
    it and counted in `PipelineTask.observer_statistics`. What it raises is counted and logged, and
    the next frame is told all the same. Without observers a push costs nothing more.
    """

    def on_push_frame(self, data: FramePushed) -> Any:
        """Override it, with `def` or `async def`."""


class _Watch:
    """One observer in one run."""

    def __init__(self, observer: BaseObserver, context: RunContext) -> None:
        self._observer = observer
        self._name = f"observer {type(observer).__name__}"
        self._failures = context.failures
        self._taken = 0
        self._counts = Counts()
        self._waiting: deque[FramePushed] = deque()
        self._wake = anyio.Event()
        self._idle = anyio.Event()
        if inspect.iscoroutinefunction(observer.on_push_frame):
            self.tell: Callable[[FramePushed], None] = self._queue
            context.start_soon(self._run, name=self._name)
        else:
            self.tell = self._call
            self._idle.set()

    async def wait_idle(self) -> None:
        await self._idle.wait()

    def statistics(self) -> QueueStatistics:
        return QueueStatistics(
            taken=self._taken,
            delivered=self._counts.delivered,
            dropped=dict(self._counts.dropped),
            queued=len(self._waiting),
        )

    def close(self) -> None:
        """The run is over, and with it the task that tells what waits."""
        if self._waiting:
            self._counts.dropped["cancelled"] += len(self._waiting)
            self._waiting.clear()

    def _call(self, data: FramePushed) -> None:
        self._taken += 1
        try:
            result = self._observer.on_push_frame(data)
            if result is not None and is_unawaited(result):
                raise TypeError(
                    "on_push_frame returned an awaitable from a plain function, which nobody "
                    "awaits: write it with `async def`"
                )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:  # of any kind, as in the dispatcher
            self._failed(exc)
        else:
            self._counts.delivered += 1

    def _queue(self, data: FramePushed) -> None:
        self._taken += 1
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.append(data)
            if self._idle.is_set():
                self._idle = anyio.Event()
            self._wake.set()
        else:
            self._counts.dropped["full"] += 1

    async def _run(self) -> None:
        while True:
            while self._waiting:
                data = self._waiting.popleft()
                try:
                    await self._observer.on_push_frame(data)
                except BaseException as exc:
                    if not is_failure(exc):
                        self._counts.dropped["cancelled"] += 1
                        raise
                    self._failed(exc)
                else:
                    self._counts.delivered += 1
            self._idle.set()
            self._wake = anyio.Event()
            await self._wake.wait()

    def _failed(self, exc: BaseException) -> None:
        self._counts.dropped["error"] += 1
        self._failures.error(self._name, f"{self._name} failed: {describe(exc)}", exc)


class Observers:
    """The observers of a task; stands between two places only if there is one."""

    def __init__(self, observers: Sequence[BaseObserver]) -> None:
        self._observers = tuple(observers)
        self._watches: list[_Watch] = []

    def __bool__(self) -> bool:
        return bool(self._observers)

    def begin(self, context: RunContext) -> None:
        self._watches = [_Watch(observer, context) for observer in self._observers]

    async def wait_idle(self) -> None:
        """Wait until they have been told of all that they were to be told of."""
        for watch in self._watches:
            await watch.wait_idle()

    def end(self) -> None:
        for watch in self._watches:
            watch.close()

    def between(
        self,
        context: RunContext,
        idle: IdleWatch | None,
        source: str,
        destination: str,
        target: Target,
    ) -> Target:
        """A target with those that watch before it."""
        is_move = isinstance(target, Via)

        def observe(frame: Frame, direction: FrameDirection) -> None:
            # A lifecycle frame that the graph moves is told where it is moved, and not where a
            # processor pushes it on by habit, which does nothing.
            if is_move or not (frame.lifecycle and context.is_moving(frame, direction)):
                if idle is not None:
                    idle.saw(frame)
                if self._watches:
                    now_s = context.clock()
                    self._tell(FramePushed(source, destination, frame, direction, now_s))
            target.receive(frame, direction)

        return Via(observe, target)

    def statistics(self) -> list[QueueStatistics]:
        """One entry an observer, in the order in which they were given."""
        return [watch.statistics() for watch in self._watches]

    def _tell(self, data: FramePushed) -> None:
        for watch in self._watches:
            watch.tell(data)
