"""`wsframes.transport.admission.overload`: a plain decision."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.admission.overload import LOOK_S, Overload


def look(
    overload: Overload, late_s: float, begin_s: float, seconds: float, busy: float = 0.0
) -> float:
    """Look for some seconds, each time so late; the time after it."""
    looks = round(seconds / LOOK_S)
    for number in range(looks):
        at_s = begin_s + number * LOOK_S
        overload.note(late_s, at_s, at_s * busy)
    return begin_s + looks * LOOK_S


def test_without_looks_there_is_room() -> None:
    overload = Overload(0.02)
    assert overload.lateness_s == 0.0
    assert overload.admits(0, 0.0)


def test_late_looks_leave_no_room_until_it_is_twice_as_good() -> None:
    overload = Overload(0.02)
    now_s = look(overload, 0.021, 0.0, 2.0)
    assert not overload.admits(100, now_s)
    now_s = look(overload, 0.015, now_s, 3.0)
    assert overload.lateness_s == 0.015
    assert not overload.admits(100, now_s)
    now_s = look(overload, 0.009, now_s, 3.0)
    assert overload.admits(100, now_s)
    now_s = look(overload, 0.015, now_s, 3.0)
    assert overload.admits(100, now_s)


def test_what_is_late_now_and_then_is_no_overload() -> None:
    overload = Overload(0.02)
    for number in range(100):
        overload.note(0.5 if number % 25 == 0 else 0.001, number * LOOK_S)
    assert overload.lateness_s == 0.001
    assert overload.admits(10, 2.0)


def test_what_is_long_ago_does_not_count() -> None:
    overload = Overload(0.02)
    now_s = look(overload, 1.0, 0.0, 2.0)
    assert overload.lateness_s == 1.0
    assert not overload.admits(10, now_s)
    assert overload.admits(10, now_s + 2.0)
    assert overload.lateness_s == 0.0


@given(st.integers(0, 1000), st.lists(st.floats(0, 0.5), max_size=200))
def test_no_more_than_an_eighth_and_four_are_let_in_within_a_second(
    running: int, pauses_s: list[float]
) -> None:
    """In no window of a second more come in than max(4, an eighth of those that run)."""
    overload = Overload(0.02)
    now_s = 0.0
    let_in_s: list[float] = []
    for pause_s in pauses_s:
        now_s += pause_s
        let_in_s += [now_s] * overload.admits(running, now_s)
        within = [at_s for at_s in let_in_s if at_s > now_s - 1.0]
        assert len(within) <= max(4, running // 8)


def test_and_as_many_are() -> None:
    overload = Overload(0.02)
    assert sum(overload.admits(100, 0.0) for _ in range(40)) == 12
    assert sum(overload.admits(100, 0.99) for _ in range(40)) == 0
    assert sum(overload.admits(112, 1.0) for _ in range(40)) == 14


def test_a_thread_that_has_no_time_left_has_no_room() -> None:
    overload = Overload(0.02)
    overload.note(0.0, 0.0, 0.0)
    overload.note(0.0, LOOK_S, LOOK_S)
    assert overload.busy == 0.0  # two looks say nothing
    now_s = look(overload, 0.0, 1.0, 1.0, busy=0.85)
    assert round(overload.busy, 9) == 0.85
    assert not overload.admits(100, now_s)
    now_s = look(overload, 0.0, now_s, 1.0, busy=0.7)
    assert overload.admits(100, now_s)
