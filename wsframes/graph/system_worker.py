"""The worker that runs system frames beside the ordered ones, and shows what was acted on."""

import anyio.lowlevel

from wsframes.frames import CancelFrame, Frame, FrameDirection
from wsframes.graph.failures import is_failure
from wsframes.graph.states import NodeState
from wsframes.graph.worker import FRAMES_PER_CHECKPOINT, Worker, Workplace

__all__ = ["SystemWorker"]

WAITING = NodeState.WAITING
RUNNING = NodeState.RUNNING


class SystemWorker(Worker):
    """Only a cancellation cancels its scope; it begins again to show the CancelFrame."""

    __slots__ = ("_ordered",)

    def __init__(self, place: Workplace, ordered: Worker) -> None:
        super().__init__(place, place.mailbox.system)
        self._ordered = ordered

    async def run(self) -> None:
        """Work until the processor has dealt with a cancellation."""
        self.employ()
        while not self.place.cancelled.is_set:
            await self.in_scope(self._work())
            self.count_given_up("cancelled")

    async def _work(self) -> None:
        node = self.place.node
        mailbox = self.place.mailbox
        process, new_wakeup = self.place.process, self.place.new_wakeup
        counts = node.counts
        while self.goes_on:
            for _ in FRAMES_PER_CHECKPOINT:
                if mailbox.express:
                    frame, direction = mailbox.express.pop(0)
                    self.current = frame
                    await self._show_express(frame, direction)
                elif mailbox.system.entries and node.state is not WAITING:
                    entry = mailbox.system.take()
                    frame, direction, _, _ = entry
                    self.current = frame
                    self.tell_room()
                    try:
                        if node.state is RUNNING:
                            await process(frame, direction)
                        else:
                            node.push(frame, direction)  # after the end: past the processor
                    except BaseException as exc:
                        if not is_failure(exc):
                            raise
                        node.fail(frame, direction, exc)
                    else:
                        counts.delivered += 1
                    mailbox.served(entry)
                    if mailbox.ordered.entries:
                        self._ordered.wake()  # an end may have waited for this frame
                else:
                    # Not in a coroutine of its own, as in the ordered worker.
                    self.asleep = wakeup = new_wakeup()
                    await wakeup
                    break
                self.current = None
                if not self.goes_on:
                    break
            else:
                await anyio.lowlevel.checkpoint()

    async def _show_express(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, CancelFrame):
            await self.show(self.place.processor.cancel, frame, direction)
            self.place.cancelled.set()
            self.goes_on = False
        else:
            await self.show(None, frame, direction)
