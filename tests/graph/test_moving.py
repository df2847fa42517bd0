"""`wsframes.graph.moving`."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from wsframes import Frame, InterruptionFrame
from wsframes.graph.moving import Moving


@given(st.lists(st.tuples(st.sampled_from(["add", "forget"]), st.integers(0, 4))))
def test_a_frame_is_new_once_for_as_long_as_it_lives(steps: list[tuple[str, int]]) -> None:
    """For all histories: `add` says False of a frame that was added, and of no other."""
    moving = Moving()
    frames: dict[int, Frame] = {}
    added: set[int] = set()
    for step, number in steps:
        if step == "forget":
            frames.pop(number, None)
            added.discard(number)
        else:
            frame = frames.setdefault(number, InterruptionFrame())
            assert (frame in moving) is (number in added)
            assert moving.add(frame) is (number not in added)
            added.add(number)


def test_no_frame_is_kept_and_its_place_is_used_again() -> None:
    moving = Moving()
    for _ in range(1000):
        moving.add(InterruptionFrame())
    gc.collect()
    assert len(moving._frames) == 1
