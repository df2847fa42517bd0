"""The one task of a run that waits for time to pass."""

import math
from collections.abc import Callable

import anyio

from wsframes.graph.timers import Timer, Timers

__all__ = ["Alarm"]


class Alarm:
    """Runs timers when they are due, until it is told to ring off."""

    __slots__ = ("_timers", "_wake", "_wake_at_s")

    def __init__(self) -> None:
        self._timers = Timers()
        self._wake = anyio.Event()
        self._wake_at_s = math.inf

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Run a callback at a time of `anyio.current_time()`. It must not wait."""
        timer = self._timers.call_at(due_s, callback)
        if due_s < self._wake_at_s:
            self._wake.set()
        return timer

    def look_up(self) -> None:
        """Let `run` ask again whether it is over."""
        self._wake.set()

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Run what is due until it is over. What a callback raises comes out here."""
        while not is_over():
            self._wake = anyio.Event()
            self._wake_at_s = self._timers.next_due_s()
            with anyio.CancelScope(deadline=self._wake_at_s):
                await self._wake.wait()
            self._timers.run_due(anyio.current_time())
