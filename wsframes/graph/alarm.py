"""The one task of a run that waits for time to pass."""

from collections.abc import Callable

import anyio

from wsframes.graph.clock import loop_clock
from wsframes.graph.timers import Timer, Timers

__all__ = ["Alarm"]


class Alarm:
    """Runs timers when they are due, until it is told to ring off.

    It sleeps until a deadline that moves when timers are set or put off. So what watches something
    that goes on, such as speech, puts its timer off now and then, and the task is not woken at all.

    Attributes:
        clock: says what `anyio.current_time` does; see `loop_clock`.
    """

    __slots__ = ("_sleep", "_timers", "clock")

    def __init__(self) -> None:
        self.clock = loop_clock()
        self._timers = Timers()
        self._sleep: anyio.CancelScope | None = None

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        """Run a callback at a time of `anyio.current_time()`. It must not wait."""
        timer = self._timers.call_at(due_s, callback)
        if self._sleep is not None and due_s < self._sleep.deadline:
            self._sleep.deadline = due_s
        return timer

    def clear(self) -> None:
        """Forget what is set."""
        self._timers = Timers()

    def put_off(self, timer: Timer, due_s: float) -> None:
        """Run a timer that has not run yet at a later time."""
        timer.due_s = due_s
        if self._sleep is not None:
            next_s = self._timers.next_due_s()
            if next_s != self._sleep.deadline:
                self._sleep.deadline = next_s

    def look_up(self) -> None:
        """Let `run` ask again whether it is over."""
        if self._sleep is not None:
            self._sleep.cancel()

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Run what is due until it is over. What a callback raises comes out here."""
        while not is_over():
            try:
                with anyio.CancelScope(deadline=self._timers.next_due_s()) as self._sleep:
                    await anyio.sleep_forever()
            finally:
                self._sleep = None
            self._timers.run_due(self.clock())
