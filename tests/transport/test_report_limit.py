"""`wsframes.transport.report_limit`."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.report_limit import ReportLimit


def test_one_a_second_for_each_reason() -> None:
    limit = ReportLimit()
    assert limit.allows("a", 10.0)
    assert not limit.allows("a", 10.9)
    assert limit.allows("b", 10.9)
    assert limit.allows("a", 11.0)
    assert not limit.allows("a", 11.5)


@given(st.lists(st.floats(0, 100), max_size=60).map(sorted))
def test_never_two_within_a_second(times_s: list[float]) -> None:
    """Whatever the times, the allowed ones are a second apart, and the first one is allowed."""
    limit = ReportLimit()
    allowed_s = [time_s for time_s in times_s if limit.allows("reason", time_s)]
    assert allowed_s[:1] == times_s[:1]
    gaps_s = [b - a for a, b in zip(allowed_s, allowed_s[1:], strict=False)]
    assert all(gap_s >= 1.0 for gap_s in gaps_s)
