"""The place of a processor that may wait: a mailbox, and the two workers that empty it.

    ordered worker   runs the start, then one data or control frame at a time, then the end
    system worker    runs system frames beside it; it exists from the first of them on

Cancel and Interruption are acted on the moment they arrive, whatever waits: what they drop is
dropped, the worker's scope is cancelled, they are forwarded, and only then are they shown to the
processor, before all other system frames. Each worker has one scope, which is entered again after
such a cancellation and not for every frame.
"""

import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel

from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    Lane,
    StartFrame,
    StopFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Via
from wsframes.graph.mailbox import Mailbox, Put, QueueStatistics
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.node import Node, NodeState
from wsframes.graph.outcome import EndReason
from wsframes.graph.processor import FrameProcessor

__all__ = ["LaneNode"]

DOWNSTREAM = FrameDirection.DOWNSTREAM

# A worker that never has to wait must still let others run. Measured, a checkpoint costs as much as
# 40 hops: once in 128 frames it is not felt.
_FRAMES_PER_CHECKPOINT = 128


# These never lie in a mailbox.
_UNCOUNTED = (StartFrame, CancelFrame, InterruptionFrame)


class _Worker:
    """One of the two workers: what it works on, what it sleeps on, and who waits for it."""

    __slots__ = ("_mailbox", "_room", "_wake", "current", "lane", "scope", "task_id")

    def __init__(self, mailbox: Mailbox, lane: Lane) -> None:
        self._mailbox = mailbox
        self._room: anyio.Event | None = None
        self._wake: anyio.Event | None = None
        self.lane = lane
        self.current: Frame | None = None
        self.scope: anyio.CancelScope | None = None
        self.task_id: int | None = None

    def notify(self) -> None:
        if self._wake is not None:
            self._wake.set()

    async def sleep(self) -> None:
        self._wake = anyio.Event()
        await self._wake.wait()
        self._wake = None

    async def wait_for_room(self) -> None:
        while self._mailbox.is_full(self.lane):
            if self._room is None:
                self._room = anyio.Event()
            await self._room.wait()

    def tell_room(self) -> None:
        if self._room is not None and not self._mailbox.is_full(self.lane):
            self._room.set()
            self._room = None

    def give_up(self) -> None:
        """Cancel the frame in process."""
        if self.current is not None and self.scope is not None:
            self.scope.cancel()

    def count_given_up(self, reason: str) -> None:
        """Count a frame whose processing was cancelled. Start, Cancel, ... are in no count."""
        if self.current is not None:
            self._mailbox.counts.dropped[reason] += not isinstance(self.current, _UNCOUNTED)
            self.current = None

    def is_current_task(self) -> bool:
        return anyio.get_current_task().id == self.task_id


