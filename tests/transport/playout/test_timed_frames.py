"""`wsframes.transport.playout.timed_frames`."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes import TextFrame, TransportMessageFrame
from wsframes.transport.playout.timed_frames import TimedFrames


def taken(frames: TimedFrames) -> list[str]:
    texts = []
    while frames.next_ns is not None:
        frame = frames.take()
        assert isinstance(frame, TextFrame)
        frames.done(None)
        texts.append(frame.text)
    return texts


@given(times=st.lists(st.integers(-5, 5)))
def test_they_leave_by_time_and_in_order_at_one_time(times: list[int]) -> None:
    """As a stable sort would have them."""
    frames = TimedFrames()
    for number, pts in enumerate(times):
        frames.put(TextFrame(f"{number}", pts=pts))
    assert frames.next_ns == min(times, default=None)
    expected = sorted(range(len(times)), key=lambda number: times[number])
    assert taken(frames) == [f"{number}" for number in expected]


@given(
    ops=st.lists(st.sampled_from(["put", "put message", "sent", "lost", "interrupt", "close"])),
)
def test_none_is_lost_silently(ops: list[str]) -> None:
    """P6: taken = sent + dropped + queued, whatever happens."""
    frames = TimedFrames()
    waiting = 0
    for op in ops:
        if op.startswith("put"):
            frames.put(TextFrame("x", pts=1) if op == "put" else TransportMessageFrame(1, pts=2))
        elif op == "interrupt":
            frames.drop("interrupted")
        elif op == "close":
            frames.drop("ended", all_frames=True)
        elif frames.next_ns is not None:
            frames.take()
            frames.done(None if op == "sent" else "unsent")
        waiting = len(frames._heap)
    statistics = frames.statistics()
    assert statistics.queued == waiting
    assert statistics.taken == statistics.sent + sum(statistics.dropped.values()) + waiting


def test_an_interruption_keeps_what_is_uninterruptible_and_its_order() -> None:
    frames = TimedFrames()
    messages = [TransportMessageFrame(n, pts=9 - n) for n in range(9)]
    for message in messages:
        frames.put(message)
        frames.put(TextFrame("lost", pts=message.pts))
    frames.drop("interrupted")
    assert [frames.take() for _ in messages] == messages[::-1]
    assert frames.statistics().dropped == {"interrupted": 9}
    frames.drop("interrupted")
    assert frames.statistics().dropped == {"interrupted": 9}


def test_there_is_room_for_so_many_and_so_large() -> None:
    frames = TimedFrames()
    for _ in range(1024):
        assert frames.has_room
        frames.put(TextFrame("", pts=0))
    assert not frames.has_room
    frames.take()
    assert frames.has_room
    large = TimedFrames()
    large.put(TextFrame("x" * (1 << 20), pts=0))
    assert not large.has_room
    large.drop("interrupted")
    assert large.has_room
