"""`wsframes.demo.room`."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from wsframes.demo.clip import SAMPLE_RATE
from wsframes.demo.room import Room, room_mixer, room_samples


@given(
    pieces=st.lists(st.lists(st.integers(-30000, 30000), max_size=40), max_size=8),
    first=st.integers(0, 3 * SAMPLE_RATE),
)
def test_what_the_mixer_puts_in_the_room_takes_out(pieces: list[list[int]], first: int) -> None:
    """Every sample as it was, however it was cut; nothing where nothing was said."""
    mixer, room = room_mixer(), Room(room_samples())
    mixer.start(SAMPLE_RATE)
    room.without(mixer.mix(bytes(2 * first)))
    for piece in pieces:
        said = array("h", piece).tobytes()
        assert room.without(mixer.mix(said)) == (said if any(piece) else b"")


def test_the_sound_is_soft_and_there() -> None:
    samples = room_samples()
    assert len(samples) == SAMPLE_RATE
    assert 50 < max(samples) < 200


def test_without_a_sound_all_is_answer() -> None:
    assert Room([]).without(b"\0\0") == b"\0\0"
