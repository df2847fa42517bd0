"""A pipeline to be run: the handle that the application holds."""

import functools
import itertools
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.lowlevel

from wsframes.exceptions import UsageError
from wsframes.frames import EndFrame, Frame, FrameDirection, StopFrame
from wsframes.graph.failures import describe
from wsframes.graph.idle import IdleWatch
from wsframes.graph.mailbox import QueueStatistics
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.observer import BaseObserver, Observers
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.pipeline import Pipeline
from wsframes.graph.run import Run
from wsframes.graph.task_events import TaskEvents

if TYPE_CHECKING:
    from wsframes.graph.context import RunContext
    from wsframes.graph.params import PipelineParams

__all__ = ["PipelineTask"]

H = TypeVar("H", bound=Callable[..., Any])

_numbers = itertools.count()

_MAX_EARLY = 1024


class _State(Enum):
    READY = auto()
    STARTING = auto()
    RUNNING = auto()
    STOPPED = auto()
    FINISHED = auto()


_MAY_RUN = (_State.READY, _State.STOPPED)


class PipelineTask:
    """Runs a pipeline once, or again after each `StopFrame`.

    All methods are to be called from the event loop that `run` runs in.

    Args:
        pipeline: what to run.
        params: how.
        observers: told of every frame that is pushed.
        idle_timeout_secs: seconds without activity after which `on_idle_timeout` is told and, with
            `cancel_on_idle_timeout`, the run ends with the reason `idle_timeout`. None: never.
        idle_timeout_frames: the frame types that count as activity; None: all but input media and
            heartbeats.
        cancel_on_idle_timeout: see `idle_timeout_secs`.
        name: for logs and errors.

    Raises:
        UsageError: one of them is something else.

    Events, each with the task as the first argument, told in order:
        `on_pipeline_started(task, frame)`: every processor has started.
        `on_pipeline_ended(task, frame)`, `on_pipeline_stopped(task, frame)`,
        `on_pipeline_cancelled(task, frame)`: one of them, at the end; the last for every ending
        that is neither of the others.
        `on_pipeline_finished(task, result)`: always, last.
        `on_pipeline_error(task, frame)`: an `ErrorFrame` came out upstream.
        `on_frame_reached_upstream(task, frame)`, `on_frame_reached_downstream(task, frame)`: a
        frame came out of the graph; see `set_reached_upstream_filter`.
        `on_heartbeat_timeout(task, processor_name)`: a heartbeat is held up there.
        `on_idle_timeout(task)`.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        params: "PipelineParams | None" = None,
        observers: Sequence[BaseObserver] = (),
        idle_timeout_secs: float | None = None,
        idle_timeout_frames: Iterable[type[Frame]] | None = None,
        cancel_on_idle_timeout: bool = True,
        name: str | None = None,
    ) -> None:
        if not isinstance(pipeline, Pipeline):
            raise UsageError(f"a PipelineTask runs a Pipeline, not {pipeline!r}")
        from wsframes.graph.params import DEFAULTS, PipelineParams  # see `wsframes.graph`

        if params is not None and not isinstance(params, PipelineParams):
            raise UsageError(f"params of a PipelineTask are PipelineParams, not {params!r}")
        for observer in observers:
            if not isinstance(observer, BaseObserver):
                raise UsageError(f"{observer!r} is no observer: subclass BaseObserver")
        if idle_timeout_secs is not None and not idle_timeout_secs > 0:
            raise UsageError(f"idle_timeout_secs is {idle_timeout_secs!r}; None is never")
        self.name = name if name is not None else f"PipelineTask#{next(_numbers)}"
        self._pipeline = pipeline
        self._params = params if params is not None else DEFAULTS
        self._observers = Observers(observers)
        self._events = TaskEvents(self, self.name)
        self._cancel_on_idle = cancel_on_idle_timeout
        self._watch_idle: Callable[[RunContext], IdleWatch] | None = None
        if idle_timeout_secs is not None:
            self._watch_idle = functools.partial(
                IdleWatch,
                timeout_s=idle_timeout_secs,
                activity=None if idle_timeout_frames is None else tuple(idle_timeout_frames),
                idle=self._went_idle,
            )
        self._state = _State.READY
        self._run: Run | None = None
        self._early: list[tuple[Frame, FrameDirection]] = []
        self._cancelled_early = False

    def __repr__(self) -> str:
        return f"<{self.name} {self._state.name.lower()}>"

    async def run(self) -> RunResult:
        """Run the pipeline until it is over, and say how it ended.

        When it has returned or raised, nothing that the run started is left: no task, timer or
        socket. After a `StopFrame` (reason `stopped`) the processors and the socket stay as they
        are, and `run` may be called again to resume; to give up instead, call `aclose`.

        Cancelling: an ordinary cancellable coroutine. The processors are cleaned up within
        `cancel_timeout`, and the end is told to the handlers.

        Raises:
            UsageError: the task runs or has run, or one of its processors runs elsewhere.
        """
        if self._state not in _MAY_RUN:
            raise UsageError(f"{self.name} {_WHY_NOT[self._state]}")
        for processor in self._pipeline:
            if processor._node is not None:
                raise UsageError(f"{processor.name} is part of a pipeline that is running already")
        if self._run is not None:
            self._run.let_go()
        self._state = _State.STARTING
        self._run = Run(
            self._pipeline, self._params, self._observers, self._events, self._watch_idle
        )
        after = _State.FINISHED
        try:
            result = await self._run.execute(self._begin)
            if result.reason is EndReason.STOPPED:
                after = _State.STOPPED
                if self._run.late_end is not None:
                    self._early.append((self._run.late_end, FrameDirection.DOWNSTREAM))
        finally:
            self._state = after
            if after is _State.FINISHED:
                self._run.let_go()
        return result

    async def aclose(self) -> None:
        """Clean up the processors of a task that was stopped and is not to be resumed.

        Cancelling: they are cleaned up within `cancel_timeout`, as by `run`.
        """
        if self._state is _State.STOPPED and self._run is not None:
            self._state = _State.FINISHED
            try:
                await self._run.clean_up()
            finally:
                self._run.let_go()

    async def queue_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Let a frame into the pipeline, and wait while the lanes that it reached are full.

        Before the run has begun, frames are kept for it. After an `EndFrame` they are refused and
        counted. Upstream, a frame enters at the pipeline's downstream end.

        Cancelling: the frame has been handed over.

        Raises:
            UsageError: it is no frame, or too many are kept already.
        """
        run = self._send(frame, direction)
        if run is None:
            if self._state is _State.FINISHED:
                # As any refused push: whoever goes on and on must be cancellable.
                await anyio.lowlevel.checkpoint()
        elif run.context.dispatcher.congested and not frame.lifecycle:
            await run.source.wait_for_room(frame, direction)

    async def queue_frames(self, frames: Iterable[Frame] | AsyncIterable[Frame]) -> None:
        """`queue_frame` for each, in order."""
        if isinstance(frames, AsyncIterable):
            async for frame in frames:
                await self.queue_frame(frame)
        else:
            for frame in frames:
                await self.queue_frame(frame)

    async def stop_when_done(self) -> None:
        """End the run when everything that was queued so far has been delivered.

        Does not wait for that, nor for room.
        """
        self._send(EndFrame())

    async def stop(self) -> None:
        """Stop the run, as `stop_when_done`, so that it can be resumed.

        An end that is asked for while it stops, and between that and its resumption, ends the next
        run.
        """
        self._send(StopFrame())

    async def cancel(self) -> None:
        """End the run now. Returns at once; `run` returns within `cancel_timeout`.

        An end that is under way, or decided already, is hurried up. Before the run, and between a
        stop and its resumption, it is the next run that is cancelled.
        """
        if self._state is _State.RUNNING and self._run is not None:
            self._run.cancel()
        else:
            self._cancelled_early = True

    def has_finished(self) -> bool:
        """Whether `run` is over and cannot be called again."""
        return self._state is _State.FINISHED

    def event_handler(self, name: str) -> Callable[[H], H]:
        """Decorator: call the function, `def` or `async def`, at the event.

        Raises:
            UsageError: there is no event of that name.
        """
        return self._events.handlers.handler(name)

    def add_event_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """What `event_handler` does, as a call."""
        self._events.handlers.add(name, handler)

    def set_reached_upstream_filter(self, types: Iterable[type[Frame]]) -> None:
        """Tell `on_frame_reached_upstream` of these types only."""
        self._events.upstream_types = tuple(types)

    def set_reached_downstream_filter(self, types: Iterable[type[Frame]]) -> None:
        """Tell `on_frame_reached_downstream` of these types only."""
        self._events.downstream_types = tuple(types)

    def statistics(self) -> dict[str, QueueStatistics]:
        """What has become of the frames at each place of the graph, in order, by its name.

        Of the run that is under way, or of the last one.
        """
        nodes = self._run.nodes if self._run is not None else []
        return {node.name: node.statistics() for node in nodes}

    def observer_statistics(self) -> list[QueueStatistics]:
        """What each observer was told and what it lost."""
        return self._observers.statistics()

    def event_statistics(self) -> QueueStatistics:
        """How often handlers were to be called in the run, and what became of it."""
        return self._events.statistics()

    def metrics(self) -> dict[str, ProcessingMetrics]:
        """How long each processor took, with `enable_metrics`."""
        return dict(self._run.context.metrics or {}) if self._run is not None else {}

    def _begin(self) -> None:
        assert self._run is not None
        self._state = _State.RUNNING
        early, self._early = self._early, []
        for frame, direction in early:
            self._run.send(frame, direction)
        if self._cancelled_early:
            self._run.cancel()

    def _send(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> Run | None:
        """Let a frame in; the run that it went into, if it did at once."""
        if not isinstance(frame, Frame):
            raise UsageError(f"{self.name} was given {describe(frame)}, which is no frame")
        if not isinstance(direction, FrameDirection):
            raise UsageError(f"{self.name} was given {direction!r}, which is no direction")
        if self._state is _State.RUNNING:
            assert self._run is not None
            self._run.send(frame, direction)
            return self._run
        if self._state is _State.FINISHED:
            assert self._run is not None
            self._run.refuse("finished")
        elif len(self._early) >= _MAX_EARLY:
            raise UsageError(f"more than {_MAX_EARLY} frames were queued before the run")
        else:
            self._early.append((frame, direction))
        return None

    def _went_idle(self) -> None:
        self._events.tell("on_idle_timeout")
        if self._cancel_on_idle and self._run is not None:
            self._run.context.finish(EndReason.IDLE_TIMEOUT)


_WHY_NOT = {
    _State.STARTING: "is running already",
    _State.RUNNING: "is running already",
    _State.FINISHED: "has finished; make a new PipelineTask of new processors",
}
