"""`wsframes.transport.tasks.workers`."""

import os
import subprocess
import sys
import threading

import anyio

from wsframes.testing import settle
from wsframes.transport.tasks import workers
from wsframes.transport.tasks.workers import place, run_slow


async def test_a_slow_call_runs_in_a_thread() -> None:
    assert await run_slow(threading.get_ident) != threading.get_ident()


async def test_few_hold_a_place_and_the_others_wait_for_one() -> None:
    holding: list[int] = []
    leave = anyio.Event()

    async def hold(number: int) -> None:
        async with place():
            holding.append(number)
            await leave.wait()

    async with anyio.create_task_group() as tasks:
        for number in range(workers._PLACES + 3):
            tasks.start_soon(hold, number)
        await settle()
        assert len(holding) == workers._PLACES
        leave.set()
    assert len(holding) == workers._PLACES + 3


async def test_a_cancelled_call_returns_at_once() -> None:
    go_on = threading.Event()
    done = threading.Event()

    def work() -> None:
        go_on.wait(10)
        done.set()

    with anyio.move_on_after(1) as scope:
        await run_slow(work)
    assert scope.cancelled_caught
    assert not done.is_set()
    go_on.set()
    assert done.wait(10)


def test_one_cpu_is_left_to_the_event_loop() -> None:
    assert workers._PLACES == max(1, (os.cpu_count() or 1) - 1)
    code = (
        "import os; os.cpu_count = lambda: None\n"
        "from wsframes.transport.tasks import workers; print(workers._PLACES)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
