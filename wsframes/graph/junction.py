"""The two ends of a `ParallelPipeline`: one splits, the other one merges.

Both are the same thing seen in a mirror. A junction hands each frame that moves its way to every
branch, and lets each frame that comes back from them, the other way, pass once. Lifecycle frames
pass the merge when all branches have delivered them, so that they stay last, or first, of all.
"""

from weakref import WeakKeyDictionary, WeakSet

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Target
from wsframes.graph.node import Node

__all__ = ["Junction"]

DOWNSTREAM = FrameDirection.DOWNSTREAM


class Junction(Node):
    """Splits frames that move in one direction, merges those that move in the other."""

    __slots__ = ("_arrived", "_branches", "_into", "_seen", "_splits")

    def __init__(self, context: RunContext, name: str, splits: FrameDirection) -> None:
        super().__init__(context, name)
        self._splits = splits
        self._branches: list[Node] = []
        self._into: list[Target] = []
        # By identity, for as long as the frame lives somewhere: exact, and bounded by what is
        # queued in the branches anyway.
        self._seen: WeakSet[Frame] = WeakSet()
        self._arrived: WeakKeyDictionary[Frame, int] = WeakKeyDictionary()

    def add_branch(self, first: Node) -> None:
        """Add the branch's end that is next to this junction."""
        self._branches.append(first)
        self._into.append(self.context.observed(self.name, first.name, first))

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle and self.enter(frame, direction):
            return
        self.counts.taken += 1
        if direction is self._splits:
            for target in self._into:
                self.dispatcher.send(target, frame, direction)
        elif frame in self._seen:
            self.counts.dropped["duplicate"] += 1
        else:
            self._seen.add(frame)
            self.push(frame, direction)

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        if direction is self._splits:
            for branch in self._branches:
                self.move_to(branch, frame, direction)
            return
        arrived = self._arrived.get(frame, 0) + 1
        self._arrived[frame] = arrived
        if arrived == len(self._branches):
            self.forward_lifecycle(frame, direction)
