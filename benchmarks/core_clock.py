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

_TRUST_S = 0.0002


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


class _CoreTime:
    """CPU time of this thread, and what has been added for the time that it was idle.

    To ask for the CPU time is a system call of 0.6 us, and a message on trio asks nine times: that
    was a fifteenth of what it was measured to cost. So for a moment after each call the wall clock,
    at 0.05 us, says how much has come since. Where another process has the core in that moment, the
    clock is ahead by the rest of it, and waits.
    """

    __slots__ = ("_asked_s", "_cpu_s", "_idle_s", "_latest_s")

    def __init__(self) -> None:
        self._asked_s = time.perf_counter()
        self._cpu_s = time.thread_time()
        self._idle_s = -self._cpu_s
        self._latest_s = 0.0

    def now(self) -> float:
        wall_s = time.perf_counter()
        since_s = wall_s - self._asked_s
        if since_s > _TRUST_S:
            self._asked_s, since_s = wall_s, 0.0
            self._cpu_s = time.thread_time()
        now_s = self._idle_s + self._cpu_s + since_s
        if now_s > self._latest_s:
            self._latest_s = now_s
        return self._latest_s

    def jump(self, seconds: float) -> None:
        self._idle_s += seconds


class _CoreLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        clock = _CoreTime()
        self._now = clock.now
        super().__init__(_JumpingSelector(clock))

    def time(self) -> float:
        return self._now()


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, clock: _CoreTime) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self._clock.jump(timeout)
        return ready


class _CoreClock(trio.abc.Clock):
    def __init__(self) -> None:
        self._time = _CoreTime()
        self._arrivals: list[tuple[float, int, trio.lowlevel.Task]] = []
        self._number = 0  # so that two at the same time are not told apart by their tasks

    def start_clock(self) -> None:
        self._time = _CoreTime()

    def current_time(self) -> float:
        # Trio asks after each look at what has come from outside, and so do others. An instrument
        # would be told of that look, but costs a twentieth of what is measured.
        now_s = self._time.now()
        arrivals = self._arrivals
        while arrivals and arrivals[0][0] <= now_s:
            trio.lowlevel.reschedule(heapq.heappop(arrivals)[2])
        return now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        # Trio asks only when nothing can run.
        if self._arrivals:
            deadline = min(deadline, self._arrivals[0][0])
        self._time.jump(max(0.0, min(deadline, 1e9) - self.current_time()))
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
