"""`wsframes.graph.wakeup`."""

import anyio
import anyio.lowlevel
from hypothesis import given
from hypothesis import strategies as st

from wsframes.graph.wakeup import Wakeup, loop_wakeup
from wsframes.testing import settle


async def sleep(wakeup: Wakeup, log: list[str]) -> None:
    try:
        await wakeup
    except anyio.get_cancelled_exc_class():
        log.append("cancelled")
        raise
    log.append("woken")


async def test_it_sleeps_until_it_is_woken() -> None:
    wakeup, log = loop_wakeup()(), list[str]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep, wakeup, log)
        await settle()
        assert (log, wakeup.done()) == ([], False)
        wakeup.set_result(None)
        assert (log, wakeup.done()) == ([], True)  # it runs when this task waits
    assert log == ["woken"]


async def test_it_does_not_sleep_when_it_was_woken_before() -> None:
    wakeup, log = loop_wakeup()(), list[str]()
    wakeup.set_result(None)
    await sleep(wakeup, log)
    assert log == ["woken"]


async def test_cancelled_it_is_done() -> None:
    wakeup, log = loop_wakeup()(), list[str]()
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleep, wakeup, log)
            await settle()
            scope.cancel()
    assert (log, wakeup.done()) == (["cancelled"], True)


async def test_a_deadline_ends_it() -> None:
    began_s = anyio.current_time()
    with anyio.move_on_after(5) as scope:
        await loop_wakeup()()
    assert scope.cancelled_caught
    assert anyio.current_time() - began_s == 5


async def test_a_cancelled_scope_does_not_let_it_sleep() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await loop_wakeup()()
    assert scope.cancelled_caught


@given(order=st.lists(st.integers(0, 3), max_size=12), cancelled=st.sets(st.integers(0, 3)))
async def test_each_sleeper_ends_once_whatever_comes_first(
    order: list[int], cancelled: set[int]
) -> None:
    """Woken or cancelled, in any order and any number of times: one end, and nobody else's."""
    new = loop_wakeup()
    wakeups, log = [new() for _ in range(4)], [list[str]() for _ in range(4)]
    scopes = [anyio.CancelScope() for _ in range(4)]

    async def run(number: int) -> None:
        with scopes[number]:
            await sleep(wakeups[number], log[number])

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(run, number)
        await settle()
        for number in order:
            if number in cancelled:
                scopes[number].cancel()
                await settle()
            if not wakeups[number].done():
                wakeups[number].set_result(None)
        await settle()
        for number in range(4):
            kind = "cancelled" if number in cancelled else "woken"
            assert log[number] == ([kind] if number in order else [])
            assert wakeups[number].done() == (number in order)
        tasks.cancel_scope.cancel()
