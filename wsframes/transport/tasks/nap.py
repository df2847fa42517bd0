"""Sleeping again and again, where another task may end each sleep before its time."""

import math
from collections.abc import Awaitable, Callable

import anyio

__all__ = ["Nap"]


class Nap:
    """The sleeps of one task.

    A scope with a deadline for each sleep would do the same, but to open one, to let it be
    cancelled and to close it costs as much as five sleeps, and nearly all sleeps last as long as
    they were meant to. So one scope is kept open over many of them, and a new one is opened only
    when a sleep was ended early. The work is done within it, and gives it up then:

        async def work() -> bool:
            while something_is_left:
                if not await nap.sleep_until(due_s):
                    return False
                ...
            return True

        await nap.repeat(work)

    Args:
        clock: says what `anyio.current_time` does; see `loop_clock`.
    """

    __slots__ = ("_asleep", "_clock", "_scope")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._scope: anyio.CancelScope | None = None
        self._asleep = False

    async def repeat(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Do the work until it says that it is done; again, each time that a sleep was ended."""
        done = False
        while not done:
            with anyio.CancelScope() as self._scope:
                done = await work()

    async def sleep_until(self, due_s: float) -> bool:
        """Sleep; False if it was ended: the work must return False without waiting again.

        For the work of `repeat` only.
        """
        scope = self._scope
        assert scope is not None
        self._asleep = True
        try:
            if due_s == math.inf:
                await anyio.sleep_forever()
            else:
                await anyio.sleep(max(0.0, due_s - self._clock()))
        finally:
            self._asleep = False
        # It may have been ended when it was over anyway, and the task had yet to be told.
        return not scope.cancel_called

    def end(self) -> None:
        """End the sleep, if there is one."""
        if self._asleep and self._scope is not None:
            self._scope.cancel()
