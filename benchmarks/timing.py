"""Microseconds of CPU an operation takes.

CPU time and not time of day: what other processes do at the same moment is then hardly felt, and
what is measured here never waits for anything but itself.
"""

import statistics
import time
from collections.abc import Awaitable, Callable

__all__ = ["cpu_us", "cpu_us_async"]


def cpu_us(run: Callable[[], object], operations: int, batches: int = 5) -> float:
    """The median over several runs, after one that does not count.

    Args:
        run: does `operations` of them.
        operations: how many.
        batches: how many runs count.
    """
    run()
    taken_s = []
    for _ in range(batches):
        begun_s = time.process_time()
        run()
        taken_s.append(time.process_time() - begun_s)
    return statistics.median(taken_s) / operations * 1e6


async def cpu_us_async(
    run: Callable[[], Awaitable[object]], operations: int, batches: int = 5
) -> float:
    """As `cpu_us`, of a coroutine function."""
    await run()
    taken_s = []
    for _ in range(batches):
        begun_s = time.process_time()
        await run()
        taken_s.append(time.process_time() - begun_s)
    return statistics.median(taken_s) / operations * 1e6
