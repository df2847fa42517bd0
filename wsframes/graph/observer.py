"""Watching frames pass, without being part of the pipeline."""

import inspect
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import msgspec

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Target, Via
from wsframes.graph.mailbox import Counts, QueueStatistics

__all__ = ["BaseObserver", "FramePushed", "Observers"]

logger = logging.getLogger("wsframes.graph")

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
        self.observer = observer
        self.counts = Counts()
        self._waiting: deque[FramePushed] = deque()
        self._wake = anyio.Event()
        if inspect.iscoroutinefunction(observer.on_push_frame):
            self.tell: Callable[[FramePushed], None] = self._queue
            context.start_soon(self._run, name=f"observer {type(observer).__name__}")
        else:
            self.tell = self._call

    def statistics(self) -> QueueStatistics:
        counts = self.counts
        return QueueStatistics(
            taken=counts.taken,
            delivered=counts.delivered,
            dropped=dict(counts.dropped),
            queued=len(self._waiting),
        )

    def _call(self, data: FramePushed) -> None:
        self.counts.taken += 1
        try:
            self.observer.on_push_frame(data)
        except Exception as exc:
            self._failed(exc)
        else:
            self.counts.delivered += 1

    def _queue(self, data: FramePushed) -> None:
        self.counts.taken += 1
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.append(data)
            self._wake.set()
        else:
            self.counts.dropped["full"] += 1

    async def _run(self) -> None:
        while True:
            while self._waiting:
                try:
                    await self.observer.on_push_frame(self._waiting.popleft())
                except Exception as exc:
                    self._failed(exc)
                else:
                    self.counts.delivered += 1
            self._wake = anyio.Event()
            await self._wake.wait()

    def _failed(self, exc: Exception) -> None:
        if not self.counts.dropped["error"]:  # once: an observer that fails, fails often
            logger.error("observer %r failed: %r", self.observer, exc, exc_info=exc)
        self.counts.dropped["error"] += 1


class Observers:
    """The observers of a task; stands between two places only if there is one."""

    def __init__(self, observers: Sequence[BaseObserver]) -> None:
        self._observers = list(observers)
        self._watches: list[_Watch] = []

    def __bool__(self) -> bool:
        return bool(self._observers)

    def add(self, observer: BaseObserver) -> None:
        self._observers.append(observer)

    def begin(self, context: RunContext) -> None:
        self._watches = [_Watch(observer, context) for observer in self._observers]

    def observed(self, source: str, destination: str, target: Target) -> Target:
        """The target with the observers before it."""

        def observe(frame: Frame, direction: FrameDirection) -> None:
            data = FramePushed(source, destination, frame, direction, anyio.current_time())
            for watch in self._watches:
                watch.tell(data)
            target.receive(frame, direction)

        return Via(observe)

    def statistics(self) -> list[QueueStatistics]:
        """One entry an observer, in the order in which they were given."""
        return [watch.statistics() for watch in self._watches]
