"""`wsframes.transport.playout.marks`."""

import pytest

from wsframes.transport.playout.marks import Marks


def test_a_mark_follows_what_was_said_and_its_answer_ends_the_wait() -> None:
    marks = Marks("there")
    assert not marks.is_due
    marks.said()
    assert marks.is_due
    frame = marks.next(5.0)
    assert frame.transport_destination == "there"
    assert frame.mark.startswith("bot:")
    assert not marks.is_due
    assert marks.awaited_until_s(0.0) == 6.0
    assert marks.answered(frame.mark)
    assert marks.awaited_until_s(0.0) is None
    assert not marks.answered(frame.mark)  # once


@pytest.mark.parametrize("more", [False, True])
def test_an_answer_counts_only_if_nothing_was_said_since(more: bool) -> None:
    marks = Marks(None)
    marks.said()
    mark = marks.next(1.0).mark
    assert not marks.answered("bot:another")
    if more:
        marks.said()
        assert not marks.answered(mark)
        assert marks.is_due
        newer = marks.next(2.0).mark
        assert newer != mark
        assert not marks.answered(mark)
        mark = newer
    assert marks.answered(mark)


def test_a_peer_that_does_not_answer_is_not_waited_for_again_before_it_does() -> None:
    marks = Marks(None)
    marks.said()
    marks.next(1.0)
    assert marks.awaited_until_s(1.99) == 2.0
    assert marks.awaited_until_s(2.0) is None
    marks.said()
    mark = marks.next(10.0).mark
    assert marks.awaited_until_s(5.0) is None
    assert marks.answered(mark)
    marks.said()
    marks.next(20.0)
    assert marks.awaited_until_s(15.0) == 21.0


def test_what_was_cleared_has_no_answer() -> None:
    marks = Marks(None)
    marks.said()
    mark = marks.next(1.0).mark
    marks.clear()
    assert marks.awaited_until_s(0.0) is None
    assert not marks.answered(mark)
    assert not marks.answered("")
