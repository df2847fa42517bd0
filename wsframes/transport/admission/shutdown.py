"""SIGTERM and SIGINT, taken before the server takes them.

Servers tell an application of a shutdown when they have closed its connections already, or give
them up after a few seconds in which they tell nothing. So the signals are taken first: the sessions
are drained, and then the server is told, by the handlers that it had set.

    first signal    `drain`; when it has returned, the server is told
    second signal   `cancel`, and a second later at the latest the server is told
    further ones    go to the server

A worker of hypercorn or anycorn has no handlers of its own and ignores SIGINT: its parent tells it
by other means. Where both are sent the signal, as a terminal and systemd do, the worker leaves when
it is told; so where one of the signals has no handler there is time for that, before the signal
does what it does.
"""

import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Self

import anyio

from wsframes.exceptions import UsageError

__all__ = ["SignalWatch"]

_NUMBERS = (signal.SIGTERM, signal.SIGINT)

# A handler runs between any two steps and cannot wake a task on every backend: so the task looks.
_LOOK_S = 0.05
_HURRY_S = 1.0

# hypercorn and anycorn look ten times a second whether they are to go, and then close what is left.
_LEAVE_S = 2.0
_NOBODY = (signal.SIG_DFL, signal.SIG_IGN)


class SignalWatch:
    """Drains at the first signal, cancels at the second, and then lets the server know.

    Use it as `async with`, in the main thread, after the server has set its handlers: in the
    lifespan.

    Args:
        drain: ends what runs, in its own time.
        cancel: ends it now; does not wait for that.
    """

    def __init__(
        self, drain: Callable[[], Awaitable[Any]], cancel: Callable[[], Awaitable[Any]]
    ) -> None:
        self._drain = drain
        self._cancel = cancel
        self._taken: list[int] = []
        self._previous: dict[int, Any] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            raise UsageError("signals can be handled in the main thread only")
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(tasks.cancel_scope.cancel)
            for number in _NUMBERS:
                self._previous[number] = signal.signal(number, self._take)
            stack.callback(self._restore)
            tasks.start_soon(self._watch, name="wsframes signals")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        # What the body raised goes on as it is, not as a part of a group.
        await self._stack.aclose()

    def _take(self, number: int, _: object) -> None:
        self._taken.append(number)

    async def _wait_for(self, signals: int) -> None:
        while len(self._taken) < signals:  # noqa: ASYNC110 (a handler cannot set an event)
            await anyio.sleep(_LOOK_S)

    async def _watch(self) -> None:
        await self._wait_for(1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hurry, tasks.cancel_scope)
            await self._drain()
            tasks.cancel_scope.cancel()
        if any(handler in _NOBODY for handler in self._previous.values()):
            with anyio.move_on_after(_LEAVE_S):
                await self._wait_for(3)
        self._hand_on()

    async def _hurry(self, scope: anyio.CancelScope) -> None:
        await self._wait_for(2)
        await self._cancel()
        await anyio.sleep(_HURRY_S)
        scope.cancel()

    def _hand_on(self) -> None:
        terminate, interrupt = (self._previous[number] for number in _NUMBERS)
        self._restore()
        for number in self._taken:
            # A server that treats both alike is told what it exits with 0 for: uvicorn dies of
            # the signal that it was told, when all is done, and not of SIGINT.
            signal.raise_signal(signal.SIGINT if terminate == interrupt else number)

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())
