"""The last steps of a run: how long each may take, and the clean-up of the processors."""

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio

from wsframes.graph.context import RunContext
from wsframes.graph.failures import describe, is_failure
from wsframes.graph.pipeline import Pipeline

__all__ = ["Patience", "Step", "abort", "clean_up"]


class Step:
    """Until when a step may take when the run is in a hurry, as a share of `cancel_timeout`.

    The steps follow each other in this order, so what one of them leaves is for the next.
    """

    CANCEL_HOOKS = 0.4
    OBSERVERS = 0.5
    LEAVING = 0.6
    HANDLERS = 0.65
    CLEAN_UP = 0.85
    LAST_HANDLERS = 1.0


class Patience:
    """Gives each of the last steps its time, until the run is told to hurry.

    Args:
        cancel_timeout_s: how long all steps together may take from then on.
    """

    __slots__ = ("_cancel_timeout_s", "_hurry_s", "_steps")

    def __init__(self, cancel_timeout_s: float) -> None:
        self._cancel_timeout_s = cancel_timeout_s
        self._hurry_s = math.inf
        self._steps: dict[anyio.CancelScope, float] = {}

    def hurry(self) -> None:
        """Somebody wants it over: in the steps at work, and in those that follow."""
        self._hurry_s = min(self._hurry_s, anyio.current_time())
        for scope, share in self._steps.items():
            scope.deadline = min(scope.deadline, self._until_s(share))

    def took(self, share: float) -> None:
        """A step is over: had it more than its share, it takes nothing from those that follow."""
        late_s = anyio.current_time() - share * self._cancel_timeout_s
        self._hurry_s = max(self._hurry_s, late_s)

    @contextmanager
    def step(self, share: float, seconds: float) -> Iterator[anyio.CancelScope]:
        """A scope with what this step may take."""
        deadline_s = min(anyio.current_time() + seconds, self._until_s(share))
        with anyio.CancelScope(deadline=deadline_s) as scope:
            self._steps[scope] = share
            try:
                yield scope
            finally:
                del self._steps[scope]

    def _until_s(self, share: float) -> float:
        return self._hurry_s + share * self._cancel_timeout_s


async def abort(pipeline: Pipeline, context: RunContext) -> None:
    """Call every processor's `abort`; one that fails costs the others nothing."""
    for processor in pipeline:
        try:
            result = processor.abort()
            if inspect.isawaitable(result):
                await result
        except BaseException as exc:
            if not is_failure(exc):
                raise
            text = f"{processor.name} failed in abort: {describe(exc)}"
            context.failures.error(f"abort of {processor.name}", text, exc)


async def clean_up(pipeline: Pipeline, context: RunContext) -> None:
    """Call every processor's `cleanup`; one that fails or hangs costs the others nothing.

    Cancelling: those that hang are given up, and the first of them is what was stuck.
    """
    left: list[str] = []

    async def finish(name: str, result: Any) -> None:
        try:
            await result
        except BaseException as exc:
            if not is_failure(exc):
                raise
            _failed(context, name, exc)
        left.remove(name)

    try:
        async with anyio.create_task_group() as tasks:
            for processor in pipeline:
                try:
                    result = processor.cleanup()
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as exc:  # of any kind, as in the dispatcher
                    _failed(context, processor.name, exc)
                else:
                    if inspect.isawaitable(result):
                        left.append(processor.name)
                        tasks.start_soon(finish, processor.name, result)
    finally:
        if left:
            names = ", ".join(left)
            context.failures.error("cleanup", f"cleanup did not return in time: {names}")
            context.add_to_result(stuck=left[0])


def _failed(context: RunContext, name: str, exc: BaseException) -> None:
    text = f"{name} failed in cleanup: {describe(exc)}"
    context.failures.error(f"cleanup of {name}", text, exc)
