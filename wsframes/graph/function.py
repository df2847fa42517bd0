"""The place of a processor that never waits: it runs inside the push that reaches it."""

from typing import Any, cast

from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.node import Node
from wsframes.graph.processor import FrameProcessor
from wsframes.graph.shape import passes_all
from wsframes.graph.states import NodeState, is_shown

__all__ = ["FunctionNode"]


class FunctionNode(Node):
    """Lets the dispatcher call `process_frame` while it runs."""

    __slots__ = ("_function", "_passes_all", "_processor")

    def __init__(self, context: RunContext, processor: FrameProcessor) -> None:
        super().__init__(context, processor.name)
        self._processor = processor
        self._passes_all = passes_all(processor)
        self._function: Receive = self.push if self._passes_all else processor.process_frame
        if context.metrics is not None and not self._passes_all:
            metrics = context.metrics[self.name] = ProcessingMetrics()
            self._function = metrics.measured(self._function, context.clock)

    def entrance(self, state: NodeState) -> Receive | None:
        return self._function if state is NodeState.RUNNING else None

    def on_lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        shown = is_shown(self.state, frame)
        if isinstance(frame, CancelFrame):
            self.forward_lifecycle(frame, direction)  # first: nothing more is let through
        if shown:
            try:
                self.returned(self._hook(frame))
                if not self._passes_all:
                    self.returned(self._function(frame, direction))
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as exc:  # of any kind, as in the dispatcher
                self.report_on(frame, exc)
        self.forward_lifecycle(frame, direction)

    def let_go(self) -> None:
        super().let_go()
        del self._function, self._processor

    def _hook(self, frame: Frame) -> Any:
        processor = self._processor
        if isinstance(frame, StartFrame):
            return processor.start(frame)
        if isinstance(frame, EndFrame):
            return processor.stop(frame)
        if isinstance(frame, CancelFrame):
            return processor.cancel(frame)
        if isinstance(frame, StopFrame):
            return None
        return processor.interrupt(cast("InterruptionFrame", frame))
