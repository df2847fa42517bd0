"""The tables of what lifecycle frames do."""

import pytest

from tests.graph.parts import Word
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from wsframes.graph.states import NodeState, is_shown, state_after

WAITING, RUNNING, STOPPED, ENDED, CANCELLED = NodeState

LIFECYCLE = [StartFrame, EndFrame, StopFrame, CancelFrame, InterruptionFrame]


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (WAITING, [RUNNING, ENDED, STOPPED, CANCELLED, None]),
        (RUNNING, [None, ENDED, STOPPED, CANCELLED, RUNNING]),
        (STOPPED, [None, ENDED, STOPPED, CANCELLED, STOPPED]),
        (ENDED, [None, ENDED, ENDED, CANCELLED, ENDED]),
        (CANCELLED, [None] * 5),
    ],
)
def test_the_state_after_a_lifecycle_frame(state: NodeState, after: list[NodeState | None]) -> None:
    assert [state_after(state, kind()) for kind in LIFECYCLE] == after


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (WAITING, [StartFrame]),
        (RUNNING, [EndFrame, StopFrame, CancelFrame, InterruptionFrame]),
        (STOPPED, [CancelFrame]),
        (ENDED, []),
        (CANCELLED, []),
    ],
)
def test_what_a_processor_is_told_of(state: NodeState, shown: list[type[Frame]]) -> None:
    assert [kind for kind in LIFECYCLE if is_shown(state, kind())] == shown


@pytest.mark.parametrize("state", list(NodeState))
def test_no_state_is_left_for_an_earlier_one_and_cancelled_is_left_for_none(
    state: NodeState,
) -> None:
    order = list(NodeState)
    for kind in LIFECYCLE:
        after = state_after(state, kind())
        assert after is None or order.index(after) >= order.index(state)


def test_a_frame_of_your_own_does_what_its_base_does() -> None:
    class Goodbye(EndFrame):
        words: str = "bye"

    assert state_after(RUNNING, Goodbye()) is ENDED
    assert is_shown(RUNNING, Goodbye())


def test_other_frames_do_nothing() -> None:
    assert state_after(RUNNING, Word()) is None
