"""Virtual time: wsframes.testing.clock."""

from __future__ import annotations

import asyncio
import gc
import math
import socket
import sys
import threading
import time
from functools import partial
from typing import Any, Literal

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.testing import (
    VirtualTimeLoop,
    real_backends,
    run_virtual,
    settle,
    virtual_backends,
)

BOTH: list[Literal["asyncio", "trio"]] = ["asyncio", "trio"]
both = pytest.mark.parametrize("backend", BOTH)

HOUR_S = 3600.0


def nothing() -> None:
    pass


async def test_an_hour_passes_at_once() -> None:
    real_s = time.perf_counter()
    with anyio.move_on_after(HOUR_S):
        await anyio.sleep_forever()

    assert anyio.current_time() == pytest.approx(HOUR_S)
    assert time.perf_counter() - real_s < 5


async def test_every_test_starts_at_zero() -> None:
    # The test above has left its clock at one hour, in either order of the two.
    assert anyio.current_time() == 0.0
    await anyio.sleep(HOUR_S)


@given(waits_s=st.lists(st.floats(0.001, 100.0), max_size=5))
async def test_every_example_starts_at_zero(waits_s: list[float]) -> None:
    """Invariant: an example's time is the sum of its own waits."""
    assert anyio.current_time() == 0.0
    for wait_s in waits_s:
        await anyio.sleep(wait_s)
    assert anyio.current_time() == pytest.approx(sum(waits_s))


async def test_five_hundred_packets_keep_their_spacing() -> None:
    times_s = []
    for number in range(500):
        await anyio.sleep_until(number * 0.02)
        times_s.append(anyio.current_time())

    assert times_s == pytest.approx([number * 0.02 for number in range(500)], abs=1e-9)


@given(due_s=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=30))
async def test_timers_fire_in_order_and_never_early(due_s: list[float]) -> None:
    """Invariant: each sleeper wakes at its time, not before, and in order."""
    woken: list[tuple[float, float]] = []

    async def sleeper(at_s: float) -> None:
        await anyio.sleep_until(at_s)
        woken.append((at_s, anyio.current_time()))

    async with anyio.create_task_group() as tasks:
        for at_s in due_s:
            tasks.start_soon(sleeper, at_s)

    assert sorted(at_s for at_s, _ in woken) == sorted(due_s)
    for at_s, now_s in woken:
        assert at_s - 1e-9 <= now_s <= at_s + 1e-6  # a nanosecond is one tick to asyncio
    assert [now_s for _, now_s in woken] == sorted(now_s for _, now_s in woken)


async def test_time_stands_still_while_something_runs() -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep, 1)
        await settle(200)
        assert anyio.current_time() == 0.0


async def test_settle_carries_a_chain_of_wake_ups() -> None:
    events = [anyio.Event() for _ in range(20)]

    async def pass_on(number: int) -> None:
        await events[number].wait()
        events[number + 1].set()

    async with anyio.create_task_group() as tasks:
        for number in range(19):
            tasks.start_soon(pass_on, number)
        await settle()
        events[0].set()
        await settle()
        assert events[-1].is_set()
        assert anyio.current_time() == 0.0


async def test_settle_with_fewer_rounds_carries_less_far() -> None:
    reached = 0

    async def count() -> None:
        nonlocal reached
        while True:
            await anyio.lowlevel.checkpoint()
            reached += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        await settle(3)
        assert 1 <= reached <= 4
        tasks.cancel_scope.cancel()


# --- worker threads


async def test_time_waits_for_a_worker_thread() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(10)
            ticks += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        await anyio.to_thread.run_sync(time.sleep, 0.05)
        assert (anyio.current_time(), ticks) == (0.0, 0)

        # The thread is idle now, and still there.
        await anyio.sleep(25)
        assert ticks == 2
        await anyio.to_thread.run_sync(time.sleep, 0.05)
        assert anyio.current_time() == pytest.approx(25)
        tasks.cancel_scope.cancel()


async def test_a_thread_that_hangs_cannot_stop_a_deadline() -> None:
    release = threading.Event()
    real_s = time.perf_counter()

    with anyio.move_on_after(0.2) as scope:
        await anyio.to_thread.run_sync(partial(release.wait, 30), abandon_on_cancel=True)
    release.set()

    assert scope.cancelled_caught
    assert anyio.current_time() == pytest.approx(0.2)
    assert 0.15 < time.perf_counter() - real_s < 5


