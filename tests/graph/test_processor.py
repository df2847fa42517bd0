"""What a processor calls, and how it is written."""

import functools
from typing import Any

import anyio
import pytest

from tests.graph.parts import DOWN, UP, Alert, Function, Lane, Note, Word, running
from tests.graph.test_function import errors
from wsframes.exceptions import UsageError
from wsframes.frames import Frame, FrameDirection
from wsframes.graph import EndReason, FrameProcessor, Pipeline, PipelineTask
from wsframes.testing import settle


def test_names_are_unique_and_tell_the_type() -> None:
    class Quiet(FrameProcessor):
        def __init__(self) -> None:
            """Calls no `super().__init__`."""

    first, second = Quiet(), Quiet()
    assert first.name == "Quiet#0"
    assert repr(second) == "<Quiet#1>"
    assert FrameProcessor(name="mine").name == "mine"


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.push_frame_nowait(Word()),
        lambda it: it.push_error("no"),
        lambda it: it.start_soon(anyio.sleep, 1),
        lambda it: it.end_run(EndReason.ENDED),
        lambda it: it.emit("on_this"),
        lambda it: it.run_result,
    ],
)
def test_outside_of_a_run_it_can_do_nothing_and_says_so(call: Any) -> None:
    it = Function("it")
    with pytest.raises(UsageError, match="it is not part of a running pipeline: put it into a"):
        call(it)


async def test_outside_of_a_run_it_cannot_push_and_wait_either() -> None:
    with pytest.raises(UsageError, match="it is not part of a running pipeline"):
        await Function("it").push_frame(Word())


@pytest.mark.parametrize("direction", ["downstream", None, True])
async def test_what_is_no_direction_is_refused(direction: Any) -> None:
    it = Function("it")
    async with running(it):
        with pytest.raises(UsageError, match=r"it pushed in the direction .*, which is none"):
            it.push_frame_nowait(Word(), direction)
        with pytest.raises(UsageError, match="which is none"):
            await it.push_frame(Word(), direction)


async def test_downstream_is_the_default_direction() -> None:
    it = Function("it")
    async with running(it) as session:
        it.push_frame_nowait(Word("a"))
        await it.push_frame(Word("b"))
        await settle()
        assert session.texts() == ["a", "b"]


async def test_functions_that_answer_each_other_without_end_are_stopped() -> None:
    class Answers(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                self.push_frame_nowait(frame, UP if direction is DOWN else DOWN)
            else:
                self.push_frame_nowait(frame, direction)

    below = Answers(name="below")
    async with running(Answers(name="above"), below) as session:
        below.push_frame_nowait(Word(), UP)
        await session.send(Note("goes on"))
        assert session.texts() == ["goes on"]
        (text,) = errors(session.up)
        assert "push at each other without end" in text
    assert session.task.statistics()["below"].dropped == {"error": 1}


async def test_ending_the_run_says_why() -> None:
    it = Function()
    async with running(it) as session:
        assert it.run_result is None
        it.end_run(EndReason.BAD_INPUT, close_code=1007, error="nonsense")
        it.end_run(EndReason.ERROR, error="too late: the first cause wins")
        assert it.run_result is not None
        result = await session.wait()
    assert (result.reason, result.close_code) == (EndReason.BAD_INPUT, 1007)
    assert result.error == "nonsense"
    assert session.events[-2:] == ["cancelled", "finished"]


async def test_it_tells_events_of_its_own_in_the_order_of_the_run() -> None:
    class Tells(Function):
        def __init__(self) -> None:
            super().__init__("it")
            self.register_event("on_word")

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                self.emit("on_word", frame.text)
            super().process_frame(frame, direction)

        def cleanup(self) -> None:
            self.emit("on_word", "goodbye")

    it = Tells()
    log: list[Any] = []

    @it.event_handler("on_word")
    async def on_word(processor: FrameProcessor, text: str) -> None:
        await anyio.sleep(1)
        log.append((processor, text))

    it.add_event_handler("on_word", lambda processor, text: log.append(text))
    async with running(it) as session:
        session.task.add_event_handler("on_pipeline_started", lambda *_: log.append("started"))
        session.task.add_event_handler("on_pipeline_ended", lambda *_: log.append("ended"))
        await session.send(Word("a"))
        await session.end()
    assert log == [(it, "a"), "a", (it, "goodbye"), "goodbye", "ended"]


async def test_an_event_that_was_not_registered_is_refused() -> None:
    it = Function("it")
    with pytest.raises(UsageError, match="it has no event 'on_word'; its events: none"):
        it.event_handler("on_word")(print)
    async with running(it):
        with pytest.raises(UsageError, match="it has no event"):
            it.emit("on_word")


def test_by_default_it_deals_with_nothing_at_once() -> None:
    assert not FrameProcessor().process_frame_nowait(Word(), DOWN)


async def test_after_the_run_nothing_can_be_started() -> None:
    class Late(Function):
        def cleanup(self) -> None:
            self.start_soon(anyio.sleep, 1)

    async with running(Late("it")) as session:
        await session.end()
        assert session.result is not None
        assert session.result.reason is EndReason.ENDED


async def test_it_can_be_written_as_a_partial_or_wrapped() -> None:
    def wrap(function: Any) -> Any:
        @functools.wraps(function)
        async def wrapped(*args: Any) -> Any:
            return await function(*args)

        return wrapped

    class Wrapped(FrameProcessor):
        @wrap
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await self.push_frame(frame, direction)

    async with running(Wrapped()) as session:
        await session.send(Word("a"))
        assert session.texts() == ["a"]


async def test_a_processor_can_be_used_again_after_the_run() -> None:
    it, lane = Function("it"), Lane("lane")
    for _ in range(2):
        async with running(it, lane) as session:
            await session.send(Word("a"), Alert("b"))
            await session.end()
            assert sorted(session.texts()) == ["a", "b"]
    assert it.calls == ["start", "stop", "cleanup"] * 2


async def test_a_processor_that_runs_cannot_run_elsewhere() -> None:
    it = Function("it")
    async with running(it):
        with pytest.raises(UsageError, match="it is part of a pipeline that is running already"):
            await PipelineTask(Pipeline([Function(), it])).run()


async def test_what_a_queue_cannot_take_is_an_error() -> None:
    class Broken(Word):
        @property
        def payload_bytes(self) -> int:
            raise LookupError("no size")

    it = Function("culprit")
    async with running(it, Lane("below")) as session:
        wrong: Any = "hello"
        for frame in (Broken("broken"), wrong, Word("fine")):
            await it.push_frame(frame)
        await settle()
        assert session.texts() == ["fine"]
        broken, no_frame = errors(session.up)
        assert broken.startswith("below failed on Broken#")
        assert broken.endswith("LookupError('no size')")
        assert no_frame == "culprit pushed 'hello', which is no frame"
        assert session.task.statistics()["below"].dropped == {"error": 2}


async def test_what_ends_the_process_comes_out_of_a_push_into_a_queue() -> None:
    class Interrupted(Word):
        @property
        def lifecycle(self) -> bool:  # type: ignore[override]
            raise KeyboardInterrupt

    it = Function("it")
    async with running(it, Lane()):
        with pytest.raises(KeyboardInterrupt):
            await it.push_frame(Interrupted("a"))


async def test_a_push_that_waits_is_no_checkpoint_when_nothing_is_full() -> None:
    it = Function()
    async with running(it, Lane()) as session:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await it.push_frame(Word("a"))
        assert not scope.cancelled_caught
        await settle()
        assert session.texts() == ["a"]
