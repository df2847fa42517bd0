"""What all places of the graph have in common."""

from typing import Any

import anyio
import pytest

from tests.graph.parts import DOWN, UP, Alert, Function, Lane, Note, Word, running, words
from tests.graph.test_function import errors
from wsframes.exceptions import UsageError
from wsframes.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StopFrame,
)
from wsframes.graph import EndReason, FrameProcessor, ParallelPipeline
from wsframes.testing import settle


@pytest.mark.parametrize("below", [Function, Lane, FrameProcessor])
async def test_what_is_no_frame_is_an_error_of_the_one_that_pushed_it(below: Any) -> None:
    it = Function("culprit")
    async with running(it, below(name="below")) as session:
        wrong: Any = "hello"
        it.push_frame_nowait(wrong)
        it.push_frame_nowait(Word("goes on"))
        await settle()
        assert session.texts() == ["goes on"]
        (told,) = (frame for frame in session.up if isinstance(frame, ErrorFrame))
        assert told.error == "culprit pushed 'hello', which is no frame"
        assert isinstance(told.exception, UsageError)


async def test_what_is_no_frame_is_found_upstream_too() -> None:
    it = Function("culprit")
    async with running(Function("above"), it, Function()) as session:
        wrong: Any = None
        it.push_frame_nowait(wrong, UP)
        await settle()
        assert errors(session.up) == ["culprit pushed None, which is no frame"]


async def test_a_frame_type_is_no_frame() -> None:
    it = Function("culprit")
    async with running(it, Lane("below")) as session:
        wrong: Any = Word
        it.push_frame_nowait(wrong)
        await settle()
        (text,) = errors(session.up)
        assert text.startswith("culprit pushed <class")


async def test_what_is_no_frame_is_found_where_branches_meet() -> None:
    it = Function("culprit")
    async with running(ParallelPipeline([it], [Function("other")])) as session:
        wrong: Any = "hello"
        it.push_frame_nowait(wrong)
        it.push_frame_nowait(wrong, UP)
        await settle()
        assert errors(session.up) == ["culprit pushed 'hello', which is no frame"] * 2


async def test_what_is_no_frame_is_found_before_the_first_and_after_the_last_processor() -> None:
    it = Function("culprit")
    async with running(it) as session:
        wrong: Any = "hello"
        it.push_frame_nowait(wrong)
        it.push_frame_nowait(wrong, UP)
        await settle()
        assert errors(session.up) == ["culprit pushed 'hello', which is no frame"] * 2


async def test_what_is_no_frame_is_an_error_of_the_one_that_pushed_it_after_the_end_too() -> None:
    it = Function("culprit")
    stuck = Lane("stuck", lambda frame: anyio.sleep_forever())
    async with running(Function("above"), it, stuck) as session:
        await session.send(Word(), EndFrame())
        wrong: Any = "late"
        it.push_frame_nowait(wrong)
        await settle()
        assert errors(session.up) == ["culprit pushed 'late', which is no frame"]


async def test_background_work_that_fails_is_an_error_and_ends_only_itself() -> None:
    it = Function("it")

    async def work(text: str) -> None:
        raise LookupError(text)

    async with running(it, Function()) as session:
        it.start_soon(work, "no key")
        await session.send(Word("goes on"))
        assert session.texts() == ["goes on"]
        (text,) = errors(session.up)
        assert text.startswith("it failed in its background work test_background")
        assert "LookupError('no key')" in text


async def test_background_work_that_is_none_is_an_error_too() -> None:
    it = Function("it")

    def work() -> None:
        """Not a coroutine function."""

    async with running(it) as session:
        wrong: Any = work
        it.start_soon(wrong)
        await settle()
        assert len(errors(session.up)) == 1


async def test_background_work_that_is_no_exception_ends_the_run() -> None:
    class Halt(BaseException):
        """As the end of the process is; but that one would end the event loop of the test."""

    it = Function("it")

    async def work() -> None:
        raise Halt

    with pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012
        async with running(it) as session:
            it.start_soon(work)
            await session.over.wait()
    assert isinstance(caught.value.exceptions[0], Halt)


async def test_background_work_does_not_end_with_an_interruption_but_with_the_run() -> None:
    from wsframes.frames import InterruptionFrame

    log: list[str] = []
    it = Lane("it")

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            log.append("ended")

    async with running(it) as session:
        it.start_soon(work)
        await session.send(InterruptionFrame())
        assert log == []
        await session.end()
    assert log == ["ended"]