async def test_a_thread_that_keeps_waking_the_backend_cannot_stop_a_deadline() -> None:
    stop = threading.Event()

    def chatter() -> None:
        while not stop.wait(0.005):
            anyio.from_thread.run_sync(nothing)

    real_s = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, chatter)
        await anyio.sleep(0.2)
        stop.set()

    assert 0.15 < time.perf_counter() - real_s < 5


async def test_a_deadline_begun_while_a_thread_runs_gets_its_full_time() -> None:
    async def finish_after_a_moment() -> bool:
        with anyio.move_on_after(5) as scope:
            await anyio.to_thread.run_sync(time.sleep, 0.02)
        return not scope.cancelled_caught

    def work() -> bool:
        time.sleep(0.1)
        return anyio.from_thread.run(finish_after_a_moment)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep, 1000)
        assert await anyio.to_thread.run_sync(work)
        tasks.cancel_scope.cancel()


async def test_time_does_not_overtake_a_thread_in_small_steps() -> None:
    ticks_s: list[float] = []

    async def tick() -> None:
        while True:
            await anyio.sleep(0.0005)
            ticks_s.append(anyio.current_time())

    real_s = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        await anyio.to_thread.run_sync(time.sleep, 0.05)
        tasks.cancel_scope.cancel()
    assert 0.0 < ticks_s[-1] < time.perf_counter() - real_s + 0.001


async def test_time_is_held_until_the_last_of_several_threads_is_done() -> None:
    ended_s: list[float] = []

    async def work(duration_s: float) -> None:
        await anyio.to_thread.run_sync(time.sleep, duration_s)
        ended_s.append(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep, 10)
        tasks.start_soon(work, 0.01)
        tasks.start_soon(work, 0.06)
    assert ended_s == [0.0, 0.0]
    assert anyio.current_time() == 10.0


@both
def test_waiting_for_a_thread_does_not_spin(backend: Literal["asyncio", "trio"]) -> None:
    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 100)
            await anyio.to_thread.run_sync(time.sleep, 0.5)
            tasks.cancel_scope.cancel()

    cpu_s = time.process_time()
    run_virtual(main, backend=backend)
    assert time.process_time() - cpu_s < 0.25


@pytest.mark.parametrize("anyio_backend", virtual_backends()[:1])
async def test_asyncio_executor_jobs_hold_time_too() -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep, 10)
        await asyncio.to_thread(time.sleep, 0.05)
        assert anyio.current_time() == 0.0

        await asyncio.get_running_loop().shutdown_default_executor()
        assert anyio.current_time() == 0.0


@pytest.mark.parametrize("anyio_backend", virtual_backends()[:1])
async def test_threads_of_others_do_not_hold_time() -> None:
    class Stranger(threading.Thread):
        idle_workers: tuple[()] = ()
        loop = None

    release = threading.Event()
    threads = [Stranger(target=release.wait), threading.Thread(target=release.wait)]
    for thread in threads:
        thread.start()
    await anyio.sleep(HOUR_S)
    release.set()
    for thread in threads:
        thread.join()
    assert anyio.current_time() == HOUR_S


# --- the loop itself


def test_loop_polls_before_it_jumps() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        order: list[str] = []
        loop.call_later(1, order.append, "timer")
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(order.append, "thread"))
        thread.start()
        thread.join()
        await asyncio.sleep(2)
        return order

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == ["thread", "timer"]


def test_loop_without_a_timer_waits_for_whoever_wakes_it() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        timer = threading.Timer(0.02, loop.call_soon_threadsafe, [woken.set])
        timer.start()
        await woken.wait()
        timer.join()
        return loop.time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == 0.0


def test_loop_jumps_over_more_than_asyncio_waits_in_one_go() -> None:
    async def main() -> float:
        await asyncio.sleep(30 * 86400)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == 30 * 86400


