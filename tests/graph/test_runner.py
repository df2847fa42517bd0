"""Several tasks, and how all of them are ended."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest
import uvloop

from tests.graph.parts import Function, Lane, Word, words
from wsframes.exceptions import UsageError
from wsframes.graph import (
    EndReason,
    Pipeline,
    PipelineRunner,
    PipelineTask,
    QueueLimits,
    RunResult,
)
from wsframes.testing import settle


def task_of(*processors: Any, name: str | None = None) -> PipelineTask:
    return PipelineTask(Pipeline(processors), name=name)


class Results(dict[str, RunResult]):
    """How tasks ended, by name."""

    def __init__(self) -> None:
        self._more = anyio.Event()

    def add(self, name: str, result: RunResult) -> None:
        self[name] = result
        self._more.set()
        self._more = anyio.Event()

    async def wait_for(self, name: str) -> None:
        with anyio.fail_after(5):
            while name not in self:
                await self._more.wait()

    def reasons(self) -> dict[str, str]:
        return {name: result.reason.value for name, result in self.items()}


@asynccontextmanager
async def running(
    *names_and_tasks: PipelineTask, runner: PipelineRunner | None = None
) -> AsyncIterator[tuple[PipelineRunner, Results]]:
    runner = runner or PipelineRunner()
    results = Results()

    async def run(task: PipelineTask) -> None:
        results.add(task.name, await runner.run(task))

    async with anyio.create_task_group() as tasks:
        for task in names_and_tasks:
            tasks.start_soon(run, task)
        await settle()
        yield runner, results
        await runner.cancel()


def stuck(name: str) -> PipelineTask:
    return task_of(Lane(handle=lambda frame: anyio.sleep_forever()), name=name)


async def test_it_runs_tasks_beside_each_other_and_knows_them() -> None:
    first, second = task_of(Function(), name="a"), task_of(Function(), name="b")
    async with running(first, second) as (runner, results):
        assert runner.tasks == {first, second}
        await first.stop_when_done()
        await settle()
        assert runner.tasks == {second}
        assert results.reasons() == {"a": "ended"}
        assert not runner.is_draining
    assert results.reasons() == {"a": "ended", "b": "cancelled"}


async def test_a_task_that_it_runs_is_not_run_again() -> None:
    task = task_of(Function(), name="a")
    async with running(task) as (runner, _):
        with pytest.raises(UsageError, match="a is running already"):
            await runner.run(task)
        assert runner.tasks == {task}


async def test_it_ends_all_in_order() -> None:
    async with running(task_of(Lane(), name="a"), task_of(name="b")) as (runner, results):
        await runner.stop_when_done()
        await settle()
        assert results.reasons() == {"a": "ended", "b": "ended"}


async def test_a_drain_refuses_new_ones_ends_the_others_and_cancels_what_is_left() -> None:
    slow = task_of(Lane(handle=lambda frame: anyio.sleep(5)), name="slow")
    never = stuck("never")
    async with running(task_of(name="quick"), slow, never) as (runner, results):
        await slow.queue_frame(Word())
        await never.queue_frame(Word())
        begun_s = anyio.current_time()
        assert await runner.drain(4) == 2
        assert anyio.current_time() - begun_s <= 5
        assert runner.is_draining
        assert results.reasons() == {
            "quick": "ended",
            "slow": "cancelled",
            "never": "cancelled",
        }
        with pytest.raises(UsageError, match="late is refused: the runner is being drained"):
            await runner.run(task_of(name="late"))


async def test_a_drain_with_nothing_to_do_returns_at_once() -> None:
    assert await PipelineRunner().drain(10) == 0
    assert anyio.current_time() < 1


async def test_a_drain_ends_a_task_though_another_one_is_full() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=1)

    full = [
        task_of(Small(handle=lambda frame: anyio.sleep_forever()), name=f"full {number}")
        for number in range(3)
    ]
    async with running(*full, task_of(name="quick")) as (runner, results):
        for task in full:
            for word in words(3):
                task._send(word)
        await settle()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runner.drain, 3)
            await settle()
            assert results.reasons() == {"quick": "ended"}


async def test_all_who_drain_are_told() -> None:
    drained: list[int] = []
    slow = task_of(Lane(handle=lambda frame: anyio.sleep(2)), name="slow")
    async with running(slow) as (runner, _):
        await slow.queue_frame(Word())

        async def drain() -> None:
            drained.append(await runner.drain(10))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(drain)
    assert drained == [0, 0, 0]


async def test_a_task_that_raises_is_no_longer_known() -> None:
    runner = PipelineRunner()
    it = Function("it")
    first = task_of(it)
    async with running(first, runner=runner):
        with pytest.raises(UsageError):
            await runner.run(task_of(it))
        assert runner.tasks == {first}


async def test_with_signals_it_must_be_entered_first() -> None:
    with pytest.raises(UsageError, match="signals are handled within `async with runner:`"):
        await PipelineRunner(handle_sigterm=True).run(task_of())


async def test_without_signals_it_may_be_entered_and_leaves_them_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with PipelineRunner() as runner:
        task = task_of()
        await task.stop_when_done()
        assert (await runner.run(task)).reason is EndReason.ENDED
        assert signal.getsignal(signal.SIGTERM) is before


async def test_signals_are_for_the_main_thread() -> None:
    def elsewhere() -> None:
        async def enter() -> None:
            async with PipelineRunner(handle_sigterm=True):
                raise AssertionError("not entered")

        with pytest.raises(UsageError, match="signals can be handled in the main thread only"):
            anyio.run(enter)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await anyio.to_thread.run_sync(thread.join)


@pytest.mark.socket
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_drains_and_the_second_one_cancels(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    never = stuck("never")
    runner = PipelineRunner(handle_sigterm=True, handle_sigint=True)
    async with runner, running(task_of(name="quick"), never, runner=runner) as (_, results):
        never._send(Word())
        await settle()
        os.kill(os.getpid(), number)
        await results.wait_for("quick")
        assert runner.is_draining
        assert results.reasons() == {"quick": "ended"}
        os.kill(os.getpid(), number)
        await results.wait_for("never")
    assert results.reasons() == {"quick": "ended", "never": "cancelled"}
    assert signal.getsignal(number) is before


@pytest.mark.socket
async def test_a_signal_drains_within_the_deadline() -> None:
    never = stuck("never")
    runner = PipelineRunner(handle_sigterm=True, drain_timeout=0.2)
    async with runner, running(never, runner=runner) as (_, results):
        never._send(Word())
        await settle()
        os.kill(os.getpid(), signal.SIGTERM)
        await results.wait_for("never")
    assert results.reasons() == {"never": "cancelled"}


@pytest.mark.socket
@pytest.mark.parametrize("loop_of", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_signal_that_the_event_loop_handles_is_left_to_it(loop_of: Any) -> None:
    async def enter() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, handled.set)
        with pytest.raises(UsageError, match="SIGTERM has a handler of the event loop already"):
            async with PipelineRunner(handle_sigterm=True):
                raise AssertionError("not entered")
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await handled.wait()
        loop.remove_signal_handler(signal.SIGTERM)

    handled = asyncio.Event()
    with asyncio.Runner(loop_factory=loop_of) as runner:
        runner.run(enter())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_what_its_body_raises_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError):
        async with PipelineRunner(handle_sigterm=True):
            raise LookupError
