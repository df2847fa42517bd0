"""A place in the graph of one run: its neighbours, its state, and what may pass it.

The state decides where a push goes. Instead of asking for it at every push, a change of state
points `down` at another target:

    WAITING    Start has not been forwarded: what is pushed down is held, bounded, in its order
    RUNNING    to the neighbour
    ENDED      End or Stop has been forwarded: system frames pass (barge-in while the last words are
               played), except input media; the rest is refused
    CANCELLED  all is refused
"""

import logging
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any

from wsframes.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    Lane,
    StartFrame,
    StopFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive, Target, Via
from wsframes.graph.mailbox import Counts, QueueStatistics
from wsframes.graph.outcome import EndReason

__all__ = ["Node", "NodeState"]

logger = logging.getLogger("wsframes.graph")

DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM

_MAX_HELD = 1024


class NodeState(Enum):
    WAITING = auto()
    RUNNING = auto()
    ENDED = auto()
    CANCELLED = auto()


_NEXT_STATE = (
    (StartFrame, NodeState.RUNNING),
    (EndFrame, NodeState.ENDED),
    (StopFrame, NodeState.ENDED),
    (CancelFrame, NodeState.CANCELLED),
)


class Node:
    """One place. Subclasses say what happens to a frame there."""

    __slots__ = ("__weakref__", "call", "context", "counts", "dispatcher", "down", "name", "next",
                 "prev", "state", "taken", "up")  # fmt: skip

    def __init__(self, context: RunContext, name: str) -> None:
        self.context = context
        self.dispatcher = context.dispatcher
        self.name = name
        self.state = NodeState.WAITING
        self.call: Receive | None = None
        self.taken = 0
        self.counts = Counts()
        self.next: Node | None = None
        self.prev: Node | None = None
        self.down: Target = _Hold(self)
        self.up: Target = Via(self._nowhere)

    def link_next(self, node: "Node") -> None:
        self.next = node

    def link_prev(self, node: "Node") -> None:
        self.prev = node
        self.up = self.context.observed(self.name, node.name, node)

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        """Take a frame from a neighbour. Never waits, never raises."""
        if not (frame.lifecycle and self.enter(frame, direction)):
            self.push(frame, direction)

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        """Deal with a lifecycle frame that the graph moves, and forward it."""
        self.forward_lifecycle(frame, direction)

    def close(self) -> None:
        """The run is over: count what is still here as dropped."""
        if isinstance(self.down, _Hold):
            self.down.close()

    def push(self, frame: Frame, direction: FrameDirection) -> None:
        """Hand a frame to a neighbour, and run the functions on its way."""
        self.dispatcher.send(self.down if direction is DOWNSTREAM else self.up, frame, direction)

    async def wait_for_room(self, frame: Frame, direction: FrameDirection) -> None:
        """After a push: wait for the full lanes that it reached, where frame and way allow it.

        Only downstream: two full lanes that push at each other must not wait for each other.
        """
        if direction is DOWNSTREAM and (frame.lane is Lane.ORDERED or frame.input_media):
            for lane in self.dispatcher.congested:
                await lane.wait_for_room()

    def enter(self, frame: Frame, direction: FrameDirection) -> bool:
        """See to a lifecycle frame that was pushed; False: treat it as any other frame."""
        # Upstream, Start, End, Stop and Cancel are requests to the run, and processors may deal
        # with them as with any frame. And what the graph moves it does not move twice: a processor
        # that pushes a lifecycle frame on, as Pipecat's must, does no harm.
        if direction is UPSTREAM and not isinstance(frame, InterruptionFrame):
            return False
        if self.context.enter(frame, direction):
            self.lifecycle(frame, direction)
        return True

    def forward_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        """Move a lifecycle frame on, and with it this node's state."""
        self.move_to(self.next if direction is DOWNSTREAM else self.prev, frame, direction)
        if direction is DOWNSTREAM:
            for frame_type, state in _NEXT_STATE:
                if isinstance(frame, frame_type):
                    self._enter_state(state)

    def move_to(self, node: "Node | None", frame: Frame, direction: FrameDirection) -> None:
        """Move a lifecycle frame to another node, past all gates."""
        if node is not None:
            target = self.context.observed(self.name, node.name, Via(node.lifecycle))
            self.dispatcher.send(target, frame, direction)

    def fail(self, frame: Frame, exc: Exception) -> None:
        """Drop the frame that a processor raised on, and tell upstream."""
        self.counts.dropped["error"] += 1
        self.report_on(frame, exc)

    def report_on(self, frame: Frame, exc: Exception) -> None:
        """Report that a processor raised on this frame; a failed start is fatal."""
        text = f"{self.name} failed on {frame.name}: {exc!r}"
        self.report(text, exc, fatal=isinstance(frame, StartFrame))

    def report(self, text: str, exc: BaseException | None, *, fatal: bool = False) -> None:
        """Log an error and push it upstream."""
        logger.error("%s", text, exc_info=exc)
        error = ErrorFrame(text, fatal=fatal, processor=self.name, exception=exc)
        self.push(error, UPSTREAM)

    def refuse(self, reason: str) -> None:
        """Count a frame that was not let in."""
        self.counts.refused[reason] += 1
        self.counts.taken += 1

    async def contain(
        self, func: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...]
    ) -> None:
        """Run background work; what it raises is reported and ends only itself."""
        try:
            await func(*args)
        except Exception as exc:
            name = getattr(func, "__qualname__", repr(func))
            self.report(f"{self.name} failed in its background work {name}: {exc!r}", exc)

    def statistics(self) -> QueueStatistics:
        """What has passed here. A function has no queue: what it did not drop it delivered."""
        counts = self.counts
        taken = self.taken + counts.taken
        lost = sum(counts.dropped.values()) + sum(counts.refused.values())
        return QueueStatistics(
            taken=taken,
            delivered=taken - lost,
            dropped=dict(counts.dropped),
            refused=dict(counts.refused),
        )

    def open_down(self) -> None:
        """Let pushes go to the neighbour."""
        assert self.next is not None
        self.down = self.context.observed(self.name, self.next.name, self.next)

    def _enter_state(self, state: NodeState) -> None:
        # A node never goes back: after Cancel it stays cancelled, whatever still arrives.
        if self.state is NodeState.CANCELLED:
            return
        held = self.down
        self.state = state
        if state is NodeState.RUNNING:
            if self.next is not None:
                self.open_down()
            if isinstance(held, _Hold):
                held.release()
        elif state is NodeState.ENDED:
            self.down = Via(self._after_end)
        else:
            self.close()
            self.down = Via(self._after_cancel)

    def _nowhere(self, frame: Frame, direction: FrameDirection) -> None:
        raise AssertionError(f"{self.name} has no neighbour {direction.name}")

    def _after_end(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lane is Lane.SYSTEM and not frame.input_media and self.next is not None:
            self.dispatcher.send(
                self.context.observed(self.name, self.next.name, self.next), frame, direction
            )
        else:
            self.refuse("ended")

    def _after_cancel(self, frame: Frame, direction: FrameDirection) -> None:
        self.refuse("cancelled")


class _Hold:
    """Keeps what a node pushes downstream before the start has gone on."""

    __slots__ = ("_frames", "_node", "taken")

    call = None

    def __init__(self, node: Node) -> None:
        self._node = node
        self._frames: list[Frame] = []
        self.taken = 0

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        node = self._node
        if node.down is not self:
            # Pushed before the start went on, but the dispatcher got here only after it.
            node.push(frame, direction)
        elif len(self._frames) < _MAX_HELD:
            self._frames.append(frame)
        else:
            node.refuse("overload")
            text = f"{node.name} pushed too much before its start was over"
            node.context.finish(EndReason.OVERLOAD, error=text)

    def fail(self, frame: Frame, exc: Exception) -> None:
        raise AssertionError("nothing is called here") from exc

    def release(self) -> None:
        for frame in self._frames:
            self._node.push(frame, DOWNSTREAM)
        self._frames = []

    def close(self) -> None:
        if self._frames:
            self._node.counts.taken += len(self._frames)
            self._node.counts.dropped["cancelled"] += len(self._frames)
            self._frames = []
