"""A clock for load tests: the time on a core that nobody else uses.

While the program works, the clock runs with the CPU time that it takes; when every task waits, it
jumps to the next timer. So what is measured by it, lateness above all, does not depend on what
else the machine has to do, and an idle minute takes no time at all.
"""

import asyncio
import selectors
import time
from typing import Any

import trio

__all__ = ["core_backend"]


def core_backend(name: str) -> dict[str, Any]:
    """The `backend_options` of `anyio.run` for "asyncio" or "trio"."""
    return {"clock": _CoreClock()} if name == "trio" else {"loop_factory": _CoreLoop}


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

    def start_clock(self) -> None:
        self._idle_s = -time.thread_time()

    def current_time(self) -> float:
        return self._idle_s + time.thread_time()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        # Trio asks only when nothing can run.
        self._idle_s += max(0.0, min(deadline, 1e9) - self.current_time())
        return 0.0
