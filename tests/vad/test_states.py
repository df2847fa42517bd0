"""`wsframes.vad.states`."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.vad import VADState, VADStateMachine
from wsframes.vad.states import QUIET, SPEAKING, STARTING, STOPPING


def run(machine: VADStateMachine, verdicts: str, frames: int = 10) -> list[VADState]:
    return [machine.update(verdict == "v", frames) for verdict in verdicts]


def test_speech_begins_when_the_voice_has_lasted_and_ends_when_it_has_been_absent() -> None:
    machine = VADStateMachine(start_frames=30, stop_frames=20)
    states = run(machine, "..vvvv.v..")
    assert states == [QUIET, QUIET, STARTING, STARTING, SPEAKING, SPEAKING, STOPPING, SPEAKING,
                      STOPPING, QUIET]  # fmt: skip


def test_a_voice_that_breaks_off_is_no_speech() -> None:
    machine = VADStateMachine(30, 20)
    assert run(machine, "vv.vv.") == [STARTING, STARTING, QUIET, STARTING, STARTING, QUIET]


def test_no_time_at_all_is_one_window() -> None:
    machine = VADStateMachine(0, 0)
    assert run(machine, "v.v") == [SPEAKING, QUIET, SPEAKING]


def test_it_says_how_long_it_has_lasted() -> None:
    machine = VADStateMachine(25, 15)
    lasted = [(machine.update(v == "v", 10), machine.lasted_frames)[1] for v in "v.vvvv.v.."]
    assert lasted == [10, 0, 10, 20, 30, 30, 10, 0, 10, 20]


def test_windows_may_differ_in_length() -> None:
    machine = VADStateMachine(100, 100)
    assert machine.update(True, 60) is STARTING
    assert machine.update(True, 39) is STARTING
    assert machine.update(True, 1) is SPEAKING


def test_reset() -> None:
    machine = VADStateMachine(20, 20)
    run(machine, "vvv")
    machine.reset()
    assert (machine.state, machine.lasted_frames) == (QUIET, 0)


@pytest.mark.parametrize("verdicts", ["vv" * 50, ".." * 50])
def test_nothing_changes_without_a_reason(verdicts: str) -> None:
    machine = VADStateMachine(1, 1)
    assert len(set(run(machine, verdicts))) == 1


@given(
    st.lists(st.booleans(), max_size=200),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 20),
)
def test_it_agrees_with_the_runs(verdicts: list[bool], start: int, stop: int, frames: int) -> None:
    """Speech changes exactly where a run of one verdict against it has become long enough."""
    machine = VADStateMachine(start, stop)
    speech = False
    for voiced, group in groupby(verdicts):
        for length, _ in enumerate(group, 1):
            state = machine.update(voiced, frames)
            if voiced is not speech and length * frames >= (start if voiced else stop):
                speech = voiced
            assert (state in (SPEAKING, STOPPING)) is speech
            assert (state in (STARTING, STOPPING)) is (voiced is not speech)
