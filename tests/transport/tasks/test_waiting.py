"""`wsframes.transport.tasks.waiting`."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.testing import run_virtual, settle
from wsframes.transport.tasks.waiting import Begun, ClearGate, Signal, Turns


async def test_a_signal_wakes_those_who_wait_and_none_who_come_later() -> None:
    signal = Signal()
    signal.set()
    woken: list[str] = []

    async def wait(name: str) -> None:
        await signal.wait()
        woken.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, "a")
        tasks.start_soon(wait, "b")
        await settle()
        assert woken == []
        signal.set()
        await settle()
        assert sorted(woken) == ["a", "b"]
        tasks.start_soon(wait, "c")
        await settle()
        assert len(woken) == 2
        signal.set()


async def test_who_gives_up_waiting_takes_nobody_else_along() -> None:
    signal = Signal()
    woken = anyio.Event()

    async def wait() -> None:
        await signal.wait()
        woken.set()

    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(1):
            await signal.wait()
        assert not signal.is_awaited
        tasks.start_soon(wait)
        with anyio.move_on_after(1):
            await signal.wait()
        assert signal.is_awaited
        assert not woken.is_set()
        signal.set()
        await settle()
        assert woken.is_set()


@pytest.mark.parametrize("first", ["woken", "cancelled"])
async def test_woken_and_cancelled_at_once(first: str) -> None:
    signal = Signal()

    async def wait(*, task_status: anyio.abc.TaskStatus[anyio.CancelScope]) -> None:
        with anyio.CancelScope() as scope:
            task_status.started(scope)
            await signal.wait()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        scope = await tasks.start(wait)
        await settle()
        for what in (signal.set, scope.cancel) if first == "woken" else (scope.cancel, signal.set):
            what()
        assert not signal.is_awaited
    assert scope.cancelled_caught


async def test_the_gate_opens_when_the_last_interruption_has_been_told() -> None:
    gate = ClearGate()
    await gate.wait_open()
    passed = anyio.Event()

    async def pass_through() -> None:
        await gate.wait_open()
        passed.set()

    gate.shut()
    first = gate.number
    assert gate.is_shut
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_through)
        await settle()
        gate.shut()  # while the peer is being told of the first one
        gate.told(first)
        await settle()
        assert gate.is_shut
        assert not passed.is_set()
        gate.told(gate.number)
        assert not gate.is_shut
        await passed.wait()
    gate.told(first)
    assert not gate.is_shut


async def test_what_is_told_covers_all_interruptions_until_then() -> None:
    gate = ClearGate()
    for _ in range(3):
        gate.shut()
    gate.told(gate.number)
    await gate.wait_open()


async def test_a_gate_that_is_shut_again_before_anyone_passed_stays_shut_for_all() -> None:
    gate = ClearGate()
    passed = anyio.Event()

    async def pass_through() -> None:
        await gate.wait_open()
        passed.set()

    gate.shut()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_through)
        await settle()
        gate.told(gate.number)
        gate.shut()
        await settle()
        assert not passed.is_set()
        gate.told(gate.number)


async def test_turns_are_taken_in_the_order_of_asking() -> None:
    turns = Turns()
    order: list[int] = []

    async def work(number: int) -> None:
        await turns.take()
        order.append(number)
        await settle(3)
        order.append(number)
        turns.give()

    async with anyio.create_task_group() as tasks:
        await turns.take()
        for number in range(5):
            tasks.start_soon(work, number)
            await settle()
        turns.give()
    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    await turns.take()  # it is free again


async def test_a_turn_given_to_one_who_is_cancelled_goes_to_the_next() -> None:
    turns = Turns()
    await turns.take()
    got = anyio.Event()
    scope = anyio.CancelScope()

    async def be_cancelled() -> None:
        with scope:
            await turns.take()

    async def next_one() -> None:
        await turns.take()
        got.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(be_cancelled)
        await settle()
        tasks.start_soon(next_one)
        await settle()
        scope.cancel()
        turns.give()
        with anyio.fail_after(1):
            await got.wait()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    workers=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.none() | st.integers(0, 12)),
        min_size=1,
        max_size=8,
    )
)
def test_turns_exclude_each_other_whoever_is_cancelled(
    backend: str, workers: list[tuple[int, int, int | None]]
) -> None:
    """However workers come, work and are cancelled, one works at a time, and at the end the turn
    is free."""

    async def main() -> None:
        turns = Turns()
        at_work: list[int] = []

        async def work(number: int, begin_s: int, take_s: int, cancel_s: int | None) -> None:
            with anyio.CancelScope() as scope:
                if cancel_s is not None:
                    scope.deadline = cancel_s
                await anyio.sleep(begin_s)
                await turns.take()
                try:
                    assert at_work == []
                    at_work.append(number)
                    await anyio.sleep(take_s)
                    at_work.remove(number)
                except BaseException:
                    at_work.clear()
                    raise
                finally:
                    turns.give()

        async with anyio.create_task_group() as tasks:
            for number, worker in enumerate(workers):
                tasks.start_soon(work, number, *worker)
        with anyio.fail_after(0):
            await turns.take()

    run_virtual(main, backend=backend)  # type: ignore[arg-type]


class Work:
    """A coroutine that is watched.

    Attributes:
        log: what has happened, in order.
    """

    def __init__(self, checkpoints: int, fails: bool = False) -> None:
        self.log: list[str] = []
        self._checkpoints = checkpoints
        self._fails = fails

    async def run(self) -> str:
        try:
            with anyio.CancelScope():
                for _ in range(self._checkpoints):
                    await anyio.lowlevel.checkpoint()
            if self._fails:
                raise LookupError
        except anyio.get_cancelled_exc_class():
            self.log.append("cancelled")
            raise
        self.log.append("done")
        return "result"

    async def begun(self) -> str:
        coroutine = self.run()
        try:
            wish = coroutine.send(None)
        except StopIteration as done:
            result: str = done.value
            return result
        self.log.append("waits")
        return await Begun(coroutine, wish)


@pytest.mark.parametrize("checkpoints", [0, 1, 2, 5])
async def test_a_coroutine_that_has_to_wait_is_noticed_once(checkpoints: int) -> None:
    work = Work(checkpoints)
    assert await work.begun() == "result"
    assert work.log == (["waits", "done"] if checkpoints else ["done"])


@pytest.mark.parametrize("checkpoints", [0, 3])
async def test_what_a_begun_coroutine_raises_comes_out(checkpoints: int) -> None:
    with pytest.raises(LookupError):
        await Work(checkpoints, fails=True).begun()


async def test_a_begun_coroutine_can_be_cancelled() -> None:
    work = Work(10**6)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work.begun)
        await settle()
        tasks.cancel_scope.cancel()
    assert work.log == ["waits", "cancelled"]


def test_a_begun_coroutine_gets_the_answers_to_its_wishes() -> None:
    """What asyncio and trio send back is not always None, and may be an exception."""

    class Wish:
        def __await__(self) -> Any:
            answers = []
            for number in range(3):
                try:
                    answers.append((yield number))
                except KeyError as exc:
                    answers.append(repr(exc))
            return answers

    async def wish() -> Any:
        return await Wish()

    async def main() -> Any:
        coroutine = wish()
        return await Begun(coroutine, coroutine.send(None))

    coroutine = main()
    assert coroutine.send(None) == 0
    assert coroutine.send("a") == 1
    assert coroutine.throw(KeyError("b")) == 2
    with pytest.raises(StopIteration) as caught:
        coroutine.send("c")
    assert caught.value.value == ["a", "KeyError('b')", "c"]
