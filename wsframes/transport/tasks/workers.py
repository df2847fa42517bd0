"""Worker threads for what would hold up the event loop, few at a time whatever the sessions."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

__all__ = ["place", "run_slow"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# One CPU is left to the event loop, where there is more than one.
_PLACES = max(1, (os.cpu_count() or 1) - 1)

# One of each for every event loop: what waits for a place waits in its own.
_places: RunVar[anyio.CapacityLimiter] = RunVar("wsframes.workers.places")
_threads: RunVar[anyio.CapacityLimiter] = RunVar("wsframes.workers.threads")


@asynccontextmanager
async def place() -> AsyncIterator[None]:
    """Wait for one of the few places, which all sessions share; hold it for the block."""
    async with _limiter(_places, _PLACES):
        yield


async def run_slow(func: Callable[[*Ts], T], *args: *Ts) -> T:
    """Call a function in a worker thread; for who holds a place.

    Cancelling: the call returns at once, and the thread goes on until the function is done.
    """
    limiter = _limiter(_threads, inf)
    return await anyio.to_thread.run_sync(func, *args, abandon_on_cancel=True, limiter=limiter)


def _limiter(kept: RunVar[anyio.CapacityLimiter], places: float) -> anyio.CapacityLimiter:
    limiter = kept.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(places)
        kept.set(limiter)
    return limiter
