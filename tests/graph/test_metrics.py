"""How long processors take."""

import anyio
import pytest

from tests.graph.parts import DOWN, Function, Lane, Word, running
from wsframes.frames import Frame, FrameDirection
from wsframes.graph import FrameProcessor, PipelineParams, ProcessingMetrics

MEASURED = PipelineParams(enable_metrics=True)


async def _sleep_as_long_as_it_says(frame: Frame) -> None:
    assert isinstance(frame, Word)
    await anyio.sleep(float(frame.text))


async def test_a_lane_is_measured_with_what_it_waits() -> None:
    lane = Lane("lane", _sleep_as_long_as_it_says)
    async with running(lane, params=MEASURED) as session:
        await session.send(Word("1"), Word("3"))
        await session.end()
    metrics = session.task.metrics()["lane"]
    assert metrics.frames == 4, "start and end are frames too"
    assert metrics.total_s == pytest.approx(4)
    assert metrics.max_s == pytest.approx(3)


async def test_a_function_is_measured_and_what_passes_all_is_not() -> None:
    async with running(Function("it"), FrameProcessor(name="pass"), params=MEASURED) as session:
        await session.send(Word(), Word())
        await session.end()
    assert session.task.metrics()["it"].frames == 4
    assert "pass" not in session.task.metrics()


async def test_nothing_is_measured_unless_asked_for() -> None:
    async with running(Function(), Lane()) as session:
        await session.send(Word())
        assert session.task.metrics() == {}


async def test_what_fails_is_measured_and_its_error_comes_out() -> None:
    def fail(frame: Frame, direction: FrameDirection) -> None:
        raise LookupError

    async def fail_later(frame: Frame, direction: FrameDirection) -> None:
        await anyio.sleep(2)
        raise LookupError

    metrics = ProcessingMetrics()
    with pytest.raises(LookupError):
        metrics.measured(fail)(Word(), DOWN)
    with pytest.raises(LookupError):
        await metrics.measured_async(fail_later)(Word(), DOWN)
    assert metrics.frames == 2
    assert metrics.max_s == 2


async def test_a_function_that_returns_an_awaitable_is_told_so_though_it_is_measured() -> None:
    class Wrong(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> object:
            return None if frame.lifecycle else self.push_frame(frame, direction)

    async with running(Wrong(name="it"), params=MEASURED) as session:
        await session.send(Word())
    assert session.task.statistics()["it"].dropped == {"error": 1}
