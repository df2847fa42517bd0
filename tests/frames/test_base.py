import gc
import weakref
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes import frames
from wsframes.frames import (
    ControlFrame,
    DataFrame,
    EndFrame,
    Frame,
    HeartbeatFrame,
    InputAudioRawFrame,
    Lane,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    SpriteFrame,
    StartFrame,
    SystemFrame,
    TextFrame,
    TransportMessageFrame,
    UninterruptibleFrame,
)


class ScoreFrame(DataFrame):
    score: float


class GoodbyeFrame(TextFrame, UninterruptibleFrame):
    pass


class LoudFrame(SystemFrame):
    level: int = 11


def test_payload_is_positional_and_common_fields_are_keywords() -> None:
    frame = OutputAudioRawFrame(b"\0\0", 24000, 1, pts=0, transport_destination="left")
    assert (frame.audio, frame.sample_rate, frame.num_channels) == (b"\0\0", 24000, 1)
    assert frame.pts == 0
    assert frame.transport_destination == "left"
    assert frame.transport_source is None
    with pytest.raises(TypeError):
        TextFrame("hi", 5)  # type: ignore[call-arg]


def test_a_frame_is_immutable_but_for_its_metadata() -> None:
    frame = TextFrame("hi")
    with pytest.raises(AttributeError):
        frame.text = "ho"  # type: ignore[misc]
    frame.metadata["seen"] = True
    assert TextFrame("hi").metadata == {}


def test_ids_are_unique_and_names_tell_type_and_id() -> None:
    first, second = TextFrame("a"), ScoreFrame(1.0)
    assert second.id > first.id
    assert first.name == f"TextFrame#{first.id}"
    assert second.name == f"ScoreFrame#{second.id}"


def test_frames_are_equal_only_to_themselves_and_can_be_keys() -> None:
    frame = TextFrame("a")
    assert frame != TextFrame("a")
    assert {frame: 1}[frame] == 1


def test_replace_keeps_all_that_is_not_named() -> None:
    frame = ScoreFrame(1.0, pts=7, transport_source="mic", metadata={"k": 1})
    changed = frame.replace(score=2.0)
    assert isinstance(changed, ScoreFrame)
    assert changed.score == 2.0
    assert (changed.id, changed.pts, changed.transport_source) == (frame.id, 7, "mic")
    assert changed.metadata == {"k": 1}
    assert frame.score == 1.0
    with pytest.raises(TypeError, match="speed"):
        frame.replace(speed=1)


def test_a_frame_of_the_user_is_delivered_as_its_base_is() -> None:
    assert (ScoreFrame.lane, ScoreFrame.uninterruptible) == (Lane.ORDERED, False)
    assert (GoodbyeFrame.lane, GoodbyeFrame.uninterruptible) == (Lane.ORDERED, True)
    assert (LoudFrame.lane, LoudFrame.uninterruptible) == (Lane.SYSTEM, True)
    assert GoodbyeFrame("bye").text == "bye"
    assert LoudFrame().level == 11


def test_a_frame_of_the_user_can_say_how_much_it_holds() -> None:
    class TableFrame(ControlFrame):
        rows: list[bytes]
        lane: ClassVar[Lane] = Lane.ORDERED

        @property
        def payload_bytes(self) -> int:
            return sum(map(len, self.rows))

    assert TableFrame([b"ab", b"c"]).payload_bytes == 3
    assert ScoreFrame(1.0).payload_bytes == 0


def test_payload_bytes_follow_the_payload() -> None:
    picture = OutputImageRawFrame(bytes(12), (2, 2), "RGB")
    assert picture.payload_bytes == 12
    assert SpriteFrame([picture, picture]).payload_bytes == 24
    assert InputAudioRawFrame(bytes(640), 16000).payload_bytes == 640
    assert TextFrame("abc").payload_bytes == 3


@given(st.integers(0, 2000))
def test_the_size_of_a_message_grows_with_its_content(length: int) -> None:
    """A message never counts for less than the text in it, wherever in it that is."""
    text = "x" * length
    for message in (text, [text], {"k": (text, 1)}, {text: None}, [[{"a": text.encode()}]]):
        assert TransportMessageFrame(message).payload_bytes >= length


def test_repr_is_short_and_shows_no_payload() -> None:
    assert repr(InputAudioRawFrame(b"secret" * 100, 16000)).endswith(
        "(audio=<600 bytes>, sample_rate=16000, num_channels=1)"
    )
    assert len(repr(TextFrame("x" * 10_000))) < 120
    assert repr(ScoreFrame(0.5)).endswith("(score=0.5)")


def test_audio_frames_count_samples_per_channel() -> None:
    assert OutputAudioRawFrame(bytes(640), 16000, 2).num_frames == 160


def test_a_frame_can_be_referred_to_weakly() -> None:
    frame = TextFrame("a")
    reference = weakref.ref(frame)
    del frame
    gc.collect()
    assert reference() is None


def test_lifecycle_frames_are_marked() -> None:
    marked = {
        name
        for name in frames.__all__
        if isinstance(value := getattr(frames, name), type)
        and issubclass(value, Frame)
        and value.lifecycle
    }
    assert marked == {"StartFrame", "EndFrame", "StopFrame", "CancelFrame", "InterruptionFrame"}
    assert StartFrame.lane is Lane.SYSTEM
    assert EndFrame.uninterruptible
    assert HeartbeatFrame.uninterruptible
