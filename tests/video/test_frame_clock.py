"""`wsframes.video.frame_clock`. The clock is told the time, so virtual time here is a number."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.video import FrameClock

T0 = 1000.0


def test_the_first_moment_is_now_and_the_others_follow_at_the_rate() -> None:
    clock = FrameClock(25, T0)
    moments = []
    for _ in range(4):
        moments.append(clock.due_s)
        assert clock.tick(clock.due_s) == 0
    assert moments == [T0, T0 + 1 / 25, T0 + 2 / 25, T0 + 3 / 25]


def test_moments_that_have_passed_are_not_made_up_for() -> None:
    clock = FrameClock(10, T0)
    assert clock.tick(T0) == 0
    assert clock.tick(T0 + 0.55) == 4  # those at 0.1 to 0.4; the one at 0.5 is used
    assert clock.due_s == pytest.approx(T0 + 0.6)


def test_a_moment_may_be_used_before_it_comes() -> None:
    clock = FrameClock(10, T0)
    clock.tick(T0)
    assert clock.tick(T0 + 0.05) == 0
    assert clock.due_s == pytest.approx(T0 + 0.2)


def test_an_image_after_a_pause_starts_anew_and_a_late_one_does_not() -> None:
    clock = FrameClock(10, T0)
    clock.tick(T0)
    clock.resume(T0 + 0.19)
    assert clock.due_s == T0 + 0.1
    clock.tick(T0 + 0.19)
    assert clock.due_s == pytest.approx(T0 + 0.2)  # the lateness is not handed on
    clock.resume(T0 + 7.77)
    assert clock.due_s == T0 + 7.77


@pytest.mark.parametrize("framerate", [1, 7, 24, 25, 30, 60, 240])
def test_a_day_does_not_drift(framerate: int) -> None:
    clock = FrameClock(framerate, T0)
    images = 24 * 3600 * framerate
    clock._number = images  # what ticking that often comes to; see the property below
    assert clock.due_s == T0 + 24 * 3600


def test_a_moment_that_is_not_quite_reached_is_not_used() -> None:
    """The 715th is one bit later than this, and yet the product of time and rate is 715."""
    start_s, now_s = 79.7256582217265, 222.7256582217265
    assert start_s + 715 / 5 > now_s
    assert (now_s - start_s) * 5 == 715
    clock = FrameClock(5, start_s)
    assert clock.tick(now_s) == 714
    assert clock.due_s == start_s + 715 / 5


@pytest.mark.parametrize("framerate", [0, -1])
def test_a_rate_that_is_none(framerate: int) -> None:
    with pytest.raises(ValueError, match="framerate must be at least 1"):
        FrameClock(framerate, T0)


@given(
    framerate=st.integers(1, 240),
    waits_s=st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=50),
)
def test_every_moment_is_used_or_missed_once(framerate: int, waits_s: list[float]) -> None:
    """Used + missed = all that have come; after each tick the next one is in the future."""
    clock = FrameClock(framerate, T0)
    now_s, counted = T0, 0
    for wait_s in waits_s:
        now_s = max(now_s, clock.due_s) + wait_s
        counted += clock.tick(now_s) + 1
        assert clock.due_s == T0 + counted / framerate
        assert clock.due_s > now_s - 1e-9
        assert clock.due_s <= now_s + 1 / framerate + 1e-9


@given(framerate=st.integers(1, 240), count=st.integers(0, 10**8))
def test_each_moment_is_exact(framerate: int, count: int) -> None:
    """Moment n is n / framerate after the start, to the last bit that a float has."""
    clock = FrameClock(framerate, 0.0)
    clock._number = count
    assert math.isclose(clock.due_s, float(Fraction(count, framerate)), rel_tol=1e-15)
