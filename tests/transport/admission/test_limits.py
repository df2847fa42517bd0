"""`wsframes.transport.admission.limits`. It is told the time, so virtual time here is a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.admission.limits import RateLimit


def read(limit: RateLimit, sizes: list[int], gap_s: float = 0.0) -> tuple[float, float]:
    """A peer that sends these, so far apart, and is read as the limit says.

    Returns:
        How long it took, and how much of that the reader has waited for the limit.
    """
    now_s = waited_s = 0.0
    for size in sizes:
        now_s += gap_s
        if limit.is_overdrawn_by(size):
            wait_s = limit.wait_s(now_s)
            now_s += wait_s
            waited_s += wait_s
    return now_s, waited_s


@pytest.mark.parametrize(("rate", "waits"), [(499, False), (500, False), (501, True)])
def test_messages_at_just_the_rate_and_over_it(rate: int, waits: bool) -> None:
    _, waited_s = read(RateLimit(500, None), [0] * 2_000_000, 1 / rate)
    assert (waited_s > 1) is waits


@pytest.mark.parametrize(("size", "waits"), [(1023, False), (1024, False), (1034, True)])
def test_bytes_at_just_the_rate_and_over_it(size: int, waits: bool) -> None:
    _, waited_s = read(RateLimit(None, 1 << 20), [size] * 1_000_000, 1 / 1024)
    assert (waited_s > 1) is waits


def test_a_burst_after_a_quiet_time_is_two_seconds_worth() -> None:
    limit = RateLimit(500, None)
    assert read(limit, [0] * 1001) == (0.0, 0.0)
    assert limit.is_overdrawn_by(0)
    assert limit.wait_s(0.0) == pytest.approx(1 / 500)
    assert limit.wait_s(1.0) == 0.0


def test_a_message_larger_than_the_bucket_is_paid_for_afterwards() -> None:
    limit = RateLimit(None, 1000)
    assert limit.is_overdrawn_by(3000)
    assert limit.wait_s(0.0) == 0.0  # nothing was looked at before: the bucket is full again
    assert limit.is_overdrawn_by(3000)
    assert limit.wait_s(0.0) == pytest.approx(2.0)
    assert limit.wait_s(2.0) == 0.0


def test_without_limits_nothing_is_overdrawn() -> None:
    assert read(RateLimit(None, None), [1 << 40] * 1000) == (0.0, 0.0)


@given(
    st.floats(1, 1e4),
    st.floats(1, 1e7),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.floats(0, 2)), min_size=1),
)
def test_whatever_comes_the_rates_hold(
    messages_per_s: float, bytes_per_s: float, sent: list[tuple[int, float]]
) -> None:
    """Property: what was read by any time is within two bucketfuls, one message and the rate."""
    limit = RateLimit(messages_per_s, bytes_per_s)
    now_s = 0.0
    read_bytes = 0
    for number, (size, gap_s) in enumerate(sent):
        now_s += gap_s
        assert number <= messages_per_s * (now_s + 2) + 1
        assert read_bytes - max((size for size, _ in sent), default=0) <= (
            bytes_per_s * (now_s + 2) * (1 + 1e-9) + 1
        )
        read_bytes += size
        if limit.is_overdrawn_by(size):
            now_s += limit.wait_s(now_s)
