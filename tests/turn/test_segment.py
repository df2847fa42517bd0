"""`wsframes.turn.segment`."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes.turn.segment import TurnSegment


def test_the_pre_roll_and_all_after_it() -> None:
    segment = TurnSegment()
    for number in range(10):
        segment.add(bytes([number, number]) * 100, False, pre_roll=250, longest=10_000)
    for number in range(10, 20):
        segment.add(bytes([number, number]) * 100, number == 10, pre_roll=250, longest=10_000)
    # Whole pieces, so that there is never less than asked for.
    assert segment.audio(10_000) == b"".join(bytes([n, n]) * 100 for n in range(7, 20))
    assert segment.audio(150) == bytes([18, 18]) * 50 + bytes([19, 19]) * 100
    assert segment.audio(0) == b""


def test_clear() -> None:
    segment = TurnSegment()
    segment.add(bytes(200), True, pre_roll=0, longest=1000)
    segment.clear()
    assert segment.audio(1000) == b""
    segment.add(bytes(200), False, pre_roll=0, longest=1000)
    assert segment.audio(1000) == b""  # there has been no speech, and no pre-roll is wanted


@given(
    st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=60),
    st.integers(0, 1500),
    st.integers(1, 1000),
)
def test_what_is_kept(pieces: list[tuple[int, bool]], pre_roll: int, longest: int) -> None:
    """The end of the stream, at least as long as asked for, at most by one piece longer."""
    segment = TurnSegment()
    stream = b""
    for number, (frames, is_speech) in enumerate(pieces):
        piece = bytes([number, number]) * frames
        stream += piece
        segment.add(piece, is_speech, pre_roll=pre_roll, longest=longest)
        kept = segment.audio(10**6)
        limit = longest if any(speech for _, speech in pieces[: number + 1]) else pre_roll
        assert kept == stream[len(stream) - len(kept) :]
        assert len(kept) // 2 < min(limit, longest) + 400
        if not any(speech for _, speech in pieces):
            assert len(kept) >= min(len(stream), 2 * min(pre_roll, longest))
