"""Frames compared: wsframes.testing.comparison."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import frames_a_server_sends
from wsframes import (
    EndFrame,
    Frame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    TextFrame,
    TransportMessageFrame,
    TTSAudioRawFrame,
)
from wsframes.testing import payload, same_frame
from wsframes.testing.comparison import Expected, difference

A, B, C = TextFrame("a"), TextFrame("b"), TextFrame("c")


def test_a_payload_is_what_the_type_adds() -> None:
    frame = OutputAudioRawFrame(b"12", 8000, pts=3, transport_destination="x", metadata={"a": 1})
    assert payload(frame) == {"audio": b"12", "sample_rate": 8000, "num_channels": 1}
    assert payload(EndFrame(pts=1)) == {"reason": None}


def test_frames_are_the_same_whatever_their_id_and_route() -> None:
    assert same_frame(TextFrame("a"), TextFrame("a", pts=1, transport_destination="x"))
    assert not same_frame(TextFrame("a"), TextFrame("b"))
    assert not same_frame(OutputAudioRawFrame(b"", 8000), TTSAudioRawFrame(b"", 8000))


@given(frame=frames_a_server_sends)
def test_a_frame_is_the_same_as_its_copy(frame: Frame) -> None:
    """Invariant: a copy with another id is the same frame, and differs in nothing."""
    copy = type(frame)(**payload(frame))
    assert copy.id != frame.id
    assert same_frame(frame, copy)
    assert difference([frame], [copy]) is None


frames = st.lists(st.sampled_from([A, B, C, EndFrame()]), max_size=30)


@given(expected=frames, got=frames)
def test_there_is_a_difference_where_lists_differ(expected: list[Frame], got: list[Frame]) -> None:
    """Invariant: no difference is told if, and only if, the lists are the same."""
    told = difference(expected, got)
    if expected == got:
        assert told is None
    else:
        assert told is not None
        assert f"{len(expected)} expected, {len(got)} got" in told
        assert len(told.splitlines()) < 20


def test_a_type_is_fulfilled_by_its_subclasses() -> None:
    speech = TTSAudioRawFrame(b"", 8000)
    assert difference([OutputAudioRawFrame], [speech]) is None
    assert difference([TTSAudioRawFrame], [OutputAudioRawFrame(b"", 8000)]) is not None


def lines(expected: Sequence[Expected], got: Sequence[Frame]) -> list[str]:
    told = difference(expected, got)
    assert told is not None
    return [" ".join(line.split()) for line in told.splitlines()]


def test_a_difference_shows_both_sides_and_marks_what_differs() -> None:
    assert lines([TextFrame, EndFrame, A], [A, B]) == [
        "3 expected, 2 got, different from number 1 on:",
        "expected got",
        f"0 TextFrame {A!r}",
        f"> 1 EndFrame {B!r}",
        f"> 2 {A!r}",
    ]
    assert lines([], [A])[2:] == [f"> 0 {A!r}"]
    assert lines([TextFrame], [])[2:] == ["> 0 TextFrame"]


def test_of_long_lists_only_the_surroundings_are_shown() -> None:
    shown = lines([A] * 100, [A] * 50 + [B] * 50)
    assert shown[0] == "100 expected, 100 got, different from number 50 on:"
    assert shown[2].startswith("47 ")
    assert shown[9].startswith("> 54 ")
    assert shown[13:] == [
        "... and 42 more",
        "text: 1 characters expected, 1 got, different from 0 on: 'a' expected, 'b' got",
    ]


def test_fields_are_compared_where_a_look_at_the_frames_shows_nothing() -> None:
    right = bytes(640)
    wrong = right[:100] + b"\x01" + right[101:]
    audio, channels = lines(
        [OutputAudioRawFrame(right, 8000)], [OutputAudioRawFrame(wrong, 8000, 2)]
    )[3:]
    assert audio.startswith("audio: 640 bytes expected, 640 got, different from 100 on: ")
    assert audio.endswith(f"{right[92:116]!r} expected, {wrong[92:116]!r} got")
    assert channels == "num_channels: 1 expected, 2 got"
    assert lines([TransportMessageFrame("a")], [TransportMessageFrame(b"a")])[3:] == [
        "message: 'a' expected, b'a' got"
    ]
    assert lines([TextFrame("abc")], [TextFrame("ab")])[3:] == [
        "text: 3 characters expected, 2 got, different from 2 on: 'abc' expected, 'ab' got"
    ]
    # Frames of two types have nothing in common to be compared.
    assert len(lines([OutputImageRawFrame(b"", (1, 1), "RGB")], [A])) == 3
