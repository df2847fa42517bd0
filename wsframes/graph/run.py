"""One execution of a pipeline: from the StartFrame until nothing of it is left.

    start      StartFrame goes through the graph; a deadline watches it
    work       until the end is decided: by a frame that comes out of the graph, by a timer, by a
               processor (`end_run`), or from outside (`cancel`)
    wind down  unless End or Stop has come through: CancelFrame to all, time for their `cancel`
    leave      the task group of lanes and background work is cancelled
    clean up   every processor's `cleanup`, then what is left of the events

Every step but work has a deadline. The cancellation of the caller skips to *leave*; the last step
is shielded from it.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any, Protocol

import anyio

from wsframes.frames import (
    BotInterruptionFrame,
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventQueue
from wsframes.graph.heartbeat import Heartbeats
from wsframes.graph.lane import LaneNode
from wsframes.graph.node import Node, NodeState
from wsframes.graph.observer import Observers
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.params import PipelineParams
from wsframes.graph.pipeline import Pipeline
from wsframes.graph.terminal import Terminal
from wsframes.graph.wiring import detach, wire

__all__ = ["Run", "RunListener"]

logger = logging.getLogger("wsframes.graph")

# Shares of `cancel_timeout`, counted from the moment at which the end is decided.
_CANCEL_HOOKS = 0.4
_CLEANUP = 0.7
_HANDLERS = 0.85

_GRACEFUL = (EndReason.ENDED, EndReason.STOPPED)


class RunListener(Protocol):
    """Whom a run tells what happens."""

    def begin(self, events: EventQueue) -> None: ...

    def started(self, frame: StartFrame) -> None: ...

    def reached_upstream(self, frame: Frame) -> None: ...

    def reached_downstream(self, frame: Frame) -> None: ...

    def heartbeat_missed(self, holder: str) -> None: ...

    def handler_failed(self, event: str, exc: Exception) -> None: ...

    def finished(self, result: RunResult) -> None: ...


class Run:
    """One run. `execute` may be called once."""

    def __init__(
        self,
        pipeline: Pipeline,
        params: PipelineParams,
        observers: Observers,
        listener: RunListener,
    ) -> None:
        self._pipeline = pipeline
        self._params = params
        self._observers = observers
        self._listener = listener
        self._heartbeats: Heartbeats | None = None
        self._decided_s = 0.0
        self.nodes: list[Node] = []
        self.context: RunContext
        self.source: Terminal

    async def execute(self, begin: Callable[[], None]) -> RunResult:
        """Run to the end.

        Args:
            begin: called when frames can be sent, right after the StartFrame.
        """
        async with anyio.create_task_group() as listeners:
            events = EventQueue(
                listeners, self._params.handler_timeout, self._listener.handler_failed
            )
            try:
                async with anyio.create_task_group() as workers:
                    self._open(RunContext(workers, events, self._params.drain_stall_timeout))
                    begin()
                    result = await self.context.run_timers()
                    self._decided_s = anyio.current_time()
                    if result.reason not in _GRACEFUL:
                        await self._wind_down(result)
                    workers.cancel_scope.cancel()
                with anyio.CancelScope(deadline=self._handlers_until_s(result)):
                    await events.wait_idle()
                events.abandon()
            finally:
                with anyio.CancelScope(shield=True):
                    result = await self._close(events)
            listeners.cancel_scope.cancel()
        return result

    def send(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        """Let a frame in, at the end of the graph that its direction says."""
        if direction is FrameDirection.DOWNSTREAM:
            self.source.send(frame)
        else:
            self.nodes[-1].push(frame, direction)

    async def clean_up(self) -> None:
        """Call every processor's `cleanup`."""
        await clean_up(self._pipeline, self.context, self._params.drain_stall_timeout)

    def _open(self, context: RunContext) -> None:
        params = self._params
        self.context = context
        if self._observers:
            context.observed = self._observers.observed
            self._observers.begin(context)
        if params.enable_metrics:
            context.metrics = {}
        self._listener.begin(context.events)
        self.source = Terminal(context, "source", self._reached_upstream)
        sink = Terminal(context, "sink", self._reached_downstream)
        self.nodes = wire(context, self._pipeline, self.source, sink)
        context.call_at(anyio.current_time() + params.start_timeout, self._check_start)
        self.source.send(
            StartFrame(
                audio_in_sample_rate=params.audio_in_sample_rate,
                audio_out_sample_rate=params.audio_out_sample_rate,
                allow_interruptions=params.allow_interruptions,
                enable_metrics=params.enable_metrics,
            )
        )

    def _check_start(self) -> None:
        waiting = [node.name for node in self.nodes if node.state is NodeState.WAITING]
        if waiting:
            seconds = self._params.start_timeout
            self.context.finish(
                EndReason.ERROR,
                error=TimeoutError(f"{waiting[0]} did not start within {seconds} s"),
                stuck=waiting[0],
            )

    def _reached_upstream(self, frame: Frame) -> None:
        context = self.context
        if isinstance(frame, ErrorFrame) and frame.fatal:
            context.finish(EndReason.ERROR, error=frame.exception or frame.error)
        elif isinstance(frame, EndFrame | StopFrame):
            self.source.send(frame.replace())
        elif isinstance(frame, CancelFrame):
            context.finish(EndReason.CANCELLED)
        elif isinstance(frame, BotInterruptionFrame):
            self.source.send(InterruptionFrame())
        self._listener.reached_upstream(frame)

    def _reached_downstream(self, frame: Frame) -> None:
        if isinstance(frame, HeartbeatFrame) and self._heartbeats is not None:
            self._heartbeats.arrived(frame)
        elif isinstance(frame, StartFrame):
            self._started(frame)
        elif isinstance(frame, EndFrame):
            self.context.finish(EndReason.ENDED)
        elif isinstance(frame, StopFrame):
            self.context.finish(EndReason.STOPPED)
        elif isinstance(frame, CancelFrame):
            self.context.finish(EndReason.CANCELLED)
        self._listener.reached_downstream(frame)

    def _started(self, frame: StartFrame) -> None:
        self._listener.started(frame)
        params = self._params
        if params.enable_heartbeats:
            self._heartbeats = Heartbeats(
                self.context,
                self.source,
                self.nodes,
                period_s=params.heartbeats_period_secs,
                monitor_s=params.heartbeats_monitor_secs,
                missed=self._listener.heartbeat_missed,
            )
            self._heartbeats.send()

    async def _wind_down(self, result: RunResult) -> None:
        self.source.send(CancelFrame(reason=result.reason))
        until_s = self._decided_s + self._params.cancel_timeout * _CANCEL_HOOKS
        lanes = [node for node in self.nodes if isinstance(node, LaneNode)]
        with anyio.CancelScope(deadline=until_s) as scope:
            for lane in lanes:
                await lane.wait_cancelled()
        if scope.cancelled_caught:
            stuck = next(lane.name for lane in lanes if not lane.is_cancelled)
            self.context.add_to_result(stuck=stuck)

    def _handlers_until_s(self, result: RunResult) -> float:
        # Whoever cancels wants it over; otherwise the application may finish what it was told.
        if result.reason is EndReason.CANCELLED:
            return self._decided_s + self._params.cancel_timeout * _HANDLERS
        return anyio.current_time() + 2 * self._params.handler_timeout

    async def _close(self, events: EventQueue) -> RunResult:
        """Shielded: release everything, tell the end, and give the result."""
        params = self._params
        context = self.context
        now_s = anyio.current_time()
        if context.result is None:  # the caller was cancelled
            context.result = RunResult(reason=EndReason.CANCELLED)
            self._decided_s = now_s
        reason = context.result.reason
        if reason in _GRACEFUL:
            cleanup_s, handlers_s = params.drain_stall_timeout, params.handler_timeout
        else:
            left_s = max(0.0, self._decided_s + params.cancel_timeout - now_s)
            cleanup_s = handlers_s = left_s / 2
            if reason is not EndReason.CANCELLED:
                handlers_s = params.handler_timeout
        for node in self.nodes:
            node.close()
        if reason is not EndReason.STOPPED:
            await clean_up(self._pipeline, context, cleanup_s)
        detach(self._pipeline)
        events.take_over()
        self._listener.finished(context.result)
        with anyio.move_on_after(handlers_s):
            await events.deliver()
        return context.result


async def clean_up(pipeline: Pipeline, context: RunContext, timeout_s: float) -> None:
    """Call every processor's `cleanup`; one that fails or hangs costs the others nothing."""
    left: list[str] = []

    async def finish(name: str, result: Any) -> None:
        try:
            await result
        except Exception as exc:
            logger.error("%s failed in cleanup: %r", name, exc, exc_info=exc)
        left.remove(name)

    with anyio.move_on_after(timeout_s):
        async with anyio.create_task_group() as tasks:
            for processor in pipeline:
                try:
                    result = processor.cleanup()
                except Exception as exc:
                    logger.error("%s failed in cleanup: %r", processor.name, exc, exc_info=exc)
                    continue
                if inspect.isawaitable(result):
                    left.append(processor.name)
                    tasks.start_soon(finish, processor.name, result)
    if left:
        logger.error("cleanup did not return within %.3g s: %s", timeout_s, ", ".join(left))
        context.add_to_result(stuck=left[0])
