"""`wsframes.transport.tasks.nap`."""

import math

import anyio
import pytest

from wsframes.graph.clock import loop_clock
from wsframes.testing import settle
from wsframes.transport.tasks.nap import Nap


class Sleeper:
    """Sleeps for these times, and notes when each sleep was over and how."""

    def __init__(self, *due_s: float) -> None:
        self.clock = loop_clock()
        self.nap = Nap(self.clock)
        self.begun_s = self.clock()
        self.left_s = [self.begun_s + due for due in due_s]
        self.woke: list[tuple[float, bool]] = []

    async def run(self) -> None:
        await self.nap.repeat(self._work)

    async def _work(self) -> bool:
        while self.left_s:
            in_full = await self.nap.sleep_until(self.left_s.pop(0))
            self.woke.append((self.clock() - self.begun_s, in_full))
            if not in_full:
                return False
        return True


async def test_it_sleeps_until_the_time_and_not_at_all_if_that_is_past() -> None:
    sleeper = Sleeper(1.0, 3.0, 2.0)
    await sleeper.run()
    assert sleeper.woke == [(1.0, True), (3.0, True), (3.0, True)]


@pytest.mark.parametrize("due_s", [10.0, math.inf])
async def test_a_sleep_can_be_ended_and_the_next_one_is_a_whole_one(due_s: float) -> None:
    sleeper = Sleeper(due_s, 5.0, 6.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper.run)
        await anyio.sleep(2)
        sleeper.nap.end()
    assert sleeper.woke == [(5.0, True), (6.0, True)]


async def test_only_a_sleep_is_ended() -> None:
    sleeper = Sleeper(1.0)
    sleeper.nap.end()
    await sleeper.run()
    sleeper.nap.end()
    assert sleeper.woke == [(1.0, True)]


async def test_one_that_is_ended_at_the_moment_it_is_over_was_ended() -> None:
    """The work must not go on in a scope that is cancelled: its next wait would be cut off."""
    sleeper = Sleeper(1.0, 2.0)

    async def end() -> None:
        await anyio.sleep_until(sleeper.begun_s + 1.0)
        sleeper.nap.end()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        await settle()
        tasks.start_soon(sleeper.run)
    # Which of the two comes first at that moment is up to the event loop.
    assert sleeper.woke[0] in [(1.0, False), (1.0, True), (2.0, True)]
    assert sleeper.woke[-1] == (2.0, True) or sleeper.woke == [(1.0, True)]


async def test_what_the_work_raises_comes_out() -> None:
    async def fail() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        await Nap(loop_clock()).repeat(fail)
