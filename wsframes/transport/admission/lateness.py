"""Measures how late the event loop runs, while there is anybody whom that could make late."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import anyio
from anyio.abc import TaskGroup

from wsframes.transport.admission.overload import LOOK_S, Overload

__all__ = ["LatenessWatch"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class LatenessWatch:
    """One task that looks at the clock again and again, beside the sessions of an application.

    It lives in the task group of the session that has run for the longest, and moves on to the next
    one when that is over.

    Args:
        overload: told how late each look was, and asked about it; None: nothing is measured.
    """

    def __init__(self, overload: Overload | None) -> None:
        self._overload = overload
        self._groups: list[TaskGroup] = []
        self._scope: anyio.CancelScope | None = None

    @property
    def lateness_s(self) -> float | None:
        """See `Overload.lateness_s`. It is 0 while nothing runs, and None where nobody measures."""
        if self._overload is None:
            return None
        return self._overload.lateness_s if self._groups else 0.0

    def admits(self, running: int) -> bool:
        """Let in one more session, beside so many, if the loop is in time."""
        overload = self._overload
        return overload is None or overload.admits(running, anyio.current_time())

    async def run(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """Call `func(*args)`, and measure beside it."""
        if self._overload is None:
            return await func(*args)
        failures: list[Exception] = []
        results: list[T] = []
        async with anyio.create_task_group() as tasks:
            self._groups.append(tasks)
            if len(self._groups) == 1:
                self._begin(self._overload)
            try:
                results.append(await func(*args))
            except Exception as exc:  # the task group would wrap it
                failures.append(exc)
            finally:
                self._leave(tasks, self._overload)
        if failures:
            raise failures[0]
        return results[0]

    def _begin(self, overload: Overload) -> None:
        self._scope = scope = anyio.CancelScope()
        self._groups[0].start_soon(_look, overload, scope, name="wsframes lateness")

    def _leave(self, tasks: TaskGroup, overload: Overload) -> None:
        is_host = self._groups[0] is tasks
        self._groups.remove(tasks)
        if is_host:
            assert self._scope is not None
            self._scope.cancel()
            if self._groups:
                self._begin(overload)


async def _look(overload: Overload, scope: anyio.CancelScope) -> None:
    with scope:
        while True:
            due_s = anyio.current_time() + LOOK_S
            await anyio.sleep_until(due_s)
            now_s = anyio.current_time()
            overload.note(now_s - due_s, now_s, time.thread_time())
