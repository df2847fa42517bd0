"""wsframes.testing.stepped"""

import time
from typing import Any, Literal

import anyio
import pytest

from wsframes.testing import SteppedRun, settle

BACKENDS: tuple[Literal["asyncio", "trio"], ...] = ("asyncio", "trio")
every_backend = pytest.mark.parametrize("backend", BACKENDS)
Name = Literal["asyncio", "trio"]


async def now_s() -> float:
    return anyio.current_time()


@every_backend
def test_nothing_happens_between_calls(backend: Name) -> None:
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await anyio.sleep(1)
            ticks.append(anyio.current_time())

    with SteppedRun(backend) as run:
        run.start_soon(tick)
        begun_s = run.call(now_s)
        time.sleep(0.02)
        assert run.call(now_s) == begun_s
        assert ticks == []
        run.call(anyio.sleep, 2.5)
        assert ticks == [begun_s + 1, begun_s + 2]
        assert run.call(now_s) == begun_s + 2.5
    assert len(ticks) == 2


@every_backend
def test_what_a_call_returns_and_raises(backend: Name) -> None:
    async def fail() -> None:
        raise ValueError("as it was told")

    with SteppedRun(backend) as run:
        assert run.call(now_s) == 0.0
        with pytest.raises(ValueError, match="as it was told"):
            run.call(fail)
        assert run.call(now_s) == 0.0


@every_backend
def test_what_pytest_raises_in_a_call_does_not_end_the_run(backend: Name) -> None:
    async def fail() -> None:
        pytest.fail("as it was told")

    with SteppedRun(backend) as run:
        with pytest.raises(pytest.fail.Exception, match="as it was told"):
            run.call(fail)
        assert run.call(now_s) == 0.0


@every_backend
def test_a_call_that_is_cancelled_with_the_run_tells_why(backend: Name) -> None:
    """Not that it was cancelled, in however many tasks."""

    async def fail() -> None:
        raise ValueError("as it was told")

    async def wait() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 2)
            tasks.start_soon(anyio.sleep, 2)

    with SteppedRun(backend) as run:
        run.start_soon(fail)
        with pytest.raises(ExceptionGroup) as raised:
            run.call(wait)
        assert raised.group_contains(ValueError, depth=1)


@every_backend
def test_a_failure_beside_the_calls_ends_the_run(backend: Name) -> None:
    async def fail() -> None:
        await anyio.sleep(1)
        raise ValueError("as it was told")

    with SteppedRun(backend) as run:
        run.start_soon(fail)
        with pytest.raises(ExceptionGroup) as raised:
            run.call(anyio.sleep, 2)
        assert raised.group_contains(ValueError)
        with pytest.raises(RuntimeError, match="is over") as over:
            run.call(now_s)
        assert over.value.__cause__ is raised.value


@pytest.mark.parametrize("call", [True, False])
def test_a_run_that_cannot_begin_says_why(call: bool) -> None:
    def run_on(backend: Any) -> None:
        with SteppedRun(backend) as run:
            run._thread.join()
            if call:
                run.call(now_s)

    with pytest.raises(LookupError, match="curio"):
        run_on("curio")


async def fail_late() -> None:
    try:
        await anyio.sleep_forever()
    finally:
        raise ValueError("in the end")


def run_and_raise(backend: Name, error: Exception | None) -> None:
    with SteppedRun(backend) as run:
        run.start_soon(fail_late)
        run.call(settle)
        if error is not None:
            raise error


@every_backend
def test_a_failure_at_the_end_is_raised_there(backend: Name) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        run_and_raise(backend, None)
    assert raised.group_contains(ValueError, match="in the end")


@every_backend
def test_what_the_block_raises_goes_first(backend: Name) -> None:
    with pytest.raises(KeyError):
        run_and_raise(backend, KeyError("first"))
