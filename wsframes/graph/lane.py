"""The place of a processor that may wait: a mailbox, and the two workers that empty it.

Cancel and Interruption are acted on the moment they arrive, whatever waits: what they drop is
dropped, the workers' scopes are cancelled, they are forwarded, and only then are they shown to the
processor, before all other system frames.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from wsframes.frames import (
    CancelFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    Lane,
    StartFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive
from wsframes.graph.gates import Interrupted
from wsframes.graph.mailbox import Mailbox, Put, QueueStatistics
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.node import Node
from wsframes.graph.ordered_worker import OrderedWorker
from wsframes.graph.outcome import EndReason
from wsframes.graph.processor import FrameProcessor
from wsframes.graph.shape import has_nowait, passes_all
from wsframes.graph.states import NodeState, is_shown
from wsframes.graph.system_worker import SystemWorker
from wsframes.graph.worker import Worker, Workplace, finished

__all__ = ["LaneNode"]

DOWNSTREAM = FrameDirection.DOWNSTREAM
SYSTEM = Lane.SYSTEM
WAITING = NodeState.WAITING
RUNNING = NodeState.RUNNING
TAKEN = Put.TAKEN


class LaneNode(Node):
    """Queues frames for a processor, and has them processed."""

    __slots__ = ("_has_nowait", "_mailbox", "_nowait", "_ordered", "_place", "_system")

    def __init__(self, context: RunContext, processor: FrameProcessor) -> None:
        super().__init__(context, processor.name)
        process = _awaitable(self, processor)
        if context.metrics is not None:
            metrics = context.metrics[self.name] = ProcessingMetrics()
            process = metrics.measured_async(process, context.clock)
        self._mailbox = Mailbox(processor.queue_limits)
        self.counts = self._mailbox.counts
        self._place = Workplace(self, self._mailbox, processor, process)
        self._ordered = OrderedWorker(self._place, self._mailbox.ordered)
        self._system: SystemWorker | None = None  # from the first system frame on
        self._nowait = processor.process_frame_nowait
        self._has_nowait = has_nowait(processor)
        self.call = self.put = self._put

    def entrance(self, state: NodeState) -> Receive | None:
        if state is not RUNNING:
            self.put = None
            return None
        if self._system is not None:
            self._system.wake()  # it held system frames back until now
        if not self._has_nowait:
            return self._put
        self.put = None
        return self._offer

    def on_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, StartFrame):
            self._ordered.current = frame
            name = f"{self.name} ordered"
            self.context.start_soon(self._ordered.run, frame, name=name, owner=self.name)
        elif isinstance(frame, CancelFrame):
            self._cancel(frame)
        elif isinstance(frame, InterruptionFrame):
            self._interrupt(frame, direction)
        elif self.state is WAITING or self.state is RUNNING:
            self.taken += 1
            self.context.drain.hold(self.name, self.context.clock())
            self._mailbox.put_end(frame, direction)
            self._ordered.wake()
        else:
            self.forward_lifecycle(frame, direction)

    def drop_waiting(self) -> None:
        super().drop_waiting()
        self._mailbox.drop_interruptible()
        self._ordered.tell_room()

    def may_wait(self, frame: Frame, direction: FrameDirection) -> bool:
        system = self._system
        if system is not None and system.current is not None and system.is_current_task():
            # Nothing but media is held up by what a system frame leads to.
            return system.current.input_media and super().may_wait(frame, direction)
        return super().may_wait(frame, direction)

    @property
    def shows_more(self) -> bool:
        return bool(self._mailbox.express)

    @property
    def is_cancelled(self) -> bool:
        return self._place.cancelled.is_set

    async def wait_cancelled(self) -> None:
        """Wait until the processor has dealt with the CancelFrame."""
        await self._place.cancelled.wait()

    def statistics(self) -> QueueStatistics:
        return self._mailbox.statistics(self.taken)

    def holds(self, frame: Frame) -> bool:
        """Whether this very ordered frame waits here or is in process."""
        return self._ordered.current is frame or self._mailbox.has_ordered(frame)

    def close(self) -> None:
        super().close()
        for worker in self._workers():
            worker.count_given_up("cancelled")
        self._clear()

    def let_go(self) -> None:
        super().let_go()
        del self._place, self._ordered, self._system, self._nowait

    def _put(self, frame: Frame, direction: FrameDirection) -> None:
        worker: Worker
        if frame.lane is SYSTEM:
            worker = self._system_worker()
            verdict = self._mailbox.put_system(frame, direction)
        else:
            verdict = self._mailbox.ordered.put(frame, direction)
            worker = self._ordered
        if verdict is not TAKEN:
            self._not_taken(worker, frame, direction, verdict)
        if worker.asleep is not None:
            worker.wake()

    def _offer(self, frame: Frame, direction: FrameDirection) -> None:
        """Let the processor deal with a frame at once, if it is its turn and it can."""
        mailbox = self._mailbox
        if frame.lane is SYSTEM:
            worker = self._system
            is_its_turn = (
                not mailbox.system.entries
                and not mailbox.express
                and (worker is None or worker.current is None)
            )
        else:
            is_its_turn = not mailbox.ordered.entries and self._ordered.current is None
        if is_its_turn and self._nowait(frame, direction):
            self.counts.delivered += 1
        else:
            self._put(frame, direction)

    def _not_taken(
        self, worker: Worker, frame: Frame, direction: FrameDirection, verdict: Put
    ) -> None:
        if verdict is Put.FULL and direction is DOWNSTREAM:
            self.dispatcher.congested.append(worker)
        if verdict is Put.OVERFLOW:
            error = f"the {frame.lane.value} queue of {self.name} is full"
            self.context.finish(EndReason.OVERLOAD, error=error, stuck=self.name)

    def _system_worker(self) -> SystemWorker:
        if self._system is None:
            worker = SystemWorker(self._place, self._ordered)
            name = f"{self.name} system"
            self.context.start_soon(worker.run, name=name, owner=self.name)
            self._system = worker
        return self._system

    def _cancel(self, frame: CancelFrame) -> None:
        is_starting = self.state is WAITING and self._ordered.goes_on
        shown = is_starting or is_shown(self.state, frame)
        for worker in self._workers():
            worker.give_up()
        self._clear()
        self.forward_lifecycle(frame, DOWNSTREAM)
        if shown:
            self._show(frame, DOWNSTREAM)
        else:
            self._place.cancelled.set()

    def _interrupt(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        shown = is_shown(self.state, frame)
        if shown:
            self._mailbox.drop_interruptible()
            self._ordered.tell_room()
            current = self._ordered.current
            if current is not None and not current.uninterruptible:
                self._ordered.give_up()
                self.down = Interrupted(self, self._ordered.is_at_work)
            try:
                hook: Callable[..., Any] = self._place.processor.interrupt
                self.returned(hook(frame))
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as exc:  # of any kind, as in the dispatcher
                self.report_on(frame, exc)
        self.forward_lifecycle(frame, direction)
        if shown:
            self._show(frame, direction)

    def _show(self, frame: Frame, direction: FrameDirection) -> None:
        worker = self._system_worker()
        if self._mailbox.put_express(frame, direction):
            worker.wake()
        else:
            self.taken += 1
            self.counts.dropped["full"] += 1

    def _clear(self) -> None:
        self._mailbox.clear("cancelled")
        for worker in self._workers():
            worker.tell_room()

    def _workers(self) -> list[Worker]:
        return [self._ordered] if self._system is None else [self._ordered, self._system]


def _awaitable(node: Node, processor: FrameProcessor) -> Callable[..., Awaitable[None]]:
    """`process_frame` as a coroutine function, however it was written."""
    function = processor.process_frame
    if inspect.iscoroutinefunction(function):
        return function
    passes = passes_all(processor)

    async def process(frame: Frame, direction: FrameDirection) -> None:
        if not passes:
            await finished(function(frame, direction), node.name)
        elif not frame.lifecycle or direction is not DOWNSTREAM:
            node.push(frame, direction)

    return process