async def test_errors_of_a_failing_processor_are_logged_once_a_second(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Fails(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                raise LookupError

    async with running(Fails(name="it")) as session:
        await session.send(*words(50))
        assert len(errors(session.up)) == 50
    assert len(caplog.records) == 1


async def test_a_fatal_error_ends_the_run_though_nobody_lets_it_through() -> None:
    class Swallows(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            """Push nothing."""

    told: list[ErrorFrame] = []
    it = Function("it")
    stuck = Lane("stuck", lambda frame: anyio.sleep_forever())
    async with running(Swallows(), stuck, it) as session:
        session.task.add_event_handler("on_pipeline_error", lambda task, error: told.append(error))
        await session.send(Alert())
        error = LookupError()
        it.push_error("it is over", exception=error, fatal=True)
        result = await session.wait()
    assert result.reason is EndReason.ERROR
    assert result.error is error
    assert [frame.error for frame in told] == ["it is over"]
    assert told[0].processor == "it"


async def test_a_fatal_error_is_told_once_and_seen_by_those_above() -> None:
    above, it = Function(), Function("it")
    async with running(above, it) as session:
        it.push_error("it is over", fatal=True)
        result = await session.wait()
        assert errors(session.up) == ["it is over"]
    assert errors(above.seen) == ["it is over"]
    assert result.error == "it is over"


async def test_an_error_that_is_not_fatal_ends_nothing() -> None:
    it = Function("it")
    async with running(it) as session:
        it.push_error("mind this")
        await session.send(Word("goes on"))
        assert errors(session.up) == ["mind this"]
        assert session.texts() == ["goes on"]


@pytest.mark.parametrize("kind", [EndFrame, StopFrame])
async def test_an_end_upstream_is_a_request_that_those_above_may_deal_with(
    kind: type[Frame],
) -> None:
    above, it = Lane("above"), Function()
    async with running(Function(), above, it) as session:
        await session.send(Word("before"))
        it.push_frame_nowait(kind(), UP)
        result = await session.wait()
        assert session.texts() == ["before"]
    assert result.reason is (EndReason.ENDED if kind is EndFrame else EndReason.STOPPED)
    assert [type(frame) for frame in above.seen[-2:]] == [kind, kind], "the request, and the end"


async def test_a_request_may_be_refused_by_not_pushing_it() -> None:
    class Refuses(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if direction is DOWN:
                super().process_frame(frame, direction)

    it = Function()
    async with running(Refuses(), it) as session:
        it.push_frame_nowait(EndFrame(), UP)
        await session.send(Word("goes on"))
        assert session.texts() == ["goes on"]


async def test_held_frames_keep_their_order_when_a_function_starts_in_the_middle_of_pushes() -> (
    None
):
    class Greets(Lane):
        async def start(self, frame: Any) -> None:
            self.push_frame_nowait(Word("1"))
            self.push_frame_nowait(EndFrame())
            await anyio.sleep(1)
            self.push_frame_nowait(Note("never: it comes after the end"))

    async with running(Greets("it"), Function()) as session:
        assert (await session.wait()).reason is EndReason.ENDED
        assert session.texts() == ["1"]


async def test_a_function_that_never_starts_drops_what_it_holds_with_the_end() -> None:
    it = Function("it")
    above = Lane("above")

    async def hang(frame: Any) -> None:
        it.push_frame_nowait(Word("held"))
        await anyio.sleep_forever()

    above.start = hang  # type: ignore[method-assign]
    async with running(above, it) as session:
        it._node.lifecycle(EndFrame(), DOWN)  # type: ignore[union-attr]
        await settle()
    assert session.task.statistics()["it"].dropped == {"ended": 1}


async def test_a_function_is_shown_an_interruption_at_once_so_none_waits() -> None:
    it = Function("it")
    async with running(it) as session:
        await session.send(InterruptionFrame())
        assert it._node is not None
        assert not it._node.shows_more


async def test_what_is_pushed_out_gets_to_the_end_of_the_graph_at_once() -> None:
    it = Function("it")
    async with running(it) as session:
        node = it._node
        assert node is not None
        node.push_out(Word("out"))
        assert session.task.statistics()["sink"].taken == 1
        await settle()
        assert session.texts() == ["out"]


async def test_what_is_pushed_out_waits_for_its_turn_where_a_push_is_under_way() -> None:
    class PushesOut(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                assert self._node is not None
                self.push_frame_nowait(Note("first"))
                self._node.push_out(Note("second"))

    async with running(PushesOut()) as session:
        await session.send(Word())
        assert session.texts() == ["first", "second"]


@pytest.mark.parametrize("below", [Function, Lane])
async def test_what_is_pushed_out_goes_through_whoever_is_still_below(below: Any) -> None:
    it, last = Function("it"), below("last")
    async with running(it, last) as session:
        assert it._node is not None
        it._node.push_out(Word("out"))
        await settle()
        assert last.texts() == session.texts() == ["out"]


async def test_what_is_pushed_out_and_fails_below_is_no_failure_of_the_one_that_pushed() -> None:
    class Fails(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                raise LookupError

    it = Function("it")
    async with running(it, Fails(name="fails")) as session:
        assert it._node is not None
        it._node.push_out(Word("out"))
        await settle()
        (text,) = errors(session.up)
        assert text.startswith("fails failed on Word")


async def test_what_is_pushed_out_when_the_run_is_over_gets_nowhere() -> None:
    it = Function("it")
    async with running(it) as session:
        assert it._node is not None
        node = it._node
        await session.end()
        node.push_out(Word("late"))
    assert session.task.statistics()["sink"].taken == 0


async def test_a_run_that_is_over_lets_go_of_its_end() -> None:
    async with running(Function()) as session:
        run = session.task._run
        assert run is not None
        assert run.context.dispatcher.sink is run.nodes[-1]
        await session.end()
    assert run.context.dispatcher.sink is None
