"""wsframes.testing.stepped"""

import time
from typing import Literal

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
def test_a_failure_beside_the_calls_ends_the_run(backend: Name) -> None:
    async def fail() -> None:
        await anyio.sleep(1)
        raise ValueError("as it was told")

    with SteppedRun(backend) as run:
        run.start_soon(fail)
        with pytest.raises(ExceptionGroup) as raised:
            run.call(anyio.sleep, 2)
        assert raised.group_contains(ValueError)
        with pytest.raises(RuntimeError, match="is over"):
            run.call(now_s)


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
