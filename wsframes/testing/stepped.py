"""A run that stands still between calls: for Hypothesis's state machines, which are no coroutines.

Such a machine calls one function after the other, and what it tests lives in an event loop that
would run on, in virtual time through every timer that there is. Here the loop waits in a thread of
its own, blocked, until it is told to go on: nothing happens, and no time passes, between two calls.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, TypeVarTuple

import anyio

from .clock import run_virtual
from .outcomes import is_outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["SteppedRun"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_Answer = tuple[Any, BaseException | None]


class SteppedRun:
    """Runs coroutines one after the other in one event loop, in virtual time::

        with SteppedRun("trio") as run:
            run.start_soon(serve)  # begins with the next call
            run.call(anyio.sleep, 3600)
            assert run.call(look) == "as it should be"

    Use it from one thread. At the end of the block, what still runs is cancelled.

    Args:
        backend: where it runs.
    """

    def __init__(self, backend: Literal["asyncio", "trio"] = "asyncio") -> None:
        self._requests: queue.SimpleQueue[Callable[[], Awaitable[Any]] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(backend,), name="stepped run")
        self._tasks: anyio.abc.TaskGroup | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._requests.put(None)
        self._thread.join()
        was_told = self._answers.empty()
        if self._failure is not None and not was_told and exc[0] is None:
            raise self._failure

    def call(self, func: Callable[[*_Ts], Awaitable[_T]], *args: *_Ts) -> _T:
        """Run `func(*args)` to its end, and meanwhile everything else; what it returns or raises.

        Raises:
            BaseException: what something raised that was started with `start_soon`. Then the run is
                over.
            RuntimeError: it is over.
        """
        if self._failure is not None and self._answers.empty():
            raise RuntimeError("this run is over") from self._failure
        self._requests.put(lambda: func(*args))
        result, failure = self._answers.get()
        if failure is not None:
            raise failure
        value: _T = result
        return value

    def start_soon(self, func: Callable[[*_Ts], Coroutine[Any, Any, Any]], *args: *_Ts) -> None:
        """Let `func(*args)` run beside what is called from now on."""

        async def start() -> None:
            assert self._tasks is not None
            self._tasks.start_soon(func, *args)

        self.call(start)

    def _run(self, backend: Literal["asyncio", "trio"]) -> None:
        try:
            run_virtual(self._serve, backend=backend)
        except BaseException as exc:
            self._failure = exc
            self._answers.put((None, exc))

    async def _serve(self) -> None:
        async with anyio.create_task_group() as self._tasks:
            while (job := self._requests.get()) is not None:  # blocks the loop, that is the point
                try:
                    result = await job()
                except BaseException as exc:
                    if not is_outcome(exc):
                        raise
                    self._answers.put((None, exc))
                else:
                    self._answers.put((result, None))
            self._tasks.cancel_scope.cancel()
