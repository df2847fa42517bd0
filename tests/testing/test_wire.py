"""The two directions of a connection in memory: wsframes.testing.wire."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsframes.testing.wire import Amount, End, Event, FlowStatistics, Inbox, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsframes.testing.wire import Data


def amounts(statistics: FlowStatistics) -> tuple[Amount, Amount, Amount, Amount]:
    return statistics.offered, statistics.delivered, statistics.waiting, statistics.lost


def assert_conserved(statistics: FlowStatistics) -> None:
    parts = statistics.delivered, statistics.waiting, statistics.lost
    assert statistics.offered == tuple(map(sum, zip(*parts, strict=True)))


# --- inbox


def test_inbox_counts_messages_and_bytes_of_utf8() -> None:
    inbox = Inbox(16, 1000)
    inbox.put("é")
    inbox.put(b"abc")
    inbox.lose(b"12345")
    assert inbox.take() == "é"
    assert amounts(inbox.statistics()) == ((3, 10), (1, 2), (1, 3), (1, 5))


def test_inbox_is_full_at_either_bound() -> None:
    inbox = Inbox(2, 1000)
    inbox.put(b"a")
    assert not inbox.full
    inbox.put(b"b")
    assert inbox.full
    inbox.take()
    assert not inbox.full

    inbox = Inbox(100, 10)
    inbox.put(b"123456789")
    assert not inbox.full
    inbox.put(b"a message larger than the bound")
    assert inbox.full


def test_inbox_keeps_events_in_order_and_does_not_count_them() -> None:
    inbox = Inbox(1, 1)
    assert not inbox
    events = [Event({"type": "websocket.connect"}), Event({"type": "nonsense"}, lie=True)]
    inbox.put_event(events[0])
    inbox.put(b"x")
    inbox.put_event(events[1])
    assert inbox
    assert [inbox.take() for _ in range(3)] == [events[0], b"x", events[1]]
    assert inbox.statistics().offered == (1, 1)


# --- wire


def test_wire_without_a_rate_is_read_at_once() -> None:
    wire = Wire(100)
    wire.advance(5.0)
    wire.put(b"x" * 1000)
    wire.put(End(1000, ""))
    assert wire.next_change_s() == 5.0
    assert wire.advance(5.0) == [(5.0, b"x" * 1000), (5.0, End(1000, ""))]
    assert wire.next_change_s() == inf


def test_wire_is_read_at_its_rate() -> None:
    wire = Wire(100)
    wire.rate = 10.0
    wire.advance(1.0)
    wire.put(b"x" * 30)
    wire.put("y" * 10)
    assert wire.next_change_s() == 4.0
    assert wire.advance(3.9) == []
    assert wire.advance(4.0) == [(4.0, b"x" * 30)]
    assert wire.next_change_s() == 5.0
    assert wire.advance(100.0) == [(5.0, "y" * 10)]
    # Nothing was there to read meanwhile, so the next message begins now.
    wire.put(b"z" * 10)
    assert wire.next_change_s() == 101.0


def test_wire_is_over_its_limit_until_enough_has_been_read() -> None:
    wire = Wire(100)
    wire.rate = 10.0
    wire.put(b"x" * 100)
    assert not wire.over_limit
    wire.put(b"y" * 50)
    assert wire.over_limit
    assert wire.next_change_s() == 5.0  # 50 bytes over, and the first message needs 10 s
    wire.advance(4.9)
    assert wire.over_limit
    wire.advance(5.0)
    assert not wire.over_limit
    assert wire.next_change_s() == 10.0


def test_a_stalled_wire_stands_still_and_goes_on_where_it_was() -> None:
    wire = Wire(100)
    wire.rate = 10.0
    wire.put(b"x" * 30)
    wire.advance(1.0)
    wire.stalled = True
    assert wire.next_change_s() == inf
    assert wire.advance(1000.0) == []
    wire.stalled = False
    assert wire.advance(1002.0) == [(1002.0, b"x" * 30)]


def test_what_is_discarded_is_counted_as_lost() -> None:
    wire = Wire(100)
    wire.rate = 10.0
    wire.put(b"x" * 20)
    wire.put(b"y" * 30)
    wire.put(End(1000, ""))
    assert wire.advance(3.0) == [(2.0, b"x" * 20)]
    wire.discard()
    assert wire.advance(inf) == []
    assert amounts(wire.statistics()) == ((2, 50), (1, 20), (0, 0), (1, 30))
    # What had been read of the discarded message is not credited to the next one.
    wire = Wire(5)
    wire.rate = 10.0
    wire.put(b"y" * 30)
    wire.advance(2.0)
    wire.discard()
    wire.put(b"z" * 10)
    assert wire.over_limit
    assert wire.advance(3.0) == [(3.0, b"z" * 10)]


STEP = st.one_of(
    st.tuples(st.just("put"), st.binary(max_size=200)),
    st.tuples(st.just("rate"), st.sampled_from([0.5, 3.0, 100.0, 1e5 / 3, inf])),
    st.tuples(st.just("stalled"), st.booleans()),
    st.tuples(st.just("discard"), st.none()),
    st.tuples(st.just("wait"), st.floats(0.0, 30.0)),
    st.tuples(st.just("wait for change"), st.none()),
)


@given(steps=st.lists(STEP, max_size=40), looks=st.lists(st.floats(0.0, 1.0), max_size=3))
@example(
    steps=[
        ("rate", 3.0),
        ("put", b"abc"),
        ("wait for change", None),
        ("wait", 1.0),
        ("stalled", True),
        ("discard", None),
    ],
    looks=[0.5],
)
def test_looking_at_a_wire_changes_nothing(
    steps: list[tuple[str, object]], looks: list[float]
) -> None:
    """Invariant: bytes are conserved, messages keep order and are never read faster than
    the rate allows, and when each was read doesn't depend on how often one looked."""
    watched, unwatched = Wire(100), Wire(100)
    seen: list[tuple[float, Data | End]] = []
    unseen: list[tuple[float, Data | End]] = []
    put: list[Data] = []
    now_s = 0.0
    for what, value in steps:
        until_s = now_s
        if what == "wait":
            assert isinstance(value, float)
            until_s += value
        elif what == "wait for change" and watched.next_change_s() < inf:
            until_s = max(now_s, watched.next_change_s())
        for look in sorted(looks):
            seen += watched.advance(now_s + look * (until_s - now_s))
        seen += watched.advance(until_s)
        unseen += unwatched.advance(until_s)
        now_s = until_s
        for wire in (watched, unwatched):
            if what == "put":
                assert isinstance(value, bytes)
                wire.put(value)
            elif what in ("rate", "stalled"):
                setattr(wire, what, value)
            elif what == "discard":
                wire.discard()
            assert_conserved(wire.statistics())
        if what == "put":
            assert isinstance(value, bytes)
            put.append(value)
        seen += watched.advance(now_s)
        unseen += unwatched.advance(now_s)

    assert [item for _, item in seen] == [item for _, item in unseen]
    assert [time_s for time_s, _ in seen] == pytest.approx([time_s for time_s, _ in unseen])
    remaining: Iterator[object] = iter(put)
    assert all(item in remaining for _, item in seen)  # a subsequence, in order
    assert [time_s for time_s, _ in seen] == sorted(time_s for time_s, _ in seen)


@given(
    sizes=st.lists(st.integers(0, 5000), max_size=20),
    rate=st.floats(1.0, 1e6),
    start_s=st.floats(0.0, 1e5),
)
def test_waiting_for_change_after_change_empties_a_wire(
    sizes: list[int], rate: float, start_s: float
) -> None:
    """Invariant: who always waits for the next change gets through in a few steps, at the
    time that the bytes and the rate give."""
    wire = Wire(1000)
    wire.rate = rate
    wire.advance(start_s)
    for size in sizes:
        wire.put(bytes(size))
    now_s = start_s
    steps = 0
    wire.advance(now_s)
    while wire.next_change_s() < inf:
        steps += 1
        now_s = wire.next_change_s()
        wire.advance(now_s)
    assert steps <= 10 * len(sizes)
    assert wire.statistics().delivered == (len(sizes), sum(sizes))
    assert now_s == pytest.approx(start_s + sum(sizes) / rate)
