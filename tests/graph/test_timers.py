"""The heap of timers."""

import math

from hypothesis import given
from hypothesis import strategies as st

from wsframes.graph.timers import Timers


def test_it_runs_what_is_due_in_the_order_of_time_and_then_of_setting() -> None:
    timers = Timers()
    ran: list[str] = []
    timers.call_at(2.0, lambda: ran.append("second"))
    timers.call_at(1.0, lambda: ran.append("first"))
    timers.call_at(2.0, lambda: ran.append("third"))
    timers.call_at(3.0, lambda: ran.append("later"))
    timers.run_due(2.0)
    assert ran == ["first", "second", "third"]
    assert timers.next_due_s() == 3.0


def test_what_was_cancelled_does_not_run() -> None:
    timers = Timers()
    ran: list[str] = []
    first = timers.call_at(1.0, lambda: ran.append("first"))
    second = timers.call_at(1.0, lambda: ran.append("second"))
    timers.call_at(0.5, second.cancel)
    first.cancel()
    assert timers.next_due_s() == 0.5
    timers.run_due(1.0)
    assert ran == []
    assert timers.next_due_s() == math.inf


def test_what_a_callback_sets_for_the_same_moment_runs_the_next_time() -> None:
    timers = Timers()
    ran: list[str] = []

    def first() -> None:
        ran.append("first")
        timers.call_at(1.0, lambda: ran.append("second"))

    timers.call_at(1.0, first)
    timers.run_due(1.0)
    assert ran == ["first"]
    timers.run_due(1.0)
    assert ran == ["first", "second"]


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0, 100)))
def test_every_timer_runs_once_and_not_before_its_time(
    due: list[float], looks: list[float]
) -> None:
    """Invariant: after a look at a time, exactly the timers due until then have run, sorted."""
    timers = Timers()
    ran: list[float] = []
    for due_s in due:
        timers.call_at(due_s, lambda due_s=due_s: ran.append(due_s))  # type: ignore[misc]
    for now_s in sorted(looks):
        timers.run_due(now_s)
        assert ran == sorted(due_s for due_s in due if due_s <= now_s)


@given(st.lists(st.tuples(st.floats(0, 100), st.lists(st.floats(0, 50), max_size=3)), min_size=1))
def test_a_timer_runs_at_the_time_to_which_it_was_put_off_last(
    plan: list[tuple[float, list[float]]],
) -> None:
    """Invariant: however often timers are put off, each runs once, at its time, in order."""
    timers = Timers()
    ran: list[float] = []
    due_s = []
    for first_s, later in plan:
        timer = timers.call_at(first_s, lambda: ran.append(now_s))
        for more_s in later:
            timer.due_s += more_s
        due_s.append(timer.due_s)
    while (now_s := timers.next_due_s()) < math.inf:
        timers.run_due(now_s)
    assert ran == sorted(due_s)
