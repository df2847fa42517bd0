"""The handle that an application holds."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from tests.graph.parts import (
    UP,
    Alert,
    Function,
    Lane,
    Note,
    Session,
    Word,
    check_accounts,
    running,
    texts,
    words,
)
from wsframes.exceptions import UsageError
from wsframes.frames import CancelFrame, EndFrame, Frame, StartFrame, StopFrame
from wsframes.graph import (
    EndReason,
    ParallelPipeline,
    Pipeline,
    PipelineParams,
    PipelineTask,
    QueueLimits,
    QueueStatistics,
    RunResult,
)
from wsframes.testing import settle


def task_of(*processors: Any, **options: Any) -> PipelineTask:
    return PipelineTask(Pipeline(processors), **options)


# What it is given.


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"params": {"cancel_timeout": 3}}, "params of a PipelineTask are PipelineParams, not"),
        ({"observers": [Function("it")]}, "<it> is no observer: subclass BaseObserver"),
        ({"idle_timeout_secs": 0}, "idle_timeout_secs is 0; None is never"),
        ({"idle_timeout_secs": float("nan")}, "idle_timeout_secs is nan"),
    ],
)
def test_what_it_cannot_use_is_refused(options: Any, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        task_of(Function(), **options)


def test_it_runs_pipelines_only() -> None:
    wrong: Any = [Function("it")]
    with pytest.raises(UsageError, match=r"a PipelineTask runs a Pipeline, not \[<it>\]"):
        PipelineTask(wrong)


def test_its_name_is_unique_or_given() -> None:
    assert task_of().name.startswith("PipelineTask#")
    assert task_of().name != task_of().name
    assert repr(task_of(name="mine")) == "<mine ready>"


# Frames that are let in.


async def test_frames_that_come_before_the_run_are_kept_in_order_both_ways() -> None:
    session = Session(task_of(Function(), Lane()))
    await session.task.queue_frames(words(3))
    await session.task.queue_frame(Note("up"), UP)
    await session.task.stop_when_done()
    await session.run()
    assert session.texts() == ["0", "1", "2"]
    assert texts(session.up) == ["up"]
    assert isinstance(session.down[0], StartFrame)


async def test_only_so_many_are_kept() -> None:
    task = task_of(Function())
    await task.queue_frames(words(1024))
    with pytest.raises(UsageError, match="more than 1024 frames were queued before the run"):
        await task.queue_frame(Word())


async def test_frames_may_come_from_an_async_iterable() -> None:
    async def make() -> AsyncIterator[Frame]:
        for word in words(3):
            await anyio.sleep(1)
            yield word

    async with running(Function()) as session:
        await session.task.queue_frames(make())
        await settle()
        assert session.texts() == ["0", "1", "2"]


@pytest.mark.parametrize("started", [False, True])
async def test_what_is_no_frame_or_no_direction_is_refused(started: bool) -> None:
    wrong: Any = "hello"
    async with running(Function()) as session:
        task = session.task if started else task_of(name=session.task.name)
        with pytest.raises(UsageError, match="was given 'hello', which is no frame"):
            await task.queue_frame(wrong)
        with pytest.raises(UsageError, match="was given 'hello', which is no direction"):
            await task.queue_frame(Word(), wrong)


async def test_whoever_queues_waits_while_a_lane_is_full() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=4)

    async with running(Small(handle=lambda frame: anyio.sleep(1))) as session:
        begun_s = anyio.current_time()
        for word in words(10):
            await session.task.queue_frame(word)
        assert anyio.current_time() - begun_s > 5
        await session.end()
        assert len(session.texts()) == 10


async def test_ending_and_stopping_never_wait_for_room() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=1)

    async with running(Small(handle=lambda frame: anyio.sleep_forever())) as session:
        with anyio.move_on_after(1):
            await session.task.queue_frames(words(3))
        with anyio.fail_after(1):
            await session.task.stop_when_done()
            await session.task.stop()
            await session.task.queue_frame(Word("refused: there is nothing to wait for"))


async def test_what_comes_too_late_is_refused_and_counted() -> None:
    async with running(Function()) as session:
        await session.end()
        await session.task.queue_frame(Word())
        await session.task.stop_when_done()
    assert session.task.statistics()["source"].refused == {"finished": 2}
    check_accounts(session.task)


async def test_a_run_that_could_not_be_laid_out_counts_nothing() -> None:
    class Broken(Function):
        @property
        def queue_limits(self) -> QueueLimits:  # type: ignore[override]
            raise LookupError("no limits")

        async def process_frame(self, frame: Frame, direction: Any) -> None:
            """Never gets there."""

    it = Function()
    task = task_of(it, Broken())
    with pytest.raises(LookupError, match="no limits"):
        await task.run()
    assert task.has_finished()
    await task.queue_frame(Word())
    assert task.statistics() == {}
    assert it._node is None, "it can be used elsewhere"


# The run.


async def test_it_runs_once() -> None:
    async with running(Function()) as session:
        assert repr(session.task).endswith(" running>")
        assert not session.task.has_finished()
        with pytest.raises(UsageError, match="is running already"):
            await session.task.run()
        await session.end()
        assert session.task.has_finished()
        with pytest.raises(UsageError, match="has finished; make a new PipelineTask"):
            await session.task.run()


async def test_a_task_cannot_be_run_again_while_it_is_being_laid_out() -> None:
    raised: list[BaseException] = []

    class Greedy(Function):
        @property
        def queue_limits(self) -> QueueLimits:  # type: ignore[override]
            coroutine = task.run()
            try:
                coroutine.send(None)
            except UsageError as exc:
                raised.append(exc)
            return QueueLimits()

        async def process_frame(self, frame: Frame, direction: Any) -> None:
            await self.push_frame(frame, direction)

    task = task_of(Greedy())
    await task.stop_when_done()
    await task.run()
    assert "is running already" in str(raised[0])


async def test_an_empty_pipeline_runs() -> None:
    async with running() as session:
        await session.send(Word("a"), Alert("b"))
        assert session.texts() == ["a", "b"]
        assert (await session.end()).reason is EndReason.ENDED


async def test_its_statistics_are_those_of_the_run_by_place() -> None:
    task = task_of(Function("a"), Lane("b"))
    assert task.statistics() == {}
    assert task.metrics() == {}
    assert task.event_statistics() == QueueStatistics()
    await task.queue_frame(Word())
    await task.stop_when_done()
    await task.run()
    assert list(task.statistics()) == ["source", "a", "b", "sink"]
    assert task.statistics()["sink"].taken == 1


# Its ends.


async def test_ended_stopped_and_resumed_and_cancelled() -> None:
    it, lane = Function(), Lane()
    session = Session(task_of(it, lane))
    task = session.task
    await task.queue_frame(Word("a"))
    await task.stop()
    assert (await task.run()).reason is EndReason.STOPPED
    assert not task.has_finished()
    assert it.calls == ["start"], "it stays as it is"
    await task.queue_frame(Word("b"))
    await task.stop()
    assert (await task.run()).reason is EndReason.STOPPED
    await task.queue_frame(Word("c"))
    await task.stop_when_done()
    assert (await task.run()).reason is EndReason.ENDED
    assert task.has_finished()
    assert session.texts() == ["a", "b", "c"]
    assert it.calls == lane.calls == ["start", "start", "start", "stop", "cleanup"]
    kinds = [type(frame) for frame in session.down if frame.lifecycle]
    assert kinds == [StartFrame, StopFrame, StartFrame, StopFrame, StartFrame, EndFrame]
    rounds = ["started", "stopped", "finished"]
    assert session.events == rounds + rounds + ["started", "ended", "finished"]


@pytest.mark.parametrize("way", ["stop_when_done", "downstream", "upstream"])
async def test_an_end_that_comes_while_a_run_is_stopping_ends_the_next_one(way: str) -> None:
    it = Function("it")
    task = task_of(it, Lane("slow", handle=lambda frame: anyio.sleep(3)))
    session = Session(task)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session.run)
        await session.send(Word())
        await task.stop()
        await settle()
        if way == "stop_when_done":
            await task.stop_when_done()
        elif way == "downstream":
            await task.queue_frame(EndFrame())
        else:
            it.push_frame_nowait(EndFrame(), UP)
    assert (await session.wait()).reason is EndReason.STOPPED
    assert not task.has_finished()
    assert (await task.run()).reason is EndReason.ENDED
    assert it.calls == ["start", "start", "stop", "cleanup"]


async def test_a_stopped_task_that_is_not_to_be_resumed_is_closed() -> None:
    class Slow(Lane):
        async def cleanup(self) -> None:
            super().cleanup()
            await anyio.sleep_forever()

    it, slow = Function(), Slow()
    task = task_of(it, slow)
    await task.aclose()
    await task.stop()
    await task.run()
    await task.aclose()
    assert it.calls == slow.calls == ["start", "cleanup"]
    assert task.has_finished()
    await task.aclose()
    assert it.calls == ["start", "cleanup"]
    with pytest.raises(UsageError, match="has finished"):
        await task.run()


async def test_in_the_clean_up_after_a_stop_a_processor_knows_of_its_run() -> None:
    class Tells(Function):
        def cleanup(self) -> None:
            assert self.run_result is not None
            self.calls.append(self.run_result.reason)
            self.push_frame_nowait(Word())
            self.push_error("late")

    class TellsAsLane(Tells, Lane):
        pass

    its = [Tells("first"), TellsAsLane("second"), TellsAsLane("third")]
    task = task_of(its[0], ParallelPipeline([its[1]], [its[2]]))
    await task.stop()
    await task.run()
    await task.aclose()
    assert all(it.calls == ["start", EndReason.STOPPED] for it in its)
    for it in its:
        assert task.statistics()[it.name].refused == {"finished": 2}
        with pytest.raises(UsageError, match="not part of a running pipeline"):
            it.push_frame_nowait(Word())
    check_accounts(task)


async def test_a_task_that_was_cancelled_before_its_run_starts_and_ends() -> None:
    it = Function()
    session = Session(task_of(it))
    await session.task.cancel()
    await session.run()
    assert (await session.wait()).reason is EndReason.CANCELLED
    assert it.calls == ["start", "cancel", "cleanup"]
    assert session.events == ["started", "cancelled", "finished"]


async def test_a_stopped_task_that_is_cancelled_ends_when_it_is_resumed() -> None:
    it = Function()
    session = Session(task_of(it))
    await session.task.stop()
    await session.run()
    await session.task.cancel()
    await session.run()
    assert (await session.wait()).reason is EndReason.CANCELLED
    assert it.calls == ["start", "start", "cancel", "cleanup"]


async def test_a_cancel_frame_cancels() -> None:
    async with running(Lane(handle=lambda frame: anyio.sleep_forever())) as session:
        await session.send(Word(), CancelFrame())
        assert (await session.wait()).reason is EndReason.CANCELLED


async def test_which_frames_are_told_can_be_chosen() -> None:
    async with running(Function()) as session:
        session.task.set_reached_downstream_filter([Alert])
        session.task.set_reached_upstream_filter([Note, Alert])
        await session.send(Word("a"), Alert("b"))
        for kind in (Word, Note, Alert):
            session.task._send(kind("c"), UP)
        await settle()
        assert session.texts() == ["b"]
        assert [type(frame) for frame in session.up] == [Note, Alert]


async def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(UsageError, match="has no event 'on_start'; its events: on_frame_reached"):
        task_of().event_handler("on_start")(print)


async def test_handlers_may_be_given_as_decorators_and_end_the_run() -> None:
    task = task_of(Lane())

    @task.event_handler("on_pipeline_started")
    async def started(it: PipelineTask, frame: StartFrame) -> None:
        await it.queue_frame(Word("hello"))
        await it.stop_when_done()

    results: list[RunResult] = []
    task.event_handler("on_pipeline_finished")(lambda it, result: results.append(result))
    result = await task.run()
    assert results == [result]
    assert task.statistics()["sink"].taken == 1


async def test_a_handler_that_fails_is_told_as_an_error_but_not_of_itself() -> None:
    params = PipelineParams(handler_timeout=2)
    errors: list[str] = []
    async with running(Function("it"), params=params) as session:

        @session.task.event_handler("on_frame_reached_downstream")
        async def fail(task: PipelineTask, frame: Frame) -> None:
            if isinstance(frame, Word):
                raise LookupError("in the handler")
            if isinstance(frame, Note):
                await anyio.sleep_forever()

        @session.task.event_handler("on_pipeline_error")
        async def note(task: PipelineTask, frame: Any) -> None:
            errors.append(frame.error)
            raise LookupError("and again")

        await session.send(Word())
        assert errors == [
            "a handler of on_frame_reached_downstream failed: LookupError('in the handler')"
        ]
        await session.send(Note())
        await anyio.sleep(3)
        assert "did not return within 2.0 s" in errors[1]
        assert session.result is None
    dropped = session.task.event_statistics().dropped
    assert dropped == {"error": 3, "handler_timeout": 1}
