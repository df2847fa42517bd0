"""The queues of a lane."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.parts import DOWN, Alert, Media, Note, Word, is_exact
from wsframes.frames import EndFrame, Frame, InterruptionFrame
from wsframes.graph.mailbox import Counts, Mailbox, Put, Queue, QueueLimits

Policy = Literal["wait", "drop_oldest", "drop_newest", "close"]
DROPPING: list[Policy] = ["drop_oldest", "drop_newest"]


def queue(
    max_frames: int = 4, max_bytes: int = 1000, when_full: Policy = "wait"
) -> tuple[Queue, Counts]:
    counts = Counts()
    return Queue(QueueLimits(max_frames, max_bytes, when_full), counts), counts


def frames_in(queue: Queue) -> list[Frame]:
    return [entry[0] for entry in queue.entries]


def test_it_is_full_at_its_bound_until_it_has_fallen_to_half() -> None:
    it, _ = queue(max_frames=4)
    assert [it.put(Word(), DOWN) for _ in range(6)] == [Put.TAKEN] * 3 + [Put.FULL] * 3
    assert it.full
    for _ in range(3):
        it.take()
    assert it.full
    assert it.put(Word(), DOWN) is Put.FULL, "not at its bound, but not yet fallen to half"
    it.take()
    it.take()
    assert not it.full
    assert it.put(Word(), DOWN) is Put.TAKEN


def test_bytes_fill_it_as_well_as_frames() -> None:
    it, _ = queue(max_frames=100, max_bytes=100)
    assert it.put(Media(bytes(99)), DOWN) is Put.TAKEN
    assert it.put(Media(b"x"), DOWN) is Put.FULL
    assert it.bytes == 100
    it.take()
    assert not it.full
    assert it.bytes == 1


def test_past_sixteen_times_its_bound_a_frame_is_refused() -> None:
    it, counts = queue(max_frames=2)
    for _ in range(32):
        assert it.put(Word(), DOWN) is not Put.OVERFLOW
    assert it.put(Word(), DOWN) is Put.OVERFLOW
    assert len(it.entries) == 32
    assert counts.refused == {"overload": 1}


def test_past_sixteen_times_its_bytes_too_but_the_first_frame_may_be_of_any_size() -> None:
    it, counts = queue(max_frames=100, max_bytes=10)
    assert it.put(Media(bytes(1000)), DOWN) is Put.FULL
    assert it.put(Media(b"x"), DOWN) is Put.OVERFLOW
    assert it.bytes == 1000
    assert counts.refused == {"overload": 1}


def test_drop_oldest_makes_room_among_those_that_may_be_dropped() -> None:
    it, counts = queue(max_frames=3, when_full="drop_oldest")
    kept, old, new = Note("kept"), Word("old"), Word("new")
    frames = [kept, old, Word("middle"), new]
    assert [it.put(frame, DOWN) for frame in frames] == [Put.TAKEN] * 4
    assert frames_in(it) == [kept, frames[2], new]
    assert counts.dropped == {"full": 1}


def test_drop_oldest_makes_room_for_the_bytes_of_one_frame() -> None:
    it, counts = queue(max_frames=10, max_bytes=100, when_full="drop_oldest")
    for _ in range(4):
        it.put(Media(bytes(25)), DOWN)
    big = Media(bytes(80))
    assert it.put(big, DOWN) is Put.TAKEN
    assert frames_in(it) == [big]
    assert counts.dropped == {"full": 4}
    assert it.bytes == 80


def test_drop_newest_refuses_what_does_not_fit() -> None:
    it, counts = queue(max_frames=2, when_full="drop_newest")
    frames = [Word("a"), Word("b"), Word("c")]
    assert [it.put(frame, DOWN) for frame in frames] == [Put.TAKEN, Put.TAKEN, Put.DROPPED]
    assert frames_in(it) == frames[:2]
    assert counts.dropped == {"full": 1}


@pytest.mark.parametrize("policy", DROPPING)
def test_a_consumer_that_follows_loses_nothing(policy: Policy) -> None:
    it, counts = queue(max_frames=4, when_full=policy)
    for _ in range(4):
        it.put(Word(), DOWN)
    for _ in range(100):
        it.take()
        assert it.put(Word(), DOWN) is Put.TAKEN
    assert not counts.dropped


@pytest.mark.parametrize("policy", DROPPING)
def test_what_may_not_be_dropped_is_taken_and_whoever_can_waits(policy: Policy) -> None:
    it, counts = queue(max_frames=2, when_full=policy)
    assert [it.put(Note(), DOWN) for _ in range(4)] == [Put.TAKEN] + [Put.FULL] * 3
    assert len(it.entries) == 4
    assert not counts.dropped


def test_close_refuses_at_the_bound_and_makes_nobody_wait() -> None:
    it, counts = queue(max_frames=2, when_full="close")
    verdicts = [it.put(frame, DOWN) for frame in (Word(), Note(), Note())]
    assert verdicts == [Put.TAKEN, Put.TAKEN, Put.OVERFLOW]
    assert counts.refused == {"overload": 1}


def test_a_frame_whose_size_cannot_be_told_changes_nothing() -> None:
    class Broken(Word):
        @property
        def payload_bytes(self) -> int:
            raise LookupError

    it, _ = queue()
    with pytest.raises(LookupError):
        it.put(Broken(), DOWN)
    assert not it.entries
    assert it.bytes == 0


def test_an_interruption_keeps_what_is_uninterruptible_in_its_order() -> None:
    it, counts = queue(max_frames=3)
    first, second = Note("first"), Note("second")
    for frame in (first, Word(), second, Word(), Word()):
        it.put(frame, DOWN)
    it.drop_interruptible()
    assert frames_in(it) == [first, second]
    assert counts.dropped == {"interrupted": 3}
    assert it.full, "two of three is more than half"
    it.take()
    assert not it.full


def test_an_interruption_that_finds_nothing_to_drop_counts_nothing() -> None:
    it, counts = queue()
    it.drop_interruptible()
    it.put(Note(), DOWN)
    it.drop_interruptible()
    assert len(it.entries) == 1
    assert counts.dropped == {}


FRAMES = st.sampled_from([Word, Note, Alert, Media]).flatmap(
    lambda kind: (
        st.builds(Media, st.integers(0, 60).map(bytes)) if kind is Media else st.just(kind())
    )
)


@given(
    st.lists(FRAMES | st.sampled_from(["take", "interrupt", "clear"]), max_size=80),
    st.integers(1, 5),
    st.integers(1, 100),
    st.sampled_from(["wait", "drop_oldest", "drop_newest", "close"]),
)
def test_whatever_happens_counts_are_exact_order_is_kept_and_bounds_hold(
    steps: list[Frame | str], max_frames: int, max_bytes: int, policy: Policy
) -> None:
    """Invariant: put = taken + dropped + refused + queued; what is left is a subsequence of what
    was put; under a policy other than "wait", droppable frames alone never exceed the bounds; what
    is at its bound is full, and the peak is the most that was queued."""
    it, counts = queue(max_frames, max_bytes, policy)
    put: list[Frame] = []
    offered = taken = peak = 0
    for step in steps:
        if isinstance(step, Frame):
            offered += 1
            put.append(step)
            verdict = it.put(step, DOWN)
            peak = max(peak, len(it.entries))
            assert verdict is not Put.FULL or it.full
            assert it.full or (len(it.entries) < max_frames and it.bytes < max_bytes)
        elif step == "take" and it.entries:
            frame = it.take()[0]
            taken += 1
            # Fails if the frame was not put after those that were taken before.
            del put[: put.index(frame) + 1]
        elif step == "interrupt":
            it.drop_interruptible()
        elif step == "clear":
            it.clear("cancelled")
        left = frames_in(it)
        assert offered == taken + counts.dropped.total() + counts.refused.total() + len(left)
        assert it.bytes == sum(frame.payload_bytes for frame in left)
        rest = iter(put)
        assert all(any(frame is other for other in rest) for frame in left)
        assert len(left) <= 16 * max_frames
        assert peak <= it.peak <= peak + 1, "one that overflows is taken out again"
        if policy != "wait" and not any(isinstance(frame, Note | Alert) for frame in left):
            assert len(left) <= max_frames
            assert it.bytes <= max_bytes or len(left) == 1
        if len(left) * 2 <= max_frames and it.bytes * 2 <= max_bytes and step == "take":
            assert not it.full


def mailbox(max_frames: int = 4, when_full: Policy = "wait") -> Mailbox:
    return Mailbox(QueueLimits(max_frames=max_frames, when_full=when_full))


def end_is_due(box: Mailbox) -> bool:
    """Whether the end, which is queued last, may be taken."""
    frame, _, _, rank = box.ordered.entries[-1]
    assert isinstance(frame, EndFrame)
    return box.is_due(rank)


def test_an_end_waits_for_the_system_frames_before_it_and_no_others() -> None:
    box = mailbox()
    box.put_system(Alert("first"), DOWN)
    box.put_system(Alert("second"), DOWN)
    box.put_end(EndFrame(), DOWN)
    later = Alert("later")
    box.put_system(later, DOWN)
    for _ in range(2):
        assert not end_is_due(box)
        box.served(box.system.take())
    assert end_is_due(box)
    assert frames_in(box.system) == [later]


def test_an_end_waits_for_a_system_frame_at_work() -> None:
    box = mailbox()
    box.put_system(Alert(), DOWN)
    at_work = box.system.take()
    box.put_end(EndFrame(), DOWN)
    assert not end_is_due(box)
    box.served(at_work)
    assert end_is_due(box)


@pytest.mark.parametrize("policy", DROPPING)
def test_an_end_does_not_wait_for_system_frames_that_were_dropped(policy: Policy) -> None:
    box = mailbox(max_frames=2, when_full=policy)
    for _ in range(5):
        box.put_system(Media(), DOWN)
    box.put_end(EndFrame(), DOWN)
    while box.system.entries:
        assert not end_is_due(box)
        box.served(box.system.take())
    assert end_is_due(box)


def test_an_end_does_not_wait_for_what_was_cleared() -> None:
    box = mailbox()
    box.put_system(Alert(), DOWN)
    box.put_express(InterruptionFrame(), DOWN)
    box.clear("cancelled")
    box.put_end(EndFrame(), DOWN)
    assert end_is_due(box)
    assert not box.express
    assert box.counts.dropped == {"cancelled": 1}


def test_interruptions_that_nobody_looks_at_do_not_pile_up() -> None:
    box = mailbox()
    assert all(box.put_express(InterruptionFrame(), DOWN) for _ in range(16))
    assert not box.put_express(InterruptionFrame(), DOWN)
    assert len(box.express) == 16


def test_it_finds_a_frame_by_identity() -> None:
    box = mailbox()
    one, other = Word("same"), Word("same")
    box.ordered.put(one, DOWN)
    assert box.has_ordered(one)
    assert not box.has_ordered(other)


def test_its_statistics_say_where_the_frames_are() -> None:
    box = mailbox(max_frames=2)
    box.put_system(Media(b"1234"), DOWN)
    for _ in range(3):
        box.ordered.put(Word(), DOWN)
    box.ordered.take()
    box.counts.delivered += 1
    statistics = box.statistics(taken=4)
    assert is_exact(statistics)
    assert statistics.queued == 3
    assert statistics.queued_bytes == 4
    assert statistics.peak == 3
