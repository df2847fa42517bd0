"""The two ends of a run's graph: what gets there is handed to the run."""

from collections.abc import Callable

from wsframes.frames import Frame, FrameDirection, Lane
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive
from wsframes.graph.node import Node
from wsframes.graph.states import NodeState

__all__ = ["Terminal"]

DOWNSTREAM = FrameDirection.DOWNSTREAM


class Terminal(Node):
    """The source or the sink.

    Args:
        arrived: told of every frame that comes out of the graph here.
    """

    __slots__ = ("_arrived",)

    def __init__(
        self, context: RunContext, name: str, arrived: Callable[[Frame, FrameDirection], None]
    ) -> None:
        super().__init__(context, name)
        self._arrived = self.call = arrived

    def entrance(self, state: NodeState) -> Receive | None:
        return self._arrived

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle and self.enter(frame, direction):
            return
        self.taken += 1
        self._arrived(frame, direction)

    def on_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        self.forward_lifecycle(frame, direction)
        self._arrived(frame, direction)

    def let_go(self) -> None:
        super().let_go()
        del self._arrived

    def send(self, frame: Frame) -> None:
        """Let a frame into the graph, from its upstream end."""
        if not frame.lifecycle:
            self.push(frame, DOWNSTREAM)
        elif self.state is not NodeState.RUNNING and frame.lane is Lane.ORDERED:
            self.refuse("ended")
        elif self.context.enter(frame, DOWNSTREAM):
            self.forward_lifecycle(frame, DOWNSTREAM)