def test_loop_watches_sockets_and_closes_cleanly_in_debug_mode() -> None:
    async def main() -> bytes:
        await anyio.to_thread.run_sync(time.sleep, 0.01)
        await asyncio.to_thread(nothing)

        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        with here, there:
            writable, readable = asyncio.Event(), asyncio.Event()
            loop.add_reader(here, readable.set)
            loop.add_writer(here, writable.set)
            await writable.wait()
            loop.remove_writer(here)
            there.send(b"x")
            await readable.wait()
            loop.remove_reader(here)
            return here.recv(1)

    with asyncio.Runner(debug=True, loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert loop.get_debug()
        assert runner.run(main()) == b"x"
    assert loop.is_closed()
    gc.collect()  # a selector left open would warn now, and warnings are errors


# --- run_virtual


@both
def test_run_virtual_passes_arguments_and_returns_the_result(
    backend: Literal["asyncio", "trio"],
) -> None:
    async def add(one: int, two: int) -> tuple[int, float]:
        await anyio.sleep(HOUR_S)
        return one + two, anyio.current_time()

    for _ in range(2):
        total, now_s = run_virtual(add, 1, 2, backend=backend)
        assert total == 3
        assert now_s == pytest.approx(HOUR_S)


@both
def test_run_virtual_ends_a_deadlock(backend: Literal["asyncio", "trio"]) -> None:
    real_s = time.perf_counter()
    with pytest.raises(TimeoutError, match="deadlock"):
        run_virtual(anyio.sleep_forever, backend=backend)
    assert time.perf_counter() - real_s < 5


@both
def test_run_virtual_ends_at_the_limit(backend: Literal["asyncio", "trio"]) -> None:
    with pytest.raises(TimeoutError, match="still waiting after 10 s"):
        run_virtual(anyio.sleep, 11, backend=backend, limit_s=10)
    run_virtual(anyio.sleep, 9, backend=backend, limit_s=10)


@both
def test_run_virtual_leaves_other_timeouts_as_they_are(
    backend: Literal["asyncio", "trio"],
) -> None:
    async def fail() -> None:
        with anyio.fail_after(1):
            await anyio.sleep(2)

    with pytest.raises(TimeoutError, match=r"^$"):
        run_virtual(fail, backend=backend)


@both
def test_run_virtual_lets_errors_through(backend: Literal["asyncio", "trio"]) -> None:
    async def fail() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run_virtual(fail, backend=backend)


def test_without_trio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trio", None)
    with pytest.raises(ImportError, match=r'pip install "wsframes\[trio\]"'):
        run_virtual(anyio.sleep, 1, backend="trio")
    assert [str(backend.id) for backend in virtual_backends()] == BOTH


# --- parameters for pytest


def test_virtual_backends_have_ids_and_fresh_clocks() -> None:
    asyncio_backend, trio_backend = virtual_backends()
    assert [asyncio_backend.__name__, trio_backend.__name__] == BOTH
    assert asyncio_backend == ("asyncio", {"loop_factory": VirtualTimeLoop})

    name, options = trio_backend
    assert name == "trio"

    def expand(**options: Any) -> dict[str, Any]:
        return options

    first, second = expand(**options), expand(**options)
    assert set(first) == set(second) == set(iter(options)) == {"clock", "instruments"}
    assert first["clock"] is not second["clock"]
    assert first["instruments"][0] is not second["instruments"][0]


def test_real_backends_take_uvloop_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [backend.id for backend in real_backends()] == ["asyncio", "asyncio+uvloop", "trio"]

    monkeypatch.setattr("importlib.util.find_spec", missing)
    assert [backend.id for backend in real_backends()] == BOTH


def missing(name: str) -> None:
    assert name == "uvloop"


@pytest.mark.socket
async def test_socket_tests_run_in_real_time(anyio_backend_name: str) -> None:
    real_s, now_s = time.perf_counter(), anyio.current_time()
    await anyio.sleep(0.02)
    assert time.perf_counter() - real_s > 0.015
    assert anyio.current_time() - now_s > 0.015
    assert anyio_backend_name in BOTH


def test_the_marked_test_has_three_backends(request: pytest.FixtureRequest) -> None:
    names = {
        item.name
        for item in request.session.items
        if getattr(item, "originalname", "") == "test_socket_tests_run_in_real_time"
    }
    # Only those that were asked for on the command line are there.
    assert names <= {
        f"test_socket_tests_run_in_real_time[{backend.id}]" for backend in real_backends()
    }


async def test_sleeps_of_no_more_than_a_rounding_move_the_clock() -> None:
    """Who wakes up a bit before the time, and sleeps for what is left, gets there; two of them, so
    that the loop is never idle, too."""
    due_s = anyio.current_time() + 0.22
    await anyio.sleep(math.nextafter(due_s, 0.0) - anyio.current_time())

    async def get_there() -> None:
        for _ in range(10):
            now_s = anyio.current_time()
            if now_s >= due_s:
                return
            await anyio.sleep(due_s - now_s)
        raise AssertionError("time stands still")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get_there)
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(get_there)
