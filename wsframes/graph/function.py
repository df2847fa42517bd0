"""The place of a processor that never waits: it runs inside the push that reaches it."""

from typing import cast

import anyio

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
from wsframes.graph.node import Node, NodeState
from wsframes.graph.processor import FrameProcessor

__all__ = ["FunctionNode"]


class FunctionNode(Node):
    """Lets the dispatcher call `process_frame` while it runs."""

    __slots__ = ("_function", "_processor")

    def __init__(self, context: RunContext, processor: FrameProcessor) -> None:
        super().__init__(context, processor.name)
        self._processor = processor
        overridden = type(processor).process_frame is not FrameProcessor.process_frame
        self._function: Receive = processor.process_frame if overridden else self.push
        if overridden and context.metrics is not None:
            metrics = context.metrics[self.name] = ProcessingMetrics()
            self._function = metrics.measured(self._function)

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle and self.enter(frame, direction):
            return
        if self.call is not None:  # an upstream request, or a frame that was observed
            self.taken += 1
            try:
                self.call(frame, direction)
            except Exception as exc:
                self.fail(frame, exc)
        else:
            # Not started yet, or stopped: the processor is not asked, but the way stays open for
            # what `down` lets pass.
            self.push(frame, direction)

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        starting = isinstance(frame, StartFrame)
        if self.state is (NodeState.WAITING if starting else NodeState.RUNNING):
            try:
                self._show(frame, direction)
            except Exception as exc:
                self.report_on(frame, exc)
        self.forward_lifecycle(frame, direction)
        self.call = self._function if self.state is NodeState.RUNNING else None

    def _show(self, frame: Frame, direction: FrameDirection) -> None:
        processor = self._processor
        if isinstance(frame, StartFrame):
            processor.start(frame)
        elif isinstance(frame, EndFrame):
            processor.stop(frame)
        elif isinstance(frame, CancelFrame):
            processor.cancel(frame)
        elif not isinstance(frame, StopFrame):
            processor.interrupt(cast(InterruptionFrame, frame))
        if isinstance(frame, EndFrame | StopFrame):
            self.context.drain.hold(self.name, anyio.current_time())
        if self._function != self.push:
            self._function(frame, direction)
