"""What a future is on asyncio. For `wakeup` alone, which imports it where trio runs.

The one module outside of the test kit and the demo that names a backend: anyio has nothing for a
single sleeper but an event, and with that a hop through a sleeping lane is at 1.3 x a bare event on
trio, where it may be at 1.15 x and is at 1.0 x with this.
"""

from collections.abc import Generator
from typing import Any

from trio.lowlevel import Abort, Task, current_task, reschedule, wait_task_rescheduled

__all__ = ["TrioWakeup"]

_SUCCEEDED = Abort.SUCCEEDED


class TrioWakeup:
    """A `Wakeup`."""

    __slots__ = ("_is_done", "_task")

    def __init__(self) -> None:
        self._is_done = False
        self._task: Task | None = None

    def done(self) -> bool:
        return self._is_done

    def set_result(self, result: None, /) -> None:
        self._is_done = True
        if self._task is not None:
            reschedule(self._task)

    def __await__(self) -> Generator[Any, Any, None]:
        if not self._is_done:
            self._task = current_task()
            # There is no "await" in an `__await__`, so this is as near as one gets:
            yield from wait_task_rescheduled(self._abort).__await__()  # noqa: ASYNC105

    def _abort(self, raise_cancel: object) -> Abort:
        self._is_done = True
        return _SUCCEEDED
