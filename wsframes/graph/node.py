"""A place in the graph of one run: what arrives at it, what leaves it, and how far it has come.

The state decides where a push goes. Instead of asking for it at every push, a change of state
points `down` at another target: at a hold before the start, at the neighbour while it runs, at a
gate after the end.

    states       the table: what a lifecycle frame does to the state
    gates        what `down` points at while that is not the neighbour
    links        who the neighbours are, and what goes to them past the gates
    dispatcher   what runs `call`, `put` and `receive`

What happens to a frame at a place is said by a kind of node: `function` and `lane` have a
processor, `terminal` is an end of the graph, and `junction` an end of parallel branches.
"""

from abc import ABC, abstractmethod
from typing import Any

from wsframes.exceptions import UsageError
from wsframes.frames import (
    CancelFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    Lane,
    StartFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive, Target
from wsframes.graph.failures import describe
from wsframes.graph.gates import AfterCancel, AfterEnd, Finished, Hold
from wsframes.graph.leftovers import is_unawaited, refuse_generator
from wsframes.graph.links import Links, Neighbour
from wsframes.graph.mailbox import Counts, QueueStatistics
from wsframes.graph.standins import GONE, REFUSAL
from wsframes.graph.states import NodeState, state_after

__all__ = ["NOTHING", "Node"]

DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM

WAITING = NodeState.WAITING
RUNNING = NodeState.RUNNING
CANCELLED = NodeState.CANCELLED


class _Nothing:
    """Lets `await super().process_frame(...)` stand in code that comes from Pipecat."""

    def __await__(self) -> Any:
        return iter(())


NOTHING = _Nothing()
"""What `process_frame` of the base class returns: to be awaited or not."""


class Node(ABC):
    """One place. Subclasses say what happens to a frame there."""

    __slots__ = ("call", "context", "counts", "dispatcher", "down", "links", "name", "put",
                 "state", "taken", "up")  # fmt: skip

    def __init__(self, context: RunContext, name: str) -> None:
        self.context = context
        self.dispatcher = context.dispatcher
        self.name = name
        self.state = WAITING
        self.call: Receive | None = None
        self.put: Receive | None = None
        self.taken = 0
        self.counts = Counts()
        self.links = Links(context, self)
        self.down: Target = Hold(self)
        self.up: Target = Finished(self)

    def link_prev(self, node: Neighbour) -> None:
        self.links.prev = node
        self.up = self.links.way_to(node)

    # Arrival.

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        """Take a frame from a neighbour: any frame, where the dispatcher did not see to it."""
        if frame.lifecycle and self.enter(frame, direction):
            return
        call = self.call
        if call is None:
            # Not started, or stopped: the processor is not asked, but the way stays open for what
            # `down` lets pass.
            self.push(frame, direction)
        else:
            self.taken += 1
            result = call(frame, direction)
            if result is not None:
                self.returned(result)

    def enter(
        self, frame: Frame, direction: FrameDirection, deal_with: Receive | None = None
    ) -> bool:
        """See to a lifecycle frame that was pushed; False: treat it as any other frame."""
        # Upstream, Start, End and Stop are requests to the run, and processors may deal with them
        # as with any frame; a Cancel waits for nobody. And what the graph moves it does not move
        # twice: a processor that pushes a lifecycle frame on, as Pipecat's must, does no harm.
        if direction is UPSTREAM and not isinstance(frame, InterruptionFrame):
            if not isinstance(frame, CancelFrame) or self.links.prev is None:
                return False
            self.links.send_to_source(frame)
        elif self.context.enter(frame, direction):
            (deal_with or self.lifecycle)(frame, direction)
        return True

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        """Deal with a lifecycle frame that the graph moves."""
        if state_after(self.state, frame) is not None:
            self.on_lifecycle(frame, direction)
        elif self.state is WAITING and isinstance(frame, InterruptionFrame):
            self.drop_waiting()

    def drop_waiting(self) -> None:
        """An interruption found this place before its start: drop what it drops, here only."""
        assert isinstance(self.down, Hold)
        self.down.drop_interruptible()

    @abstractmethod
    def on_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        """Deal with one that has a meaning in this state, and forward it."""

    def entrance(self, state: NodeState) -> Receive | None:
        """What `call` is in a state."""
        return None

    def returned(self, result: Any) -> None:
        """A function returned something: harmless, unless it is to be awaited."""
        if result is NOTHING:
            return
        refuse_generator(result, self.name)
        if is_unawaited(result):
            raise TypeError(
                f"{self.name} returned an awaitable from a plain function, which nobody awaits: "
                "write process_frame, start, stop or cancel with `async def`, and interrupt "
                "without it"
            )

    # Departure.

    def push(self, frame: Frame, direction: FrameDirection) -> None:
        """Hand a frame to a neighbour, and run the functions on its way."""
        self.dispatcher.send(self.down if direction is DOWNSTREAM else self.up, frame, direction)

    def push_out(self, frame: Frame) -> None:
        """`push` downstream a frame, no lifecycle frame, that is most often on its last hop.

        The end of the graph pushes nothing in answer, so it needs no dispatcher; going past that
        saves a twentieth of what an echo costs beyond its server.
        """
        target = self.down
        call = target.call
        dispatcher = self.dispatcher
        if target is dispatcher.sink and call is not None and not dispatcher.running:
            target.taken += 1
            call(frame, DOWNSTREAM)
        else:
            self.push(frame, DOWNSTREAM)

    async def wait_for_room(self, frame: Frame, direction: FrameDirection) -> None:
        """After a push: wait for the full lanes that it reached, where frame and way allow it.

        Only downstream: two full lanes that push at each other must not wait for each other. A push
        that was refused lets others run: a producer that goes on and on after the end would
        otherwise never be cancelled.
        """
        may_wait = self.may_wait(frame, direction)
        for lane in self.dispatcher.congested:
            if may_wait or lane is REFUSAL:
                await lane.wait_for_room()

    def may_wait(self, frame: Frame, direction: FrameDirection) -> bool:
        """Whether a push of this frame, from here, may be held up."""
        return direction is DOWNSTREAM and (frame.lane is Lane.ORDERED or frame.input_media)

    def forward_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        """Move a lifecycle frame on, and with it this node's state, if it still has a meaning."""
        state = state_after(self.state, frame)
        if state is None:
            return
        if direction is UPSTREAM:
            self.move_on(frame, direction)
        elif self.state is WAITING and state is RUNNING:
            # What is held must come after the start, and before what is pushed from now on.
            self.move_on(frame, direction)
            self._enter_state(state)
        else:
            if state is not self.state:
                self._enter_state(state)
            self.move_on(frame, direction)

    def move_on(self, frame: Frame, direction: FrameDirection) -> None:
        """Move a lifecycle frame to the neighbour in its direction, past all gates."""
        links = self.links
        links.move_to(links.next if direction is DOWNSTREAM else links.prev, frame, direction)

    @property
    def shows_more(self) -> bool:
        """Whether interruptions that have been acted on wait to be shown to the processor."""
        return False

    # Failures.

    def fail(self, frame: Frame, direction: FrameDirection, exc: BaseException) -> None:
        """Drop the frame that was raised on, and tell upstream."""
        links = self.links
        self.drop_failed(frame, exc, links.prev if direction is DOWNSTREAM else links.next)

    def drop_failed(self, frame: Frame, exc: BaseException, pusher: Neighbour | None) -> None:
        """What `fail` does, where it is known who pushed the frame."""
        self.counts.dropped["error"] += 1
        if isinstance(frame, Frame):
            self.report_on(frame, exc)
        else:
            if not hasattr(frame, "lifecycle"):
                self.taken += 1  # it was not counted: that was the first thing to be asked of it
            name = self.name if pusher is None else pusher.name
            text = f"{name} pushed {describe(frame)}, which is no frame"
            self.report(text, UsageError(text))

    def report_on(self, frame: Frame, exc: BaseException) -> None:
        """Report that a processor raised on this frame; a failed start is fatal."""
        text = f"{self.name} failed on {frame.name}: {describe(exc)}"
        self.report(text, exc, fatal=isinstance(frame, StartFrame))

    def report(self, text: str, exc: BaseException | None, *, fatal: bool = False) -> None:
        """Log an error and push it upstream; a fatal one is also told to the run at once."""
        self.context.failures.error(self.name, text, exc)
        error = ErrorFrame(text, fatal=fatal, processor=self.name, exception=exc)
        links = self.links
        if fatal or links.prev is None:
            links.send_to_source(error)
        if links.prev is not None:
            self.push(error, UPSTREAM)

    def refuse(self, reason: str) -> None:
        """Count a frame that was not let in."""
        self.taken += 1
        self.counts.refused[reason] += 1
        congested = self.dispatcher.congested
        if self.dispatcher.running and REFUSAL not in congested:
            congested.append(REFUSAL)

    # The end.

    def close(self) -> None:
        """The run is over: count what is still here, and refuse what is still pushed."""
        if isinstance(self.down, Hold):
            self.down.close("cancelled")
        self.call = self.put = None
        self.state = CANCELLED  # an end that still comes would lie in a queue for ever
        self.down = self.up = Finished(self)

    def let_go(self) -> None:
        """Nothing is pushed any more: keep the counts, and hold on to nobody who holds this.

        What holds each other stays in memory until a garbage collection, and those of the oldest
        objects come seldom: a session would cost its memory for a minute after its end.
        """
        self.down = self.up = GONE
        del self.links

    def statistics(self) -> QueueStatistics:
        """What has passed here. A function has no queue: what it did not drop it delivered."""
        counts = self.counts
        lost = counts.dropped.total() + counts.refused.total()
        return QueueStatistics(
            taken=self.taken,
            delivered=self.taken - lost,
            dropped=dict(counts.dropped),
            refused=dict(counts.refused),
        )

    def _enter_state(self, state: NodeState) -> None:
        hold = self.down if isinstance(self.down, Hold) else None
        self.state = state
        self.call = self.entrance(state)
        if state is CANCELLED:
            self.down = AfterCancel(self)
        elif state is not RUNNING:
            self.down = AfterEnd(self)
        elif self.links.next is not None:
            self.down = self.links.way_down()
        if hold is not None:
            hold.let_go(state)
