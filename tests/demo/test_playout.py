import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.demo.playout import PlayOut


def test_a_piece_that_comes_early_waits_for_the_one_before() -> None:
    player = PlayOut(1000)

    assert player.take(500, 1.0) == 1.0
    assert player.take(500, 1.1) == 1.5
    assert player.ends_s == 2.0


def test_a_piece_that_comes_late_is_heard_when_it_comes() -> None:
    player = PlayOut(1000)
    player.take(500, 1.0)

    assert player.take(500, 3.0) == 3.0
    assert player.ends_s == 3.5


def test_what_is_cleared_is_not_played() -> None:
    player = PlayOut(1000)
    player.take(500, 1.0)
    player.clear(1.2)
    assert player.take(500, 1.1) == 1.2
    player.clear(9.0)
    assert player.ends_s == 1.7


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 2)), min_size=1))
def test_nothing_is_played_twice_at_once_or_before_it_came(pieces: list[tuple[int, float]]) -> None:
    """Each piece starts when it has come and the one before is over, and at no other time."""
    player = PlayOut(8000)
    now_s = last_end_s = 0.0
    for samples, wait_s in pieces:
        now_s += wait_s
        starts_s = player.take(samples, now_s)
        assert starts_s == max(now_s, last_end_s)
        last_end_s = starts_s + samples / 8000
    assert player.ends_s == pytest.approx(last_end_s)
