"""Counts the checkpoints of a call, and does something at one of them: cancel it, by default.

What can go wrong when a session is cancelled goes wrong at one of its checkpoints. So let it run
again and again, and cancel it at the first, the second, and so on::

    for number in itertools.count(1):
        checkpoints = Checkpoints(number)
        await checkpoints.run(serve, websocket)
        ...  # look at what it has left behind
        if not checkpoints.reached:
            break  # it was over before

On trio the tasks that are ready run in an order of chance, so from one run to the next a checkpoint
may have another number. All of them come up all the same, as the number goes on until none is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio
import sniffio

from .outcomes import is_outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator

    import trio

__all__ = ["Checkpoints"]

_Ts = TypeVarTuple("_Ts")


class Checkpoints:
    """The checkpoints of one call, as they are passed.

    A checkpoint is a place where a task waits, or lets others run. Counted are those of the call
    and of every task that is started meanwhile in the same event loop, whoever starts it.

    Args:
        number: when so many have been passed, `act` is called; from 1. None: never.
        act: must neither wait nor raise. None: the call is cancelled.
    """

    def __init__(self, number: int | None = None, act: Callable[[], object] | None = None) -> None:
        self.passed = 0
        """How many there were until now."""
        self.reached_s: float | None = None
        """When it came so far, of `anyio.current_time()`; None: it has not."""
        self._number = number
        self._act = act

    @property
    def reached(self) -> bool:
        """Whether it came so far."""
        return self.reached_s is not None

    async def run(self, func: Callable[[*_Ts], Awaitable[object]], *args: *_Ts) -> None:
        """Call `func(*args)`, and wait until it is over. To be called once.

        What the call raises is raised, but not in a group.
        """
        failures: list[BaseException] = []

        async def call() -> None:
            try:
                await func(*args)
            except BaseException as exc:  # the task group would wrap it
                if not is_outcome(exc):
                    raise
                failures.append(exc)

        with self._watched():
            async with anyio.create_task_group() as tasks:
                if self._act is None:
                    self._act = tasks.cancel_scope.cancel
                tasks.start_soon(call)
        if failures:
            raise failures[0]

    def passes(self) -> None:
        """One more was passed."""
        self.passed += 1
        if self.passed == self._number:
            assert self._act is not None
            self.reached_s = anyio.current_time()
            self._act()

    def _watched(self) -> Any:
        on_trio = sniffio.current_async_library() == "trio"
        return _watched_on_trio(self) if on_trio else _watched_on_asyncio(self)


@contextmanager
def _watched_on_trio(checkpoints: Checkpoints) -> Iterator[None]:
    import trio

    instrument: Any = _Instrument(checkpoints)
    trio.lowlevel.add_instrument(instrument)
    try:
        yield
    finally:
        trio.lowlevel.remove_instrument(instrument)


class _Instrument:
    """Of trio's `Instrument`, what is needed."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._tasks: set[trio.lowlevel.Task] = set()

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self._tasks.add(task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self._tasks.discard(task)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task in self._tasks:
            self._checkpoints.passes()


@contextmanager
def _watched_on_asyncio(checkpoints: Checkpoints) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    make: Any = before or _make_task

    def factory(loop: Any, coroutine: Any, **options: Any) -> Any:
        return make(loop, _Watched(coroutine, checkpoints), **options)

    loop.set_task_factory(factory)
    try:
        yield
    finally:
        loop.set_task_factory(before)


def _make_task(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **options)


class _Watched(Coroutine[Any, Any, Any]):
    """A coroutine that tells each time when it has come to wait."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], checkpoints: Checkpoints) -> None:
        self._coroutine = coroutine
        self._checkpoints = checkpoints

    def send(self, value: Any) -> Any:
        awaited = self._coroutine.send(value)
        self._checkpoints.passes()
        return awaited

    def throw(self, *exc: Any) -> Any:
        awaited = self._coroutine.throw(*exc)
        self._checkpoints.passes()
        return awaited

    def close(self) -> None:
        raise AssertionError("a task goes on with its coroutine to the end")

    def __await__(self) -> Generator[Any, Any, Any]:
        raise AssertionError("it is driven by a task, which sends")

    def __getattr__(self, name: str) -> Any:
        # `cr_frame` and its like, by which anyio and the inspect module know what state it is in.
        return getattr(self._coroutine, name)
