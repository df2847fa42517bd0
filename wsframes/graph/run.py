"""One execution of a pipeline: from the StartFrame until nothing of it is left.

    start      StartFrame goes through the graph; a deadline watches it
    work       until the end is decided: by a frame that comes out of the graph, by a timer, by a
               processor (`end_run`), or from outside (`cancel`)
    wind down  unless End or Stop has come through: CancelFrame to all, time for their `cancel`;
               time for the observers to see the last frames
    leave      the task group of lanes and background work is cancelled
    clean up   every processor's `cleanup`, then what is left of the events

Every step but work has a deadline. The cancellation of the caller skips to *leave*; the last step
is shielded from it.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

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
from wsframes.graph.closing import Patience, Step, abort, clean_up
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventQueue
from wsframes.graph.heartbeat import Heartbeats
from wsframes.graph.idle import IdleWatch
from wsframes.graph.lane import LaneNode
from wsframes.graph.observer import Observers
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.pipeline import Pipeline
from wsframes.graph.states import NodeState
from wsframes.graph.terminal import Terminal
from wsframes.graph.wiring import attach, detach, wire

if TYPE_CHECKING:
    from wsframes.graph.node import Node
    from wsframes.graph.params import PipelineParams

__all__ = ["Run", "RunListener"]

_GRACEFUL = (EndReason.ENDED, EndReason.STOPPED)


class RunListener(Protocol):
    """Whom a run tells what happens."""

    def begin(self, events: EventQueue) -> None: ...

    def started(self, frame: StartFrame) -> None: ...

    def reached_upstream(self, frame: Frame) -> None: ...

    def reached_downstream(self, frame: Frame) -> None: ...

    def heartbeat_missed(self, holder: str) -> None: ...

    def handler_failed(self, event: str, exc: BaseException) -> None: ...

    def finished(self, result: RunResult) -> None: ...


class Run:
    """One run. `execute` may be called once.

    Args:
        pipeline: what is run.
        params: how.
        observers: told of every frame that is pushed.
        listener: told what happens.
        watch_idle: makes the idle watch, where there is to be one.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        params: "PipelineParams",
        observers: Observers,
        listener: RunListener,
        watch_idle: Callable[[RunContext], IdleWatch] | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._params = params
        self._observers = observers
        self._listener = listener
        self._watch_idle = watch_idle
        self._patience = Patience(params.cancel_timeout)
        self._heartbeats: Heartbeats | None = None
        self.nodes: list[Node] = []
        self.late_end: EndFrame | None = None
        """An end that came when the run was stopping: it is for the next one."""
        self.context: RunContext
        self.source: Terminal

    async def execute(self, begin: Callable[[], None]) -> RunResult:
        """Run to the end.

        Args:
            begin: called when frames can be sent, right after the StartFrame.
        """
        try:
            # Events are told, and hurry is noticed, until everything else is over.
            async with anyio.create_task_group() as outer:
                events = EventQueue(
                    outer, self._params.handler_timeout, self._listener.handler_failed
                )
                leaving = anyio.CancelScope(shield=True)
                try:
                    async with anyio.create_task_group() as workers:
                        self.context = RunContext(workers, events, self._params.drain_stall_timeout)
                        try:
                            self._open()
                            begin()
                            await self._wind_down(await self.context.run_timers())
                        except BaseException as exc:
                            self.context.finish_by(exc)
                            if isinstance(exc, anyio.get_cancelled_exc_class()):
                                self._patience.hurry()
                            raise
                        finally:
                            outer.start_soon(self._watch_leaving, leaving)
                        workers.cancel_scope.cancel()
                finally:
                    leaving.cancel()
                    outer.start_soon(_hurry_when_cancelled, self._patience)
                    # A task of its own: on asyncio no shield holds a second `Task.cancel` back.
                    outer.start_soon(self._close, events, outer.cancel_scope)
        except BaseExceptionGroup as group:
            # Nothing that a processor raises comes out here; what does is no matter of groups. Nor
            # must the cancellation of the caller hide it, which on trio is in the group too.
            cancelled = anyio.get_cancelled_exc_class()
            raise _first_of(group.split(cancelled)[1] or group) from None
        assert self.context.result is not None
        return self.context.result

    def send(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        """Let a frame in, at the end of the graph that its direction says."""
        if direction is not FrameDirection.DOWNSTREAM:
            self.nodes[-1].push(frame, direction)
        elif self.source.state is NodeState.STOPPED and isinstance(frame, EndFrame):
            self.late_end = frame
        else:
            self.source.send(frame)

    def refuse(self, reason: str) -> None:
        """Count a frame that came too late."""
        if self.nodes:
            self.source.refuse(reason)

    def cancel(self) -> None:
        """End the run now; one whose end is under way gets over with it."""
        self.context.finish(EndReason.CANCELLED)
        self._patience.hurry()

    def let_go(self) -> None:
        """No frame is sent any more: keep the statistics only."""
        for node in self.nodes:
            node.let_go()
        if self.nodes:
            self.context.let_go()

    async def clean_up(self) -> None:
        """Call every processor's `cleanup`, of a run that was stopped."""
        patience = Patience(self._params.cancel_timeout)
        attach(self._pipeline, self.nodes)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_hurry_when_cancelled, patience)
                tasks.start_soon(self._clean_up, patience, tasks.cancel_scope)
        finally:
            detach(self._pipeline)

    def _open(self) -> None:
        params = self._params
        context = self.context
        idle = None if self._watch_idle is None else self._watch_idle(context)
        if self._observers or idle is not None:
            context.observed = functools.partial(self._observers.between, context, idle)
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

    def _reached_upstream(self, frame: Frame, direction: FrameDirection) -> None:
        context = self.context
        if isinstance(frame, ErrorFrame) and frame.fatal:
            if not context.enter(frame, FrameDirection.UPSTREAM):
                return  # told at once before, and now it has come all the way
            context.finish(EndReason.ERROR, error=frame.exception or frame.error)
        elif isinstance(frame, EndFrame | StopFrame):
            self.send(frame.replace())
        elif isinstance(frame, CancelFrame):
            context.finish(EndReason.CANCELLED)
        elif isinstance(frame, BotInterruptionFrame):
            self.source.send(InterruptionFrame())
        self._listener.reached_upstream(frame)

    def _reached_downstream(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle:
            self._lifecycle_reached_downstream(frame)
        elif self._heartbeats is not None and isinstance(frame, HeartbeatFrame):
            self._heartbeats.arrived(frame)
        self._listener.reached_downstream(frame)

    def _lifecycle_reached_downstream(self, frame: Frame) -> None:
        if isinstance(frame, StartFrame):
            self._started(frame)
        elif isinstance(frame, EndFrame):
            self.context.finish(EndReason.ENDED)
        elif isinstance(frame, StopFrame):
            self.context.finish(EndReason.STOPPED)
        elif isinstance(frame, CancelFrame):
            self.context.finish(EndReason.CANCELLED)

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
        if result.reason is EndReason.CANCELLED:
            self._patience.hurry()
        if result.reason not in _GRACEFUL:
            await self._cancel_processors(result.reason)
        with self._patience.step(Step.OBSERVERS, self._params.cancel_timeout):
            await self._observers.wait_idle()

    async def _cancel_processors(self, reason: EndReason) -> None:
        self.source.send(CancelFrame(reason=reason))
        lanes = [node for node in self.nodes if isinstance(node, LaneNode)]
        seconds = self._params.cancel_timeout * Step.CANCEL_HOOKS
        with self._patience.step(Step.CANCEL_HOOKS, seconds):
            for lane in lanes:
                await lane.wait_cancelled()
        for lane in lanes:
            if not lane.is_cancelled:
                self.context.add_to_result(stuck=lane.name)

    async def _watch_leaving(self, scope: anyio.CancelScope) -> None:
        with scope:
            with self._patience.step(Step.LEAVING, self._params.cancel_timeout):
                await anyio.sleep_forever()
            # A task cannot be left behind, so the run waits; but nobody shall wonder for whom.
            for name, owner in self.context.working:
                text = f"the run waits for {name}, which does not let itself be cancelled"
                self.context.failures.error(f"leaving {name}", text)
                self.context.add_to_result(stuck=owner)
            await abort(self._pipeline, self.context)

    async def _clean_up(self, patience: Patience, over: anyio.CancelScope) -> None:
        with anyio.CancelScope(shield=True):
            with patience.step(Step.LAST_HANDLERS, self._params.drain_stall_timeout):
                await clean_up(self._pipeline, self.context)
        over.cancel()

    async def _close(self, events: EventQueue, over: anyio.CancelScope) -> None:
        with anyio.CancelScope(shield=True):
            await self._release(events)
        over.cancel()

    async def _release(self, events: EventQueue) -> None:
        """Release everything and tell the end."""
        params = self._params
        context = self.context
        assert context.result is not None
        self._patience.took(Step.LEAVING)
        for node in self.nodes:
            node.close()
        with self._patience.step(Step.HANDLERS, 2 * params.handler_timeout):
            await events.wait_idle()
        events.abandon()
        reason = context.result.reason
        graceful = reason in _GRACEFUL
        seconds = params.drain_stall_timeout if graceful else params.cancel_timeout
        if reason is not EndReason.STOPPED:
            with self._patience.step(Step.CLEAN_UP, seconds):
                await clean_up(self._pipeline, context)
        self._listener.finished(context.result)
        with self._patience.step(Step.LAST_HANDLERS, 2 * params.handler_timeout):
            await events.wait_idle()
        events.close()
        self._observers.end()
        detach(self._pipeline)


# No method: its frame would keep the run, as in `RunContext`.
async def _hurry_when_cancelled(patience: Patience) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        patience.hurry()


def _first_of(exc: BaseException) -> BaseException:
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc
