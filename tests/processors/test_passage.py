"""What filters may not hold back: wsframes.processors.passage."""

import pytest

from wsframes import (
    EndFrame,
    Frame,
    HeartbeatFrame,
    InputAudioRawFrame,
    StopFrame,
    TextFrame,
    UserStartedSpeakingFrame,
)
from wsframes.processors.passage import belongs_to_run, passes_filters


@pytest.mark.parametrize("frame", [EndFrame(), StopFrame(), HeartbeatFrame(0.0)])
def test_what_belongs_to_the_run_passes_filters(frame: Frame) -> None:
    assert belongs_to_run(frame)
    assert passes_filters(frame)


@pytest.mark.parametrize("frame", [InputAudioRawFrame(b"", 8000), UserStartedSpeakingFrame()])
def test_system_frames_pass_filters_and_belong_to_all(frame: Frame) -> None:
    assert not belongs_to_run(frame)
    assert passes_filters(frame)


def test_data_does_not_pass_by_itself() -> None:
    assert not belongs_to_run(TextFrame(""))
    assert not passes_filters(TextFrame(""))