class LaneNode(Node):
    """Queues frames for a processor, and runs it."""

    __slots__ = ("_cancelled", "_express", "_mailbox", "_nowait", "_ordered", "_process",
                 "_processor", "_system")  # fmt: skip

    def __init__(self, context: RunContext, processor: FrameProcessor) -> None:
        super().__init__(context, processor.name)
        self._processor = processor
        self._process = _awaitable(self, processor)
        if context.metrics is not None:
            metrics = context.metrics[self.name] = ProcessingMetrics()
            self._process = metrics.measured_async(self._process)
        self._mailbox = Mailbox(processor.queue_limits)
        self.counts = self._mailbox.counts
        self._ordered = _Worker(self._mailbox, Lane.ORDERED)
        self._system = _Worker(self._mailbox, Lane.SYSTEM)
        self._express: deque[tuple[Frame, FrameDirection]] = deque()
        self._cancelled = anyio.Event()
        overridden = type(processor).process_frame_nowait is not FrameProcessor.process_frame_nowait
        self._nowait = processor.process_frame_nowait if overridden else None

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle and self.enter(frame, direction):
            return
        if self.state is NodeState.RUNNING:
            if self._nowait is None or not self._try_nowait(frame, direction):
                self._put(frame, direction)
        elif self.state is NodeState.WAITING:
            self._put(frame, direction)
        else:
            # Stopped: the processor is not asked, but the way stays open for what `down` lets pass.
            self.push(frame, direction)

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, StartFrame):
            if self.state is NodeState.WAITING:
                self._ordered.current = frame
                self.context.start_soon(self._run_ordered, frame, name=f"{self.name} ordered")
        elif isinstance(frame, EndFrame | StopFrame):
            self.context.drain.hold(self.name, anyio.current_time())
            self._put(frame, direction)
        else:
            at_work = self.state is NodeState.RUNNING or self._ordered.current is not None
            if isinstance(frame, CancelFrame):
                self._mailbox.clear("cancelled")
                self._ordered.give_up()
                self._system.give_up()
            else:
                self._interrupt(frame)
            self.forward_lifecycle(frame, direction)
            if at_work:
                self._express.append((frame, direction))
                self._wake_system()
            elif isinstance(frame, CancelFrame):
                self._cancelled.set()

    async def wait_for_room(self, frame: Frame, direction: FrameDirection) -> None:
        urgent = self._system.current
        if urgent is None or urgent.input_media or not self._system.is_current_task():
            await super().wait_for_room(frame, direction)

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    async def wait_cancelled(self) -> None:
        """Wait until the processor has dealt with the CancelFrame."""
        await self._cancelled.wait()

    def statistics(self) -> QueueStatistics:
        return self._mailbox.statistics()

    def first_queued(self) -> Frame | None:
        """The ordered frame in process, or else the one that is next: where a lane is stuck."""
        return self._ordered.current or self._mailbox.first_ordered()

    def holds(self, frame_type: type[Frame]) -> bool:
        """Whether an ordered frame of this type waits here or is in process."""
        return isinstance(self._ordered.current, frame_type) or self._mailbox.has_ordered(
            frame_type
        )

    def close(self) -> None:
        super().close()
        self._ordered.count_given_up("cancelled")
        self._system.count_given_up("cancelled")
        self._mailbox.clear("cancelled")

    # Arrival: plain functions.

    def _try_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        worker = self._system if frame.lane is Lane.SYSTEM else self._ordered
        if worker.current is not None or not self._mailbox.is_empty(frame.lane):
            return False
        assert self._nowait is not None
        try:
            done = self._nowait(frame, direction)
        except Exception as exc:
            self.counts.taken += 1
            self.fail(frame, exc)
            return True
        if done:
            self.counts.taken += 1
            self.counts.delivered += 1
        return done

    def _put(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lane is Lane.SYSTEM:
            worker = self._system
            self._wake_system()
        else:
            worker = self._ordered
        verdict = self._mailbox.put(frame, direction)
        if verdict is Put.FULL:
            if direction is DOWNSTREAM:
                self.dispatcher.congested.append(worker)
        elif verdict is Put.OVERFLOW:
            self.context.finish(
                EndReason.OVERLOAD, error=f"the {frame.lane.value} queue of {self.name} is full"
            )
        worker.notify()

    def _wake_system(self) -> None:
        worker = self._system
        if worker.task_id is None:
            worker.task_id = 0  # until the task has its own
            self.context.start_soon(self._run_system, name=f"{self.name} system")
        worker.notify()

    def _interrupt(self, frame: Frame) -> None:
        self._mailbox.drop_interruptible()
        self._ordered.tell_room()
        if self.state is not NodeState.RUNNING:
            return
        current = self._ordered.current
        if current is not None and not current.uninterruptible:
            self._ordered.give_up()
            # The worker may run on until its next checkpoint, and what it still pushes is old.
            self.down = Via(self._down_interrupted)
        try:
            assert isinstance(frame, InterruptionFrame)
            self._processor.interrupt(frame)
        except Exception as exc:
            self.report_on(frame, exc)

    def _down_interrupted(self, frame: Frame, direction: FrameDirection) -> None:
        if not frame.uninterruptible and self._ordered.is_current_task():
            self.counts.taken += 1
            self.counts.dropped["interrupted"] += 1
        else:
            assert self.next is not None
            self.next.receive(frame, direction)

    # Work: the two tasks.

    async def _run_ordered(self, start: StartFrame) -> None:
        worker = self._ordered
        worker.task_id = anyio.get_current_task().id
        with anyio.CancelScope() as worker.scope:
            await self._start(start)
        while self._is_running():
            with anyio.CancelScope() as worker.scope:
                await self._work_ordered(worker.scope)
            worker.count_given_up("interrupted" if self._is_running() else "cancelled")
            if self._is_running():
                self.open_down()

    def _is_running(self) -> bool:
        return self.state is NodeState.RUNNING

    async def _start(self, frame: StartFrame) -> None:
        try:
            await _finished(self._processor.start(frame))
            await self._process(frame, DOWNSTREAM)
        except Exception as exc:
            self.report_on(frame, exc)
        self._ordered.current = None
        if self.state is NodeState.WAITING:
            self.forward_lifecycle(frame, DOWNSTREAM)
            self._system.notify()

    async def _work_ordered(self, scope: anyio.CancelScope) -> None:
        worker = self._ordered
        frames = 0
        # A frame may come to its end although its scope was cancelled; the next one must not
        # start in that scope.
        while self._is_running() and not scope.cancel_called:
            entry = self._mailbox.next_ordered()
            if entry is None:
                await worker.sleep()
                continue
            frame, direction, _ = entry
            worker.current = frame
            worker.tell_room()
            if frame.lifecycle and direction is DOWNSTREAM:
                await self._end(frame)
            else:
                await self._work(frame, direction)
            worker.current = None
            if self.context.drain.holder is self.name:
                self.context.drain.progress(anyio.current_time())
            frames += 1
            if frames % _FRAMES_PER_CHECKPOINT == 0:
                await anyio.lowlevel.checkpoint()

    async def _run_system(self) -> None:
        worker = self._system
        worker.task_id = anyio.get_current_task().id
        while not self._cancelled.is_set():
            with anyio.CancelScope() as worker.scope:
                await self._work_system(worker.scope)
            worker.count_given_up("cancelled")

    async def _work_system(self, scope: anyio.CancelScope) -> None:
        worker = self._system
        frames = 0
        while not self._cancelled.is_set() and not scope.cancel_called:
            if self._express:
                frame, direction = self._express.popleft()
                worker.current = frame
                await self._work_express(frame, direction)
            else:
                waiting = self.state is NodeState.WAITING
                entry = None if waiting else self._mailbox.next_system()
                if entry is None:
                    await worker.sleep()
                    continue
                frame, direction, _ = entry
                worker.current = frame
                worker.tell_room()
                await self._work(frame, direction)
                self._mailbox.system_done()
                self._ordered.notify()  # an end may have waited for this frame
            worker.current = None
            frames += 1
            if frames % _FRAMES_PER_CHECKPOINT == 0:
                await anyio.lowlevel.checkpoint()

    async def _work(self, frame: Frame, direction: FrameDirection) -> None:
        try:
            await self._process(frame, direction)
        except Exception as exc:
            self.fail(frame, exc)
        else:
            self.counts.delivered += 1

    async def _end(self, frame: Frame) -> None:
        try:
            if isinstance(frame, EndFrame):
                await _finished(self._processor.stop(frame))
            await self._process(frame, DOWNSTREAM)
        except Exception as exc:
            self.report_on(frame, exc)
        self.counts.delivered += 1
        self.forward_lifecycle(frame, DOWNSTREAM)

    async def _work_express(self, frame: Frame, direction: FrameDirection) -> None:
        try:
            if isinstance(frame, CancelFrame):
                await _finished(self._processor.cancel(frame))
            await self._process(frame, direction)
        except Exception as exc:
            self.report_on(frame, exc)
        if isinstance(frame, CancelFrame):
            self._cancelled.set()


async def _finished(result: Any) -> None:
    if inspect.isawaitable(result):
        await result


def _awaitable(node: Node, processor: FrameProcessor) -> Callable[..., Awaitable[None]]:
    """`process_frame` as a coroutine function, however it was written."""
    function = processor.process_frame
    if inspect.iscoroutinefunction(function):
        return function
    overridden = type(processor).process_frame is not FrameProcessor.process_frame

    async def process(frame: Frame, direction: FrameDirection) -> None:
        if overridden:
            await _finished(function(frame, direction))
        elif not frame.lifecycle:
            node.push(frame, direction)

    return process
