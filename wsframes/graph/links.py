"""Who is beside a place of the graph, and the ways there that ask nobody.

A push goes where `Node.down` and `Node.up` point, and the first of them may be a gate. What is
here goes past the gates: the lifecycle frames that the graph moves, and what the run has to be told
at once.
"""

from typing import Protocol

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive, Target
from wsframes.graph.standins import Via

__all__ = ["Links", "Neighbour"]

UPSTREAM = FrameDirection.UPSTREAM


class Neighbour(Target, Protocol):
    """What a place is linked to."""

    @property
    def name(self) -> str: ...

    @property
    def links(self) -> "Links": ...

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        """Deal with a lifecycle frame that the graph moves."""


class Links:
    """The two neighbours of a place.

    Args:
        context: the run.
        place: whose neighbours they are.
    """

    __slots__ = ("_context", "_place", "next", "prev")

    def __init__(self, context: RunContext, place: Neighbour) -> None:
        self._context = context
        self._place = place
        self.next: Neighbour | None = None
        """The next one towards the sink."""
        self.prev: Neighbour | None = None
        """The next one towards the source."""

    def way_to(self, neighbour: Neighbour) -> Target:
        """The neighbour, behind the observers if there are any."""
        return self._context.observed(self._place.name, neighbour.name, neighbour)

    def way_down(self) -> Target:
        """The way to the neighbour downstream, wherever the place's pushes go."""
        assert self.next is not None
        return self.way_to(self.next)

    def move_to(self, neighbour: Neighbour | None, frame: Frame, direction: FrameDirection) -> None:
        """Move a lifecycle frame to a neighbour, if there is one."""
        if neighbour is not None:
            self._send(neighbour, neighbour.lifecycle, frame, direction)

    def send_to_source(self, frame: Frame) -> None:
        """Let a frame out of the graph at once, past everybody who is upstream."""
        source = self._place
        while source.links.prev is not None:
            source = source.links.prev
        self._send(source, source.receive, frame, UPSTREAM)

    def _send(
        self, to: Neighbour, receive: Receive, frame: Frame, direction: FrameDirection
    ) -> None:
        target = self._context.observed(self._place.name, to.name, Via(receive, to))
        self._context.dispatcher.send(target, frame, direction)
