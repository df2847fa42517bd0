"""Passes frames by their type: wsframes.processors.frame_filter."""

from typing import Any

import pytest

from wsframes import (
    EndFrame,
    FrameDirection,
    HeartbeatFrame,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    TextFrame,
    TTSAudioRawFrame,
    UserStartedSpeakingFrame,
)
from wsframes.exceptions import UsageError
from wsframes.processors import FrameFilter, NullFilter
from wsframes.testing import check_processor, run_test

TEXT = TextFrame("a")
AUDIO = OutputAudioRawFrame(b"12", 8000)


async def test_only_the_types_given_pass_and_the_rest_is_counted() -> None:
    only_audio = FrameFilter([OutputAudioRawFrame])
    speech = TTSAudioRawFrame(b"12", 8000)
    down, _ = await run_test(only_audio, frames_to_send=[TEXT, AUDIO, TEXT, speech])
    assert down == [AUDIO, speech]
    assert only_audio.dropped == {"filtered": 2}


@pytest.mark.parametrize("make", [NullFilter, lambda: FrameFilter([])])
async def test_system_frames_and_heartbeats_pass_whatever_the_types(make: Any) -> None:
    sent = [InputAudioRawFrame(b"12", 8000), UserStartedSpeakingFrame(), HeartbeatFrame(0.0)]
    nothing = make()
    down, _ = await run_test(nothing, frames_to_send=[*sent, TEXT])
    assert set(down) == set(sent)
    assert nothing.dropped == {"filtered": 1}


@pytest.mark.parametrize("make", [NullFilter, lambda: FrameFilter([OutputAudioRawFrame])])
async def test_both_ways_are_filtered_and_requests_to_the_run_pass(make: Any) -> None:
    end = EndFrame()
    filter = make()
    _, up = await run_test(
        filter,
        frames_to_send=[TEXT, end],
        frames_to_send_direction=FrameDirection.UPSTREAM,
        send_end_frame=False,
    )
    assert up == [end]
    assert filter.dropped == {"filtered": 1}


@pytest.mark.parametrize("make", [NullFilter, lambda: FrameFilter((TextFrame,), name="texts")])
async def test_they_keep_the_rules_as_functions(make: Any) -> None:
    await check_processor(make, frames=[TEXT, AUDIO])
    assert not make()._is_lane()


def test_they_can_be_named() -> None:
    assert FrameFilter([TextFrame], name="texts").name == "texts"
    assert NullFilter(name="none").name == "none"
    assert NullFilter().name.startswith("NullFilter#")


@pytest.mark.parametrize("types", [TextFrame, [TEXT], ["TextFrame"], [int], [None]])
def test_what_is_no_collection_of_frame_types_is_refused(types: Any) -> None:
    with pytest.raises(UsageError, match="types is a collection of frame types, not"):
        FrameFilter(types)
