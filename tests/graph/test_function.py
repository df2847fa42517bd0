"""The place of a processor that never waits."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from tests.graph.parts import UP, Alert, Function, Lane, Media, Note, Word, running, texts
from tests.graph.test_failures import stray_cancellation
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from wsframes.graph import EndReason, FrameProcessor


def errors(frames: list[Frame]) -> list[str]:
    return [frame.error for frame in frames if isinstance(frame, ErrorFrame)]


async def test_one_that_overrides_nothing_passes_all_both_ways() -> None:
    async with running(FrameProcessor(name="it")) as session:
        await session.send(Word("down"), Alert("down"))
        session.task._send(Note("up"), UP)
        await session.end()
        assert session.texts() == ["down", "down"]
        assert texts(session.up) == ["up"]
    assert session.task.statistics()["it"].delivered == 3


async def test_it_is_told_of_the_lifecycle_by_hook_and_by_frame() -> None:
    it = Function()
    async with running(it) as session:
        await session.send(InterruptionFrame())
        await session.end()
    assert it.calls == ["start", "interrupt", "stop", "cleanup"]
    assert [type(frame) for frame in it.seen] == [StartFrame, InterruptionFrame, EndFrame]


async def test_a_stop_has_no_hook_and_a_cancellation_after_it_is_told() -> None:
    it = Function()
    async with running(it, Lane("slow", lambda frame: anyio.sleep(3))) as session:
        await session.send(Word())
        await session.task.stop()
        await session.task.cancel()
        await session.wait()
    assert it.calls == ["start", "cancel", "cleanup"]
    assert [type(frame) for frame in it.seen] == [StartFrame, Word, StopFrame, CancelFrame]


async def test_after_the_end_it_is_not_asked_and_only_system_frames_pass() -> None:
    async def handle(frame: Frame) -> None:
        if isinstance(frame, Word):
            await anyio.sleep(3)

    it = Function("it")
    async with running(it, Lane("slow", handle), Function()) as session:
        await session.send(Word("before"))
        await session.task.stop_when_done()
        it.push_frame_nowait(Word("late"))
        it.push_frame_nowait(Media())
        it.push_frame_nowait(Alert("barge in"))
        session.task._send(Alert("through"))
        session.task._send(Word("too late"))
        it.push_frame_nowait(Note("up"), UP)
        await session.wait()
        assert sorted(session.texts()) == ["barge in", "before", "through"]
        assert texts(session.up) == ["up"]
    assert it.texts() == ["before"]
    assert session.task.statistics()["it"].refused == {"ended": 2}
    assert session.task.statistics()["source"].refused == {"ended": 1}


async def test_an_interruption_after_its_end_passes_it() -> None:
    it = Function()
    lane = Lane("slow", lambda frame: anyio.sleep(3))
    async with running(it, lane) as session:
        await session.send(Note(), Word("old"))
        await session.task.stop_when_done()
        await session.send(InterruptionFrame())
        await session.wait()
        assert session.texts() == [""]
    assert it.calls == ["start", "stop", "cleanup"]
    assert lane.calls == ["start", "interrupt", "stop", "cleanup"]


async def test_after_a_cancellation_nothing_passes() -> None:
    class Talks(Function):
        def cancel(self, frame: CancelFrame) -> None:
            super().cancel(frame)
            self.push_frame_nowait(Word("last words"))

        def cleanup(self) -> None:
            super().cleanup()
            self.push_frame_nowait(Word("from the grave"))
            self.push_frame_nowait(Word("upwards"), UP)

    it, below = Talks("it"), Function()
    async with running(it, below) as session:
        await session.task.cancel()
        await session.wait()
        assert below.texts() == []
    assert session.task.statistics()["it"].refused == {"cancelled": 1, "finished": 2}


@pytest.mark.parametrize("hook", ["start", "stop", "cancel", "interrupt", "process_frame"])
async def test_what_a_hook_raises_is_told_and_the_frame_goes_on(hook: str) -> None:
    class Fails(Function):
        """Fails in one of its hooks."""

    def fail(*_: object) -> None:
        raise LookupError(hook)

    it, below = Fails("it"), Function()
    setattr(it, hook, fail)
    async with running(it, below) as session:
        await session.send(InterruptionFrame())
        if hook == "cancel":
            await session.task.cancel()
        elif session.result is None:
            await session.task.stop_when_done()
        result = await session.wait()
        told = errors(session.up)
    assert all(text.startswith("it failed on ") for text in told)
    assert told or hook == "cancel", "it may be too late to be told"
    assert below.calls[0] == "start"
    if hook in ("start", "process_frame"):
        assert result.reason is EndReason.ERROR, "it could not start"
        assert isinstance(result.error, LookupError)
    else:
        assert below.calls[1] == "interrupt"
        assert below.calls[2] in ("stop", "cancel")


async def test_a_stray_cancellation_in_a_function_is_an_error_of_it() -> None:
    stray = await stray_cancellation()

    class Fails(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word | InterruptionFrame):
                raise stray
            super().process_frame(frame, direction)

    async with running(Fails("it")) as session:
        await session.send(Word(), InterruptionFrame(), Note("goes on"))
        assert session.texts() == ["goes on"]
        assert len(errors(session.up)) == 2


@pytest.mark.parametrize("kind", [Word, InterruptionFrame])
async def test_what_ends_the_process_comes_out_of_the_push(kind: type[Frame]) -> None:
    class Stops(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, kind):
                raise KeyboardInterrupt

    async with running(Stops()) as session:
        with pytest.raises(KeyboardInterrupt):
            await session.task.queue_frame(kind())


@pytest.mark.parametrize("name", ["process_frame", "start", "interrupt"])
async def test_an_awaitable_that_nobody_awaits_is_an_error_that_says_so(name: str) -> None:
    class Wrong(Function):
        """Written with `def`, and yet."""

    async def later(*_: object) -> None:
        """Never runs."""

    it = Wrong("it")
    setattr(it, name, lambda *_: later())
    async with running(it) as session:
        await session.send(InterruptionFrame(), Word())
        told = errors(session.up)
    assert "it returned an awaitable from a plain function" in told[0]
    if name == "process_frame":
        assert session.result is not None
        assert session.result.reason is EndReason.ERROR


def made(*_: object) -> Iterator[Word]:
    yield Word()


async def made_later(*_: object) -> AsyncIterator[Word]:
    yield Word()


async def later(*_: object) -> None:
    """Makes a lane of whatever has it."""


@pytest.mark.parametrize("function", [made, made_later])
@pytest.mark.parametrize("name", ["process_frame", "start", "interrupt"])
@pytest.mark.parametrize("kind", [Function, Lane])
async def test_a_generator_that_nobody_iterates_over_is_an_error_that_says_so(
    kind: type[Function], name: str, function: Any
) -> None:
    assert len(list(made())) == len([word async for word in made_later()]) == 1
    it = kind("it")
    setattr(it, name, function)
    if kind is Lane:
        it.stop = later  # type: ignore[method-assign, assignment]
    async with running(it) as session:
        await session.send(InterruptionFrame(), Word())
        told = errors(session.up)
    assert "it returned a generator, which nobody iterates over" in told[0]


async def test_other_things_that_it_returns_do_no_harm() -> None:
    class Returns(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
            super().process_frame(frame, direction)
            if isinstance(frame, Word):
                return FrameProcessor.process_frame(self, frame, direction)
            return True

    class Future:
        def __await__(self) -> Any:
            raise AssertionError("nobody awaits it")

    class ReturnsAFuture(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
            return Future() if isinstance(frame, Alert) else super().process_frame(frame, direction)

    async with running(Returns(), ReturnsAFuture("it")) as session:
        await session.send(Word("a"), Note("b"))
        assert session.texts() == ["a", "b"]
        assert errors(session.up) == []
        await session.send(Alert("c"))
        assert len(errors(session.up)) == 1


async def test_what_start_pushes_comes_after_the_start() -> None:
    class Greets(Function):
        def start(self, frame: StartFrame) -> None:
            self.push_frame_nowait(Word("hello"))
            self.push_frame_nowait(Alert("attention"))
            self.push_frame_nowait(Word("up"), UP)

    class Greeted(Function):
        """Below it."""

    above, below = Function(), Greeted()
    async with running(above, Greets(), below, Lane()) as session:
        await session.send(Word("first"))
        assert below.texts() == ["hello", "attention", "first"]
        assert isinstance(below.seen[0], StartFrame)
        assert above.texts() == ["up", "first"], "it has started already"
