"""The book that is kept of an end under way."""

import math

from wsframes.graph.drain import Drain


def test_nothing_can_stall_before_an_end_is_under_way() -> None:
    drain = Drain(5.0, lambda: None)
    assert drain.holder is None
    assert drain.stalls_at_s == math.inf


def test_it_stalls_a_while_after_the_last_progress() -> None:
    drain = Drain(5.0, lambda: None)
    drain.hold("a", 10.0)
    assert drain.stalls_at_s == 15.0
    drain.progress(12.0)
    assert drain.stalls_at_s == 17.0
    drain.progress(30.0)  # audio is played out until then
    drain.progress(13.0)
    assert drain.stalls_at_s == 35.0


def test_it_names_the_holder_that_has_the_end_for_the_longest() -> None:
    drain = Drain(5.0, lambda: None)
    drain.hold("left", 1.0)
    drain.hold("right", 2.0)
    assert drain.holder == "left"
    assert drain.is_held_by("right")
    drain.release("left", 3.0)
    assert drain.holder == "right"
    assert not drain.is_held_by("left")
    drain.release("right", 4.0)
    assert drain.holder is None
    assert drain.stalls_at_s == math.inf


def test_whoever_watches_is_called_unless_he_watches_already() -> None:
    calls: list[str] = []
    drain = Drain(5.0, lambda: calls.append("watch"))
    drain.hold("a", 1.0)
    drain.hold("b", 1.0)
    assert calls == ["watch"]
    drain.watched = False
    drain.hold("c", 2.0)
    assert calls == ["watch", "watch"]
