"""What the two workers of a lane have in common: what they work on, and how they wait and stop."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from wsframes.frames import CancelFrame, Frame, FrameDirection, InterruptionFrame, StartFrame
from wsframes.graph.at_work import at_work
from wsframes.graph.failures import ends_task, is_failure
from wsframes.graph.leftovers import refuse_generator
from wsframes.graph.mailbox import Mailbox, Queue
from wsframes.graph.node import Node
from wsframes.graph.processor import FrameProcessor
from wsframes.graph.wakeup import Wakeup, loop_wakeup

__all__ = ["FRAMES_PER_CHECKPOINT", "Worker", "Workplace", "finished"]

# A worker that never has to wait must still let others run. Measured, a checkpoint costs as much as
# 10 to 20 hops: once in 100 frames it is hardly felt. Not once in 128, half the bound of a queue:
# there lanes in a row fill each other up, and each of their batches takes a second checkpoint.
FRAMES_PER_CHECKPOINT = range(100)

# In no count: they never lie in a queue.
_UNCOUNTED = (StartFrame, CancelFrame, InterruptionFrame)


class Latch:
    """An event that costs nothing until somebody waits for it."""

    __slots__ = ("_event", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._event: anyio.Event | None = None

    def set(self) -> None:
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        if self._event is None and not self.is_set:
            self._event = anyio.Event()
        if self._event is not None:
            await self._event.wait()


class Workplace:
    """What the two workers of a lane share: its node, its mailbox, and the processor."""

    __slots__ = ("cancelled", "mailbox", "new_wakeup", "node", "process", "processor")

    def __init__(
        self,
        node: Node,
        mailbox: Mailbox,
        processor: FrameProcessor,
        process: Callable[..., Awaitable[None]],
    ) -> None:
        self.node = node
        self.mailbox = mailbox
        self.processor = processor
        self.process = process
        self.new_wakeup = loop_wakeup()
        self.cancelled = Latch()
        """Set when the processor has dealt with the CancelFrame."""


class Worker:
    """A task that empties a queue; subclasses say how."""

    __slots__ = ("_queue", "_scope", "_task_id", "asleep", "current", "goes_on", "place", "room")

    def __init__(self, place: Workplace, queue: Queue) -> None:
        self._queue = queue
        self._scope: anyio.CancelScope | None = None
        self._task_id: int | None = None
        self.asleep: Wakeup | None = None
        """What wakes this worker, while it sleeps."""
        self.place = place
        self.current: Frame | None = None
        """The frame in process."""
        self.goes_on = False
        """False: do not begin another frame in this scope."""
        self.room: anyio.Event | None = None
        """What producers wait on, while the queue is full and some do."""

    def employ(self) -> None:
        """The calling task does the work from now on."""
        self._task_id = anyio.get_current_task().id

    def is_current_task(self) -> bool:
        return anyio.get_current_task().id == self._task_id

    def is_at_work(self) -> bool:
        """Whether the caller is part of what `give_up` cancels, or was started by that.

        A task that a processor starts by itself, in a task group of its own, is.
        """
        return self._scope is not None and at_work.get() is self._scope

    async def in_scope(self, work: Awaitable[None]) -> None:
        """Do what `give_up` cancels; to be called again after that, and not for every frame."""
        # Not a generator that is a context manager: on Python 3.13 an exception that is thrown
        # into one is part of a cycle from then on.
        self.goes_on = True
        try:
            with anyio.CancelScope() as self._scope:
                at_work.set(self._scope)
                await work
        except BaseException as exc:
            # On asyncio a cancellation of somebody else's, such as that of an `asyncio.timeout`,
            # takes the place of ours where both come at once, and the scope lets it through.
            if self.goes_on or isinstance(exc, Exception) or not is_failure(exc):
                raise

    def give_up(self) -> None:
        """Cancel the work in process, or the sleep."""
        # A frame may come to its end although its scope was cancelled; the next one must not
        # begin in that scope.
        self.goes_on = False
        if self._scope is not None:
            self._scope.cancel()

    def count_given_up(self, reason: str) -> None:
        """Count a frame whose processing was cancelled."""
        if self.current is not None:
            if not isinstance(self.current, _UNCOUNTED):
                self.place.mailbox.counts.dropped[reason] += 1
            self.current = None

    def wake(self) -> None:
        asleep = self.asleep
        if asleep is not None:
            self.asleep = None
            if not asleep.done():
                asleep.set_result(None)

    async def wait_for_room(self) -> None:
        """For producers: wait until the queue has fallen to half of its bound."""
        if self.is_current_task():
            return  # what it pushed came back to it: it would wait for itself
        while self._queue.full:
            if self.room is None:
                self.room = anyio.Event()
            await self.room.wait()

    def tell_room(self) -> None:
        if self.room is not None and not self._queue.full:
            self.room.set()
            self.room = None

    async def show(
        self, hook: Callable[[Any], Any] | None, frame: Frame, direction: FrameDirection
    ) -> None:
        """Let the processor see a lifecycle frame: its hook, then `process_frame`."""
        try:
            if hook is not None:
                await finished(hook(frame), self.place.node.name)
            await self.place.process(frame, direction)
        except BaseException as exc:
            # A failed start ends the run, and a task that ends says what that is.
            if not is_failure(exc) or (isinstance(frame, StartFrame) and ends_task(exc)):
                raise
            self.place.node.report_on(frame, exc)


async def finished(result: Any, name: str) -> None:
    """Wait for what a function of this place returned, where it is to be waited for."""
    if inspect.isawaitable(result):
        await result
    elif result is not None:
        refuse_generator(result, name)
