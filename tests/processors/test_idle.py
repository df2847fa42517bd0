"""Notices silence: wsframes.processors.idle."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from wsframes import (
    EndFrame,
    ErrorFrame,
    FrameDirection,
    HeartbeatFrame,
    InputAudioRawFrame,
    Pipeline,
    PipelineTask,
    StopFrame,
    TextFrame,
)
from wsframes.exceptions import UsageError
from wsframes.processors import IdleFrameProcessor
from wsframes.testing import SleepFrame, check_processor, run_test

TEXT = TextFrame("a")


def watcher(told: list[float], **options: Any) -> IdleFrameProcessor:
    def tell(processor: IdleFrameProcessor) -> None:
        assert processor is made
        told.append(anyio.current_time())

    made = IdleFrameProcessor(callback=tell, timeout=10, **options)
    return made


async def test_it_tells_once_for_each_quiet_period_at_its_exact_time() -> None:
    told: list[float] = []
    await run_test(
        watcher(told),
        frames_to_send=[
            *(SleepFrame(9), TEXT),  # at 9
            *(SleepFrame(9.5), TEXT, SleepFrame(0.25), TEXT),  # at 18.5 and 18.75
            *(SleepFrame(50), TEXT),  # at 68.75
            *(SleepFrame(30),),
        ],
        timeout_s=1000,
    )
    assert told == [28.75, 78.75]


async def test_the_first_quiet_period_begins_with_the_start() -> None:
    told: list[float] = []
    await run_test(watcher(told), frames_to_send=[SleepFrame(10.5)])
    assert told == [10]


async def test_only_the_types_given_count_and_either_way() -> None:
    told: list[float] = []
    await run_test(
        watcher(told, types=[TextFrame]),
        frames_to_send=[SleepFrame(9), InputAudioRawFrame(b"", 8000), SleepFrame(3)],
    )
    assert told == [10]

    told.clear()
    begin_s = anyio.current_time()
    await run_test(
        watcher(told, types=[TextFrame]),
        frames_to_send=[SleepFrame(9), TEXT, SleepFrame(3)],
        frames_to_send_direction=FrameDirection.UPSTREAM,
    )
    assert told == []
    assert anyio.current_time() == begin_s + 12


async def test_heartbeats_do_not_count() -> None:
    told: list[float] = []
    beats = [SleepFrame(4), HeartbeatFrame(0.0)] * 3
    await run_test(watcher(told), frames_to_send=beats)
    assert told == [10]


async def test_nothing_is_told_after_the_end() -> None:
    told: list[float] = []

    class Slow(IdleFrameProcessor):
        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep(30)

    slow = Slow(callback=lambda _: None, timeout=1000, name="slow")
    await run_test(Pipeline([watcher(told, name="idle"), slow]), timeout_s=100)
    assert anyio.current_time() == 30
    assert told == []


async def test_after_the_silence_was_told_an_end_has_no_timer_to_stop() -> None:
    told: list[float] = []
    await run_test(watcher(told), frames_to_send=[SleepFrame(11)])
    assert told == [10]


async def test_a_run_that_is_resumed_begins_a_new_quiet_period() -> None:
    told: list[float] = []
    task = PipelineTask(Pipeline([watcher(told)]))
    await task.queue_frame(StopFrame())
    await task.run()
    await anyio.sleep(20)
    assert told == []

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(task.run)
        await anyio.sleep(15)
        await task.stop_when_done()
    assert told == [30]


async def test_a_coroutine_function_is_awaited_and_can_push() -> None:
    async def ask(processor: IdleFrameProcessor) -> None:
        await anyio.sleep(1)
        await processor.push_frame(TextFrame("Are you there?"))

    down, _ = await run_test(
        IdleFrameProcessor(callback=ask, timeout=5), frames_to_send=[SleepFrame(8)]
    )
    assert [frame.text for frame in down if isinstance(frame, TextFrame)] == ["Are you there?"]


def fail(processor: IdleFrameProcessor) -> None:
    raise LookupError("no")


async def fail_soon(processor: IdleFrameProcessor) -> None:
    await anyio.sleep(1)
    raise LookupError("no")


@pytest.mark.parametrize("callback", [fail, fail_soon])
async def test_a_callback_that_fails_is_told_and_ends_nothing(
    callback: Callable[[IdleFrameProcessor], Any],
) -> None:
    down, (first, second) = await run_test(
        IdleFrameProcessor(callback=callback, timeout=5, name="idle"),
        frames_to_send=[SleepFrame(7), TEXT, SleepFrame(7)],
        expected_up_frames=[ErrorFrame, ErrorFrame],
        expected_down_frames=[TEXT],
    )
    assert isinstance(first, ErrorFrame)
    assert first.processor == "idle"
    assert isinstance(first.exception, LookupError)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_is_not_positive_is_refused(timeout: float) -> None:
    with pytest.raises(UsageError, match="not a positive number of seconds"):
        IdleFrameProcessor(callback=fail, timeout=timeout)


async def test_it_keeps_the_rules_as_a_function() -> None:
    def make() -> IdleFrameProcessor:
        return IdleFrameProcessor(callback=lambda _: None, timeout=0.5)

    await check_processor(make, frames=[TEXT])
    assert not make()._is_lane()
