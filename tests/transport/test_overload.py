"""`wsframes.transport.overload`: a plain decision."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.overload import LOOK_S, Overload


def look(overload: Overload, late_s: float, begin_s: float, seconds: float) -> float:
    """Look for some seconds, each time so late; the time after it."""
    looks = round(seconds / LOOK_S)
    for number in range(looks):
        overload.note(late_s, begin_s + number * LOOK_S)
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
def test_no_more_than_a_quarter_and_eight_are_let_in_within_a_second(
    running: int, pauses_s: list[float]
) -> None:
    """In no window of a second more come in than max(8, a quarter of those that run)."""
    overload = Overload(0.02)
    now_s = 0.0
    let_in_s: list[float] = []
    for pause_s in pauses_s:
        now_s += pause_s
        let_in_s += [now_s] * overload.admits(running, now_s)
        within = [at_s for at_s in let_in_s if at_s > now_s - 1.0]
        assert len(within) <= max(8, running // 4)


def test_and_as_many_are() -> None:
    overload = Overload(0.02)
    assert sum(overload.admits(100, 0.0) for _ in range(40)) == 25
    assert sum(overload.admits(100, 0.99) for _ in range(40)) == 0
    assert sum(overload.admits(125, 1.0) for _ in range(40)) == 31
