"""The one task of a run that waits for time to pass."""

import math
from collections.abc import Callable

from wsframes.graph.clock import loop_clock
from wsframes.graph.nap import Nap
from wsframes.graph.timers import Timer, Timers

__all__ = ["Alarm"]


class Alarm:
    """Runs timers when they are due, until it is told to ring off.

    Attributes:
        clock: says what `anyio.current_time` does; see `loop_clock`.
    """

    __slots__ = ("_nap", "_timers", "_wake_at_s", "clock")

    def __init__(self) -> None:
        self.clock = loop_clock()
        self._nap = Nap(self.clock)
        self._timers = Timers()
        self._wake_at_s = -math.inf

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Run a callback at a time of `anyio.current_time()`. It must not wait."""
        timer = self._timers.call_at(due_s, callback)
        if due_s < self._wake_at_s:
            self._nap.end()
        return timer

    def clear(self) -> None:
        """Forget what is set."""
        self._timers = Timers()

    def look_up(self) -> None:
        """Let `run` ask again whether it is over."""
        self._nap.end()

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Run what is due until it is over. What a callback raises comes out here."""

        async def work() -> bool:
            while not is_over():
                self._wake_at_s = self._timers.next_due_s()
                if not await self._nap.sleep_until(self._wake_at_s):
                    return False
                self._timers.run_due(self.clock())
            return True

        await self._nap.repeat(work)
