"""One execution, from its start to the moment when nothing of it is left."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.graph.parts import UP, Alert, Function, Lane, Note, Session, Word, running, words
from tests.graph.test_failures import stray_cancellation
from tests.graph.test_lane import AsyncHooks
from wsframes.frames import (
    BotInterruptionFrame,
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
)
from wsframes.graph import (
    EndReason,
    FrameProcessor,
    Pipeline,
    PipelineTask,
    QueueLimits,
    RunResult,
)
from wsframes.testing import settle


async def forever(*_: object) -> None:
    await anyio.sleep_forever()


async def time_of(wait: Callable[[], Any]) -> float:
    begun_s = anyio.current_time()
    await wait()
    return anyio.current_time() - begun_s


# What arrives at its ends.


async def test_a_request_for_an_interruption_is_answered_with_one() -> None:
    it = Function()
    async with running(Function(), it):
        it.push_frame_nowait(BotInterruptionFrame(), UP)
        await settle()
        assert it.calls == ["start", "interrupt"]


async def test_only_the_first_end_counts() -> None:
    it = Function()
    async with running(it, Lane(handle=lambda frame: anyio.sleep(1))) as session:
        await session.send(Word("a"))
        it.push_frame_nowait(EndFrame(), UP)
        it.push_frame_nowait(EndFrame(), UP)
        await session.task.stop_when_done()
        await session.task.stop()
        assert (await session.wait()).reason is EndReason.ENDED
        assert session.texts() == ["a"]
        assert session.events.count("ended") == 1
    assert session.task.statistics()["source"].refused == {"ended": 3}


async def test_an_error_frame_that_is_fatal_ends_the_run() -> None:
    it = Function()
    async with running(Function(), it) as session:
        it.push_frame_nowait(ErrorFrame("over", fatal=True), UP)
        assert (await session.wait()).error == "over"


# Ends that hang.


@pytest.mark.parametrize("stuck", ["stop", "process_frame", "frame", "system frame"])
async def test_an_end_that_makes_no_progress_is_given_up_and_names_where_it_is(stuck: str) -> None:
    class Hangs(AsyncHooks):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if (
                (stuck == "process_frame" and isinstance(frame, EndFrame))
                or (stuck == "frame" and isinstance(frame, Word))
                or (stuck == "system frame" and isinstance(frame, Alert))
            ):
                await anyio.sleep_forever()
            await super().process_frame(frame, direction)

    it = Hangs("it", stuck, anyio.sleep_forever)
    below = Function()
    async with running(Lane(), it, below) as session:
        await session.send(Word(), Alert())
        took_s = await time_of(session.end)
        result = await session.wait()
    assert result.reason is EndReason.STALLED
    assert result.stuck == "it"
    assert result.error == "the end did not get past it"
    assert 5 <= took_s < 6.1
    assert below.calls == ["start", "cancel", "cleanup"]


async def test_an_end_takes_as_long_as_it_moves() -> None:
    it = Lane("it", lambda frame: anyio.sleep(4))
    async with running(it) as session:
        await session.send(*words(10))
        assert await time_of(session.end) == pytest.approx(40)
        assert (await session.wait()).reason is EndReason.ENDED


async def test_an_end_moves_while_a_lane_that_waits_for_room_has_its_frames_taken() -> None:
    class Slow(Lane):
        queue_limits = QueueLimits(max_frames=4)

    it, slow = Lane("it"), Slow("slow", lambda frame: anyio.sleep(3))
    async with running(it, slow) as session:
        await session.send(*words(30))
        assert await time_of(session.end) == pytest.approx(90)
        assert (await session.wait()).reason is EndReason.ENDED
        assert len(session.texts()) == 30


async def test_an_end_moves_in_every_branch_by_itself() -> None:
    from wsframes.graph import ParallelPipeline

    slow = Lane("slow", lambda frame: anyio.sleep(4))
    quick = AsyncHooks("quick")
    stuck = AsyncHooks("stuck", "stop", anyio.sleep_forever)
    async with running(ParallelPipeline([slow], [quick])) as session:
        await session.send(*words(5))
        assert (await session.end()).reason is EndReason.ENDED
    async with running(ParallelPipeline([slow], [stuck])) as session:
        await session.send(*words(5))
        took_s = await time_of(session.end)
        result = await session.wait()
    assert (result.reason, result.stuck) == (EndReason.STALLED, "stuck")
    assert 25 <= took_s < 26.1, "one branch moved for 20 s"


async def test_what_is_played_out_is_progress_in_the_future() -> None:
    class Plays(Lane):
        async def stop(self, frame: EndFrame) -> None:
            context = self._wired().context
            assert context.drain.holder == self.name
            context.drain.progress(anyio.current_time() + 60)
            await anyio.sleep(62)

    async with running(Plays("it")) as session:
        assert (await session.end()).reason is EndReason.ENDED


# Cancellation is over in time, whatever is stuck.

STUCK = ["start", "word", "alert", "note", "stop", "cancel", "cleanup", "background", "handler"]


def stuck_in(what: str) -> Lane:
    class Hangs(AsyncHooks):
        async def start(self, frame: Any) -> None:
            if what == "background":
                self.start_soon(anyio.sleep_forever)
            await super().start(frame)

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if type(frame).__name__.lower() == what:
                await anyio.sleep_forever()
            await super().process_frame(frame, direction)

        async def cleanup(self) -> None:
            super().cleanup()
            await self.hook("cleanup")

    return Hangs("it", what, anyio.sleep_forever)


@pytest.mark.parametrize("what", STUCK)
@pytest.mark.parametrize("ending", [False, True])
async def test_a_cancelled_run_is_over_in_time_whatever_is_stuck(what: str, ending: bool) -> None:
    it, other = stuck_in(what), Function()
    async with running(Lane(), it, other) as session:
        if what == "handler":
            session.task.add_event_handler("on_frame_reached_downstream", forever)
        await session.send(Word(), Alert(), Note())
        for word in words(1000):
            session.task._send(word)
        if ending:
            await session.task.stop_when_done()
            await settle()
        await session.task.cancel()
        took_s = await time_of(session.over.wait)
        assert took_s <= 1.0
    assert it.calls[-1] == other.calls[-1] == "cleanup"
    result = await session.wait()
    reason = EndReason.CANCELLED
    if ending and what in ("cancel", "cleanup", "background", "handler"):
        reason = EndReason.ENDED  # nothing held the end up
    assert result.reason is reason
    assert session.events[-2:] == [reason.value, "finished"]
    is_stuck = what == "cleanup" or (what == "cancel" and reason is EndReason.CANCELLED)
    assert result.stuck == ("it" if is_stuck else None)


@pytest.mark.parametrize("what", STUCK)
async def test_a_run_whose_caller_is_cancelled_is_over_in_time_whatever_is_stuck(what: str) -> None:
    it, other = stuck_in(what), Function()
    session = Session(PipelineTask(Pipeline([Lane(), it, other])))
    if what == "handler":
        session.task.add_event_handler("on_frame_reached_downstream", forever)
    with anyio.move_on_after(10) as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run)
            await settle()
            await session.send(Word(), Alert(), Note())
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert anyio.current_time() - scope.deadline <= 1.0
    assert it.calls[-1] == other.calls[-1] == "cleanup"
    assert session.events[-2:] == ["cancelled", "finished"]
    assert session.task.has_finished()


async def test_who_does_not_let_itself_be_cancelled_is_named() -> None:
    class Stays(Lane):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(7)
            await super().process_frame(frame, direction)

    async with running(Lane(), Stays("it")) as session:
        await session.send(Word())
        await session.task.cancel()
        assert await time_of(session.over.wait) == pytest.approx(7)
        result = await session.wait()
    assert (result.reason, result.stuck) == (EndReason.CANCELLED, "it")


async def test_who_stays_is_named_to_a_cancelled_caller_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stays(Function):
        async def work(self) -> None:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(7)

    it = Stays("it")
    session = Session(PipelineTask(Pipeline([it])))
    results: list[RunResult] = []
    session.task.add_event_handler("on_pipeline_finished", lambda task, end: results.append(end))
    with anyio.move_on_after(1):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run)
            await settle()
            it.start_soon(it.work)
            await anyio.sleep_forever()
    assert results[0].stuck == "it"
    text = "the run waits for it background, which does not let itself be cancelled"
    assert caplog.records[-1].getMessage() == text


async def test_cancelling_hurries_up_an_end_that_is_decided() -> None:
    class Slow(Lane):
        async def cleanup(self) -> None:
            super().cleanup()
            await anyio.sleep(4)

    it = Slow("it")
    async with running(it) as session:
        session.task.add_event_handler("on_pipeline_started", lambda *_: anyio.sleep(4))
        session.task.add_event_handler("on_frame_reached_downstream", lambda *_: anyio.sleep(4))
        await session.send(Word())
        await session.task.stop_when_done()
        await anyio.sleep(1)
        assert session.result is None
        await session.task.cancel()
        assert await time_of(session.over.wait) <= 1
        assert (await session.wait()).reason is EndReason.ENDED


@pytest.mark.parametrize("when_s", [0.5, 4.5])
async def test_cancelling_the_caller_hurries_up_an_end_that_is_decided(when_s: float) -> None:
    class Slow(Lane):
        async def cleanup(self) -> None:
            super().cleanup()
            await anyio.sleep(4)

    it = Slow("it")
    session = Session(PipelineTask(Pipeline([it])))
    session.task.add_event_handler("on_frame_reached_downstream", lambda *_: anyio.sleep(2))
    await session.task.stop_when_done()
    with anyio.move_on_after(when_s) as scope:
        await session.run()
    assert scope.cancel_called
    assert anyio.current_time() - scope.deadline <= 1
    assert session.events == ["started", "ended", "finished"]
    assert it.calls == ["start", "stop", "cleanup"]


async def test_without_hurry_handlers_and_clean_up_have_their_time_after_an_error() -> None:
    class Slow(Lane):
        async def cleanup(self) -> None:
            await anyio.sleep(0.9)
            super().cleanup()

    it, log = Slow("it"), []
    async with running(it) as session:

        @session.task.event_handler("on_pipeline_error")
        async def note(*_: object) -> None:
            await anyio.sleep(3)
            log.append("noted")

        it.push_error("over", fatal=True)
        await session.wait()
    assert log == ["noted"]
    assert it.calls == ["start", "cancel", "cleanup"]


# Clean-up.


async def test_one_clean_up_that_fails_or_hangs_costs_the_others_nothing() -> None:
    stray = await stray_cancellation()

    class Raises(Function):
        def cleanup(self) -> None:
            super().cleanup()
            raise LookupError

    class RaisesLater(Function):
        async def cleanup(self) -> None:
            super().cleanup()
            raise stray

    class Hangs(Function):
        async def cleanup(self) -> None:
            super().cleanup()
            await anyio.sleep_forever()

    parts = [Raises("a"), RaisesLater("b"), Hangs("c"), Function("d"), Hangs("e")]
    async with running(*parts) as session:
        assert await time_of(session.end) == pytest.approx(5)
        result = await session.wait()
    assert all(part.calls[-1] == "cleanup" for part in parts)
    assert (result.reason, result.stuck) == (EndReason.ENDED, "c")


@pytest.mark.parametrize("later", [False, True])
async def test_what_is_no_exception_comes_out_of_a_clean_up(later: bool) -> None:
    class Halt(BaseException):
        """As the end of the process is; but that one would end the event loop of the test."""

    class Halts(Function):
        async def cleanup(self) -> None:
            raise Halt

    class Stops(Function):
        def cleanup(self) -> None:
            raise KeyboardInterrupt

    task = PipelineTask(Pipeline([Halts() if later else Stops()]))
    await task.stop_when_done()
    with pytest.raises(Halt if later else KeyboardInterrupt):
        await task.run()
    assert task.has_finished()


# Tasks and timers of the run.


async def test_a_task_of_the_run_that_fails_ends_it() -> None:
    it = Function("it")

    async def work() -> None:
        raise LookupError

    async with running(it) as session:
        context = it._wired().context
        context.start_soon(work, name="the work", owner="it")
        result = await session.wait()
    assert result.reason is EndReason.ERROR
    assert isinstance(result.error, LookupError)
    assert result.stuck == "it"


async def test_a_timer_that_fails_ends_it() -> None:
    it = Function("it")

    def fail() -> None:
        raise LookupError

    async with running(it) as session:
        it._wired().context.call_at(anyio.current_time() + 1, fail)
        result = await session.wait()
    assert result.reason is EndReason.ERROR
    assert isinstance(result.error, LookupError)


async def test_what_a_result_lacks_can_be_added() -> None:
    it = Function("it")
    async with running(it) as session:
        context = it._wired().context
        context.add_to_result(close_code=1000)
        it.end_run(EndReason.CLIENT_LOST)
        context.add_to_result(close_code=1006, stuck="a")
        context.add_to_result(close_code=1001, stuck="b")
        result = await session.wait()
    assert (result.close_code, result.stuck) == (1006, "a")


async def test_an_unnamed_task_has_the_name_of_its_function() -> None:
    it = Function("it")
    async with running(it):
        context = it._wired().context
        context.start_soon(forever)
        await settle()
        assert ("forever", "forever") in context.working


async def test_an_upstream_frame_that_is_let_in_after_the_end_is_refused() -> None:
    class Late(Function):
        def cleanup(self) -> None:
            session.task._run.send(Note(), UP)  # type: ignore[union-attr]

    async with running(Late("it")) as session:
        await session.end()
    assert session.task.statistics()["sink"].refused == {"finished": 1}


async def test_a_cancel_frame_that_a_processor_pushes_downstream_is_the_last_one() -> None:
    it = Function()
    async with running(FrameProcessor(), it) as session:
        it.push_frame_nowait(CancelFrame())
        assert (await session.wait()).reason is EndReason.CANCELLED
        assert isinstance(session.down[-1], CancelFrame)


async def test_an_interruption_before_anything_has_started_means_nothing() -> None:
    it = AsyncHooks("it", "start")
    async with running(Function(), it) as session:
        await session.send(InterruptionFrame())
        await anyio.sleep(2)
        await session.send(Word("a"))
        assert session.texts() == ["a"]
        assert not any(isinstance(frame, InterruptionFrame) for frame in session.down)


# An error of somebody else.


async def test_an_error_beside_a_run_cancels_it_and_comes_out_as_it_is() -> None:
    """On trio a cancellation has it as its context, and that leads to a task that goes on."""
    task = PipelineTask(Pipeline([AsyncHooks("it", "cancel")]))

    async def beside() -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(task.run)
                await settle()
                raise ZeroDivisionError
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)

    with pytest.raises(ExceptionGroup) as raised:
        await beside()
    assert raised.group_contains(ZeroDivisionError)
    assert task.has_finished()
