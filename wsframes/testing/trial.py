"""One run of what is under test, between two places that see all that comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from wsframes.frames import CancelFrame, Frame, FrameDirection, StartFrame
from wsframes.graph import (
    BaseObserver,
    EndReason,
    FrameProcessor,
    FramePushed,
    ParallelPipeline,
    Pipeline,
    PipelineParams,
    PipelineTask,
    RunResult,
)

from .outcomes import is_outcome
from .watching import watched_cleanups, watched_observer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["Section", "Trial"]

DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM

Section = FrameProcessor | Pipeline | ParallelPipeline
"""What can stand in a pipeline."""


class _End(FrameProcessor):
    """Passes frames. The observer knows by its name what has come out of the section."""


class _Recorder(BaseObserver):
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def on_push_frame(self, data: FramePushed) -> None:
        trial = self._trial
        way = data.direction, data.source
        if way == (DOWNSTREAM, trial.below.name) and not self._is_again_cancelled(data.frame):
            trial.down.append(data.frame)
            if isinstance(data.frame, StartFrame):
                trial.started.set()
        elif way == (UPSTREAM, trial.above.name):
            trial.up.append(data.frame)

    def _is_again_cancelled(self, frame: Frame) -> bool:
        # A run that a CancelFrame has ended sends one of its own, to be sure.
        down = self._trial.down
        return isinstance(frame, CancelFrame) and bool(down) and isinstance(down[-1], CancelFrame)


class Trial:
    """Runs a section, and keeps what comes out of it in `down` and `up`.

    It may be run again after a `StopFrame`. What cleanups have raised is in `cleanup_errors`, with
    the name of the processor.

    Args:
        section: what is under test.
        params: of the run.
        observers: of the run, beside the trial's own.
        timeout_s: how long `send` may wait.
    """

    def __init__(
        self,
        section: Section,
        *,
        params: PipelineParams,
        observers: Sequence[BaseObserver] = (),
        timeout_s: float,
    ) -> None:
        self.above = _End()
        self.below = _End()
        self.down: list[Frame] = []
        self.up: list[Frame] = []
        self.started = anyio.Event()
        self.result: RunResult | None = None
        self.cleanup_errors: list[tuple[str, BaseException]] = []
        self._observer_errors: list[BaseException] = []
        self._pipeline = Pipeline([self.above, section, self.below])
        watched = [watched_observer(observer, self._observer_errors) for observer in observers]
        self.task = PipelineTask(
            self._pipeline, params=params, observers=[_Recorder(self), *watched]
        )
        self._timeout_s = timeout_s

    async def run(self, drive: Callable[[], Awaitable[None]]) -> RunResult:
        """Run, and drive it as soon as it has started.

        Args:
            drive: runs beside the section. What it raises ends the run, and is raised here.

        Raises:
            AssertionError: the section is stuck, or a queue went past its bound.
            BaseException: what an observer raised, the first time.
        """
        failures: list[BaseException] = []
        self.started = anyio.Event()

        async def drive_when_started() -> None:
            await self.started.wait()
            try:
                await drive()
            except BaseException as exc:
                if not is_outcome(exc):
                    raise
                failures.append(exc)
                await self.task.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drive_when_started)
            try:
                with watched_cleanups(self._pipeline, self.cleanup_errors):
                    self.result = await self.task.run()
            except BaseException as exc:  # kept, for the task group would wrap it
                if not is_outcome(exc):
                    raise
                failures.append(exc)
            tasks.cancel_scope.cancel()
        if failures:
            raise failures[0]
        assert self.result is not None
        _check_moved(self.result)
        if self._observer_errors:
            raise self._observer_errors[0]
        return self.result

    async def close(self) -> None:
        """Clean up, where a `StopFrame` has left that for later."""
        with watched_cleanups(self._pipeline, self.cleanup_errors):
            await self.task.aclose()

    async def send(self, frame: Frame, direction: FrameDirection = DOWNSTREAM) -> None:
        """Let a frame in, at the end that its direction says.

        Raises:
            AssertionError: there was no room for it in time.
        """
        with anyio.move_on_after(self._timeout_s) as scope:
            await self.task.queue_frame(frame, direction)
        if scope.cancelled_caught:
            raise AssertionError(
                f"{self.holder()} is stuck: {frame.name} found no room in its queue for "
                f"{self._timeout_s:g} s"
            )

    def holder(self) -> str | None:
        """The most downstream processor that has frames which it has not dealt with."""
        holders = [
            name
            for name, counts in self.task.statistics().items()
            if counts.taken
            > counts.delivered + sum(counts.dropped.values()) + sum(counts.refused.values())
        ]
        return holders[-1] if holders else None


def _check_moved(result: RunResult) -> None:
    if result.stuck is not None or result.reason in (EndReason.STALLED, EndReason.OVERLOAD):
        where = result.stuck or "the section under test"
        raise AssertionError(f"{where} is stuck: the run ended as {result.reason}, {result.error}")
