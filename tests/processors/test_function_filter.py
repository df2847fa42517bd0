"""Passes what a function lets pass: wsframes.processors.function_filter."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from wsframes import (
    ErrorFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    InterruptionFrame,
    TextFrame,
    UserStartedSpeakingFrame,
)
from wsframes.processors import FunctionFilter
from wsframes.testing import SleepFrame, check_processor, run_test

UPSTREAM = FrameDirection.UPSTREAM


def is_short(frame: Frame) -> bool:
    return isinstance(frame, TextFrame) and len(frame.text) < 3


async def is_short_soon(frame: Frame) -> bool:
    await anyio.sleep(1)
    return is_short(frame)


class IsShort:
    async def __call__(self, frame: Frame) -> bool:
        return await is_short_soon(frame)


FILTERS: dict[str, Callable[[Frame], Any]] = {
    "def": is_short,
    "async def": is_short_soon,
    "partial": partial(is_short_soon),
    "object": IsShort(),
}

both = pytest.mark.parametrize("kind", FILTERS)


@both
async def test_what_the_function_does_not_let_pass_is_dropped_and_counted(kind: str) -> None:
    short = FunctionFilter(FILTERS[kind])
    a, long, b = TextFrame("a"), TextFrame("long"), TextFrame("b")
    down, _ = await run_test(short, frames_to_send=[a, long, b])
    assert down == [a, b]
    assert short.dropped == {"filtered": 1}
    assert short._is_lane() is (kind != "def")


@both
async def test_frames_of_the_run_and_system_frames_are_not_asked_about(kind: str) -> None:
    sent = [UserStartedSpeakingFrame(), HeartbeatFrame(0.0)]
    down, _ = await run_test(FunctionFilter(FILTERS[kind]), frames_to_send=sent)
    assert set(down) == set(sent)


@both
async def test_system_frames_are_asked_about_if_asked_for(kind: str) -> None:
    filter = FunctionFilter(FILTERS[kind], filter_system_frames=True)
    await run_test(filter, frames_to_send=[UserStartedSpeakingFrame()], expected_down_frames=[])
    assert filter.dropped == {"filtered": 1}


@both
@pytest.mark.parametrize(
    ("direction", "passes_down", "passes_up"),
    [(FrameDirection.DOWNSTREAM, 0, 1), (UPSTREAM, 1, 0), (None, 0, 0)],
)
async def test_only_one_way_is_filtered_or_both(
    kind: str, direction: FrameDirection | None, passes_down: int, passes_up: int
) -> None:
    long = TextFrame("long")
    down, _ = await run_test(FunctionFilter(FILTERS[kind], direction), frames_to_send=[long])
    assert down == [long] * passes_down
    _, up = await run_test(
        FunctionFilter(FILTERS[kind], direction),
        frames_to_send=[long],
        frames_to_send_direction=UPSTREAM,
    )
    assert up == [long] * passes_up


async def test_what_is_not_asked_about_waits_behind_what_is() -> None:
    filter = FunctionFilter(is_short_soon)
    a, beat = TextFrame("a"), HeartbeatFrame(0.0)
    down, _ = await run_test(filter, frames_to_send=[a, beat])
    assert down == [a, beat]


@both
async def test_an_interruption_leaves_it_alive(kind: str) -> None:
    filter = FunctionFilter(FILTERS[kind], name="short")
    a, b = TextFrame("a"), TextFrame("b")
    down, _ = await run_test(
        filter, frames_to_send=[a, SleepFrame(), InterruptionFrame(), SleepFrame(), b]
    )
    assert down[-1] is b
    assert (a in down) is (kind == "def")


@both
async def test_it_keeps_the_rules(kind: str) -> None:
    await check_processor(
        lambda: FunctionFilter(FILTERS[kind]), frames=[TextFrame("a"), TextFrame("long")]
    )


async def test_a_function_that_raises_drops_the_frame_with_an_error() -> None:
    def fail(frame: Frame) -> bool:
        raise LookupError("no")

    down, (error,) = await run_test(
        FunctionFilter(fail), frames_to_send=[TextFrame("a")], expected_up_frames=[ErrorFrame]
    )
    assert down == []
    assert isinstance(error, ErrorFrame)
    assert isinstance(error.exception, LookupError)
