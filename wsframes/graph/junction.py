"""The two ends of a `ParallelPipeline`: one splits, the other one merges.

Both are the same thing seen in a mirror. A junction hands each frame that moves its way to every
branch. What comes back from the branches, the other way, it merges:

    ordinary frames    once, when the first branch delivers it
    End, Stop          when every branch has had one, so that they come last
    other lifecycle    when every branch has delivered it, if it came in through the other end;
                       at once, if a processor in a branch pushed it
"""

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from wsframes.frames import EndFrame, Frame, FrameDirection, StopFrame
from wsframes.graph.context import RunContext
from wsframes.graph.links import Neighbour
from wsframes.graph.node import Node
from wsframes.graph.standins import Via

if TYPE_CHECKING:
    from wsframes.graph.dispatcher import Target

__all__ = ["Junction", "Port"]

UPSTREAM = FrameDirection.UPSTREAM


class Junction(Node):
    """Splits frames that move in one direction, merges those that move in the other."""

    __slots__ = ("_branches", "_delivered", "_ended", "_into", "_splits", "ports", "split",
                 "split_before")  # fmt: skip

    def __init__(self, context: RunContext, name: str, splits: FrameDirection) -> None:
        super().__init__(context, name)
        self._splits = splits
        if splits is UPSTREAM:
            self.up = Via(self.receive, self)
        self._branches: list[Neighbour] = []
        self._into: list[Target] = []
        # How often each branch has delivered a frame. By identity, and for as long as the frame
        # lives somewhere: so it is bounded by what is queued in the branches anyway.
        self._delivered: WeakKeyDictionary[Frame, list[int]] = WeakKeyDictionary()
        self._ended: set[int] = set()
        self.ports: list[Port] = []
        """Where the branches deliver to."""
        self.split: WeakSet[Frame] = WeakSet()
        """The lifecycle frames that went into all branches here."""
        self.split_before: WeakSet[Frame] = WeakSet()
        """Those that did at the other end."""

    def add_port(self) -> "Port":
        """The end of one more branch, as that branch sees it."""
        port = Port(self, len(self.ports))
        self.ports.append(port)
        return port

    def add_branch(self, first: Neighbour) -> None:
        """Add the branch's end that is next to this junction."""
        self._branches.append(first)
        self._into.append(self.links.way_to(first))

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle and self.enter(frame, direction):
            return
        self.taken += 1
        for target in self._into:
            self.dispatcher.send(target, frame, direction)

    def on_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        if direction is self._splits:
            self.split.add(frame)
        self.forward_lifecycle(frame, direction)

    def move_on(self, frame: Frame, direction: FrameDirection) -> None:
        if direction is not self._splits:
            super().move_on(frame, direction)
            return
        for branch in self._branches:
            self.links.move_to(branch, frame, direction)

    def merge(self, branch: int, frame: Frame, direction: FrameDirection) -> None:
        """A branch delivers a frame."""
        self.taken += 1
        # The same object may be sent again, and then it has to pass again.
        delivered = self._delivered.setdefault(frame, [0] * len(self.ports))
        passed = max(delivered)
        delivered[branch] += 1
        if delivered[branch] > passed:
            self.push(frame, direction)
        else:
            self.counts.dropped["duplicate"] += 1

    def merge_lifecycle(self, branch: int, frame: Frame, direction: FrameDirection) -> None:
        """A branch delivers a lifecycle frame."""
        if isinstance(frame, EndFrame | StopFrame):
            self._ended.add(branch)
            is_last = len(self._ended) == len(self.ports)
        elif frame in self.split_before:
            delivered = self._delivered.setdefault(frame, [0] * len(self.ports))
            delivered[branch] = 1
            is_last = all(delivered)
        else:
            is_last = True
        if is_last:
            self.lifecycle(frame, direction)

    def let_go(self) -> None:
        super().let_go()
        self._branches = []
        self._into = []
        self.ports = []

    def fail_of(self, branch: int, frame: Frame, exc: BaseException) -> None:
        """What a branch delivered could not be dealt with."""
        self.drop_failed(frame, exc, self._branches[branch])


class Port:
    """A junction, as one of its branches sees it."""

    __slots__ = ("_branch", "_junction", "links", "name", "taken")

    call = put = None

    def __init__(self, junction: Junction, branch: int) -> None:
        self._branch = branch
        self._junction = junction
        self.links = junction.links
        self.name = junction.name
        self.taken = 0

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if not (frame.lifecycle and self._junction.enter(frame, direction, self.lifecycle)):
            self._junction.merge(self._branch, frame, direction)

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        self._junction.merge_lifecycle(self._branch, frame, direction)

    def returned(self, result: Any) -> None:
        raise AssertionError("nothing is called here")

    def fail(self, frame: Frame, direction: FrameDirection, exc: BaseException) -> None:
        self._junction.fail_of(self._branch, frame, exc)
