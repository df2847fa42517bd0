"""A clock for load tests: the time on a core that nobody else uses.

While the program works, the clock runs with the CPU time that it takes; when every task waits, it
jumps to the next timer. So what is measured by it, lateness above all, does not depend on what
else the machine has to do, and an idle minute takes no time at all.

What comes from outside of that core, as a message from a socket does, comes by `arrival`.
"""

import asyncio
import heapq
import selectors
import time
from typing import Any

import anyio.lowlevel
import trio

__all__ = ["arrival", "core_backend"]


def core_backend(name: str) -> dict[str, Any]:
    """The `backend_options` of `anyio.run` for "asyncio" or "trio"."""
    if name == "trio":
        return {"clock": _CoreClock()}
    return {"loop_factory": _CoreLoop}


async def arrival(at_s: float) -> None:
    """Wait until this time, as for something that arrives then.

    It costs the core as little as a wake-up can. A sleep has a timer besides, and on trio a scope
    that is cancelled: 12 us, a fifth of what a session takes for a message.
    """
    token = anyio.lowlevel.current_token().native_token
    if isinstance(token, _CoreLoop):
        came = token.create_future()
        token.call_at(at_s, _arrive, came)
        await came
    else:
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, _CoreClock)
        await clock.arrival(at_s)


def _arrive(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)


class _CoreLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._idle_s = -time.thread_time()
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._idle_s + time.thread_time()

    def jump(self, seconds: float) -> None:
        self._idle_s += seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: _CoreLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self._loop.jump(timeout)
        return ready


class _CoreClock(trio.abc.Clock):
    def __init__(self) -> None:
        self._idle_s = 0.0
        self._arrivals: list[tuple[float, int, trio.lowlevel.Task]] = []
        self._number = 0  # so that two at the same time are not told apart by their tasks

    def start_clock(self) -> None:
        self._idle_s = -time.thread_time()

    def current_time(self) -> float:
        # Trio asks after each look at what has come from outside, and so do others. An instrument
        # would be told of that look, but costs a twentieth of what is measured.
        now_s = self._idle_s + time.thread_time()
        arrivals = self._arrivals
        while arrivals and arrivals[0][0] <= now_s:
            trio.lowlevel.reschedule(heapq.heappop(arrivals)[2])
        return now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        # Trio asks only when nothing can run.
        if self._arrivals:
            deadline = min(deadline, self._arrivals[0][0])
        self._idle_s += max(0.0, min(deadline, 1e9) - self.current_time())
        return 0.0

    async def arrival(self, at_s: float) -> None:
        self._number += 1
        entry = (at_s, self._number, trio.lowlevel.current_task())
        heapq.heappush(self._arrivals, entry)

        def abort(_: object) -> trio.lowlevel.Abort:
            self._arrivals.remove(entry)
            heapq.heapify(self._arrivals)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
