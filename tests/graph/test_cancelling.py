"""A cancellation that does not come alone: beside it an error, or another cancellation."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.graph.parts import Function, Lane, Note, Session, Word, running
from wsframes.frames import CancelFrame, EndFrame, Frame, InterruptionFrame, StartFrame
from wsframes.graph import EndReason, Pipeline, PipelineParams, PipelineTask, RunResult
from wsframes.testing import settle, virtual_backends

# An error in a task group that is cancelled. On trio it comes out beside the cancellations.


async def fail_when_cancelled(*_: object) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        tasks.start_soon(_fail_when_cancelled)


async def _fail_when_cancelled() -> None:
    try:
        await anyio.sleep_forever()
    finally:
        raise LookupError("in a finally")


async def test_such_an_error_in_a_frame_that_is_interrupted_is_one_of_the_frame() -> None:
    async def handle(frame: Frame) -> None:
        if isinstance(frame, Word):
            await fail_when_cancelled()

    async with running(Lane("it", handle)) as session:
        await session.send(Word())
        await session.send(InterruptionFrame(), Note("after"))
        assert session.texts() == ["after"]
        assert (await session.end()).reason is EndReason.ENDED
    assert session.task.statistics()["it"].dropped == {"error": 1}


class Background(Function):
    def start(self, frame: StartFrame) -> None:
        self.start_soon(fail_when_cancelled)


class Ends(Lane):
    async def stop(self, frame: EndFrame) -> None:
        await fail_when_cancelled()


class Cancels(Lane):
    async def stop(self, frame: EndFrame) -> None:
        await anyio.sleep_forever()

    async def cancel(self, frame: CancelFrame) -> None:
        await fail_when_cancelled()


class CleansUp(Function):
    async def cleanup(self) -> None:
        await fail_when_cancelled()


class Aborts(Function):
    """Has a task that does not let itself be cancelled for a while."""

    def start(self, frame: StartFrame) -> None:
        self.start_soon(self.linger)

    async def linger(self) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(7)

    async def abort(self) -> None:
        await fail_when_cancelled()


class AbortsForLong(Aborts):
    """And raises nothing but the cancellation."""

    async def abort(self) -> None:
        await anyio.sleep_forever()


@pytest.mark.parametrize("kind", [Background, Ends, Cancels, CleansUp, Aborts, AbortsForLong])
@pytest.mark.parametrize("by_the_caller", [False, True])
async def test_such_an_error_does_not_come_out_of_run(
    kind: Callable[[], Any], by_the_caller: bool
) -> None:
    below = Function()
    session = Session(PipelineTask(Pipeline([kind(), below])))
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run)
            await settle()
            await session.task.stop_when_done()
            await settle()
            if by_the_caller:
                scope.cancel()
            else:
                await session.task.cancel()
    assert below.calls[-1] == "cleanup"
    assert session.events[-1] == "finished"


async def test_such_an_error_of_a_handler_is_counted_and_the_end_is_told() -> None:
    params = PipelineParams(handler_timeout=1)
    async with running(Function(), params=params) as session:
        session.task.add_event_handler("on_pipeline_ended", fail_when_cancelled)
        await session.task.stop_when_done()
        await anyio.sleep(0.1)
        await session.task.cancel()
        await session.wait()
    assert session.events[-1] == "finished"
    assert session.task.event_statistics().dropped == {"error": 1}


# The end of the process, while the caller is cancelled.


class Halt(BaseException):
    """As the end of the process is; but that one would end the event loop of the test."""


@pytest.mark.parametrize("place", ["background", "handler", "cleanup"])
async def test_what_is_no_exception_is_not_lost_to_a_cancellation(place: str) -> None:
    async def halt(*_: object) -> None:
        try:
            await anyio.lowlevel.checkpoint()
            if place == "background":
                await anyio.sleep_forever()
        finally:
            raise Halt

    class Halts(Lane):
        async def start(self, frame: StartFrame) -> None:
            if place == "background":
                self.start_soon(halt)

        async def cleanup(self) -> None:
            if place == "cleanup":
                await halt()

    task = PipelineTask(Pipeline([Lane(), Halts(), Lane()]))
    if place == "handler":
        task.add_event_handler("on_pipeline_cancelled", halt)
    with pytest.raises(Halt), anyio.move_on_after(0.1):
        await task.run()
    assert task.has_finished()


# Cancellations of asyncio's own, which go past all scopes.

on_asyncio = pytest.mark.parametrize("anyio_backend", virtual_backends()[:1], indirect=True)


def tasks_but(*others: "asyncio.Task[Any] | None") -> "list[asyncio.Task[Any]]":
    """In their order, which for asyncio itself is chance."""
    tasks = asyncio.all_tasks() - {*others, asyncio.current_task()}
    return sorted(tasks, key=lambda task: task.get_name())


@on_asyncio
@pytest.mark.parametrize("turns", range(4))
async def test_an_interruption_beside_a_timeout_of_asyncio(
    anyio_backend: object, turns: int
) -> None:
    """On trio there is none."""
    due_s = anyio.current_time() + 1

    async def handle(frame: Frame) -> None:
        if isinstance(frame, Word):
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await asyncio.gather(asyncio.sleep(9), asyncio.sleep(9))

    async with running(Lane("it", handle)) as session:
        await session.send(Word())
        reached = asyncio.Event()
        asyncio.get_running_loop().call_at(due_s, reached.set)
        await reached.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        await session.send(InterruptionFrame(), Note("after"))
        assert session.texts()[-1] == "after"
        assert (await session.end()).reason is EndReason.ENDED


@on_asyncio
async def test_a_cancellation_that_is_raised_anew_by_who_is_interrupted(
    anyio_backend: object,
) -> None:
    async def handle(frame: Frame) -> None:
        if isinstance(frame, Word):
            with suppress(asyncio.CancelledError):
                await anyio.sleep_forever()
            raise asyncio.CancelledError

    async with running(Lane("it", handle)) as session:
        await session.send(Word())
        await session.send(InterruptionFrame(), Note("after"))
        assert session.texts() == ["after"]
        assert (await session.end()).reason is EndReason.ENDED
    assert session.task.statistics()["it"].dropped == {"interrupted": 1}


class StartsSlowly(Lane):
    async def start(self, frame: StartFrame) -> None:
        self.calls.append("start")
        await anyio.sleep_forever()


@on_asyncio
@pytest.mark.parametrize("kind", [Lane, StartsSlowly])
@pytest.mark.parametrize("backwards", [False, True])
async def test_an_event_loop_that_is_closed_cancels_its_runs(
    anyio_backend: object, kind: Callable[[], Function], backwards: bool
) -> None:
    """Whichever task is the first to be cancelled."""
    parts = [kind(), Lane(), Function()]
    session = Session(PipelineTask(Pipeline(parts)))
    results: list[RunResult] = []
    session.task.add_event_handler("on_pipeline_finished", lambda _, it: results.append(it))
    test = tasks_but()
    run = asyncio.ensure_future(session.run())
    await settle()
    tasks = tasks_but(*test)
    assert len(tasks) > 1
    for task in reversed(tasks) if backwards else tasks:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert results == [RunResult(reason=EndReason.CANCELLED)]
    assert [part.calls[-1] for part in parts] == ["cleanup"] * 3


@on_asyncio
async def test_a_run_is_cancelled_by_who_cancels_a_task_of_it(anyio_backend: object) -> None:
    it = Lane("it")
    test = tasks_but()
    async with running(it) as session:
        (lane,) = [task for task in tasks_but(*test) if task.get_name() == "it ordered"]
        lane.cancel()
        assert (await session.wait()).reason is EndReason.CANCELLED
    assert it.calls == ["start", "cancel", "cleanup"]


class CleansUpSlowly(Function):
    async def cleanup(self) -> None:
        await anyio.sleep(0.3)
        self.calls.append("cleanup")


class NeverCleansUp(Function):
    async def cleanup(self) -> None:
        await anyio.sleep_forever()


@on_asyncio
@pytest.mark.parametrize("by", ["end", "cancel", "the caller"])
async def test_no_cancellation_cuts_the_clean_up_of_a_run_short(
    anyio_backend: object, by: str
) -> None:
    it = CleansUpSlowly()
    session = Session(PipelineTask(Pipeline([it])))
    run = asyncio.ensure_future(session.run())
    await settle()
    if by == "end":
        await session.task.stop_when_done()
    elif by == "cancel":
        await session.task.cancel()
    else:
        run.cancel()
    for _ in range(2):
        await anyio.sleep(0.1)
        run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert it.calls[-1] == "cleanup"
    assert session.events[-1] == "finished"


@on_asyncio
async def test_a_clean_up_that_is_cancelled_hurries(anyio_backend: object) -> None:
    """P2."""
    session = Session(PipelineTask(Pipeline([NeverCleansUp()])))
    await session.task.stop_when_done()
    run = asyncio.ensure_future(session.run())
    await anyio.sleep(2)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert anyio.current_time() == pytest.approx(2 + 0.85)
    assert session.events[-1] == "finished"


# A task that was stopped, and is closed by who is cancelled.


async def stopped(*parts: Function) -> PipelineTask:
    task = PipelineTask(Pipeline(parts))
    await task.stop()
    await task.run()
    return task


@pytest.mark.parametrize("cancelled_s", [0.0, 0.1])
async def test_a_stopped_task_is_cleaned_up_though_its_owner_is_cancelled(
    cancelled_s: float,
) -> None:
    task = await stopped(it := CleansUpSlowly())
    with anyio.move_on_after(cancelled_s):
        await task.aclose()
    assert it.calls == ["start", "cleanup"]
    await task.aclose()
    assert it.calls == ["start", "cleanup"]


@on_asyncio
async def test_a_stopped_task_is_cleaned_up_though_asyncio_cancels_its_owner(
    anyio_backend: object,
) -> None:
    task = await stopped(it := CleansUpSlowly())
    closing = asyncio.ensure_future(task.aclose())
    for _ in range(2):
        await anyio.sleep(0.1)
        closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert it.calls == ["start", "cleanup"]


@pytest.mark.parametrize(("cancelled_s", "over_s"), [(2.0, 3.0), (4.5, 5.0), (9.0, 5.0)])
async def test_the_clean_up_of_a_stopped_task_is_bounded(cancelled_s: float, over_s: float) -> None:
    """P2: by `drain_stall_timeout`, and by `cancel_timeout` from a cancellation on."""
    task = await stopped(NeverCleansUp())
    begun_s = anyio.current_time()
    with anyio.move_on_after(cancelled_s):
        await task.aclose()
    assert anyio.current_time() - begun_s == pytest.approx(over_s)
