"""The worker that runs the start of a lane, then one ordered frame at a time, then the end."""

import anyio
import anyio.lowlevel

from wsframes.frames import EndFrame, Frame, FrameDirection, StartFrame
from wsframes.graph.failures import is_failure
from wsframes.graph.states import NodeState
from wsframes.graph.worker import FRAMES_PER_CHECKPOINT, Worker

__all__ = ["OrderedWorker"]

DOWNSTREAM = FrameDirection.DOWNSTREAM
WAITING = NodeState.WAITING
RUNNING = NodeState.RUNNING


class OrderedWorker(Worker):
    """An interruption cancels its scope; it begins again in a new one."""

    __slots__ = ()

    async def run(self, start: StartFrame) -> None:
        """Work until the lane has had its end, or is cancelled."""
        self.employ()
        node = self.place.node
        if node.state is WAITING:
            await self.in_scope(self._start(start))
        while node.state is RUNNING:
            await self.in_scope(self._work())
            if node.state is RUNNING:
                self.count_given_up("interrupted")
                node.down = node.links.way_down()
        self.count_given_up("cancelled")

    async def _start(self, frame: StartFrame) -> None:
        await self.show(self.place.processor.start, frame, DOWNSTREAM)
        self.current = None
        self.place.node.forward_lifecycle(frame, DOWNSTREAM)

    async def _work(self) -> None:
        node = self.place.node
        mailbox = self.place.mailbox
        queue, entries = self._queue, self._queue.entries
        process, new_wakeup = self.place.process, self.place.new_wakeup
        counts = node.counts
        drain = node.context.drain
        while self.goes_on:
            for _ in FRAMES_PER_CHECKPOINT:
                if not entries:
                    # Not in a coroutine of its own, which would be 0.2 us of a hop.
                    self.asleep = wakeup = new_wakeup()
                    await wakeup
                    break
                # `Queue.take`, without the call.
                frame, direction, size, rank = entries.popleft()
                self.current = frame
                queue.bytes -= size
                if queue.full:
                    queue.settle()
                    if self.room is not None and (not queue.full or drain.holder is not None):
                        self._give_room()
                if frame.lifecycle and direction is DOWNSTREAM:
                    if not mailbox.is_due(rank):
                        entries.appendleft((frame, direction, size, rank))
                        self.current = None
                        self.asleep = wakeup = new_wakeup()
                        await wakeup
                        break
                    await self._end(frame)
                    return
                try:
                    await process(frame, direction)
                except BaseException as exc:
                    if not is_failure(exc):
                        raise
                    node.fail(frame, direction, exc)
                else:
                    counts.delivered += 1
                self.current = None
                if drain.holder is not None and drain.is_held_by(node.name):
                    drain.progress(anyio.current_time())
                if not self.goes_on:
                    break
            else:
                await anyio.lowlevel.checkpoint()

    def _give_room(self) -> None:
        self.tell_room()
        # An end may be held up by a lane that waits for room in this one: then it moves.
        drain = self.place.node.context.drain
        if drain.holder is not None:
            drain.progress(anyio.current_time())

    async def _end(self, frame: Frame) -> None:
        node = self.place.node
        stop = self.place.processor.stop if isinstance(frame, EndFrame) else None
        await self.show(stop, frame, DOWNSTREAM)
        self.current = None
        node.counts.delivered += 1
        node.forward_lifecycle(frame, DOWNSTREAM)
        node.context.drain.release(node.name, anyio.current_time())
        self._pass_rest()

    def _pass_rest(self) -> None:
        # What came after the end has no processor any more: it goes the way of what comes now.
        node = self.place.node
        while self._queue.entries:
            frame, direction, _, _ = self._queue.take()
            if direction is DOWNSTREAM:
                node.counts.dropped["ended"] += 1
                if frame.lifecycle:  # a second end, which the drain holds as it did the first one
                    node.context.drain.release(node.name, anyio.current_time())
            else:
                node.counts.delivered += 1
                node.push(frame, direction)
        self.tell_room()
