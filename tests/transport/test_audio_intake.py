"""`wsframes.transport.audio_intake`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import channels, pieces
from wsframes import InputAudioRawFrame
from wsframes.audio.pcm import remix
from wsframes.transport.audio_intake import AudioIntake


def audio(
    data: bytes, rate: int = 16000, num_channels: int = 1, source: str | None = None
) -> InputAudioRawFrame:
    return InputAudioRawFrame(data, rate, num_channels, transport_source=source)


def test_what_needs_no_change_is_not_copied() -> None:
    intake = AudioIntake(1, None)
    data = bytes(640)
    assert intake.take(audio(data)) is data


def test_half_a_sample_waits_for_its_rest() -> None:
    intake = AudioIntake(1, None)
    assert intake.take(audio(b"\x01")) == b""
    assert intake.take(audio(b"\x02\x03")) == b"\x01\x02"
    assert intake.take(audio(b"\x04")) == b"\x03\x04"
    assert intake.odd_bytes == 0


@given(pieces(), channels, channels)
def test_cutting_the_audio_anywhere_changes_nothing(
    cut: tuple[bytes, list[bytes]], from_channels: int, to_channels: int
) -> None:
    """Pieces of one stream, cut anywhere, come out as the stream does in one piece (P14)."""
    whole, parts = cut
    intake = AudioIntake(to_channels, None)
    out = b"".join(intake.take(audio(part, num_channels=from_channels)) for part in parts)
    over = len(whole) % (2 * from_channels)
    assert out == remix(whole[: len(whole) - over], from_channels, to_channels)
    intake.cut()
    assert intake.odd_bytes == over


@pytest.mark.parametrize(
    "other",
    [
        audio(b"\x02\x03", rate=8000),
        audio(b"\x02\x03", source="b"),
        audio(bytes(4), num_channels=2),
    ],
    ids=["rate", "source", "channels"],
)
def test_another_stream_begins_with_a_sample_of_its_own(other: InputAudioRawFrame) -> None:
    intake = AudioIntake(other.num_channels, None)
    intake.take(audio(b"\x01", num_channels=1))
    assert intake.take(other) == other.audio
    assert intake.odd_bytes == 1


def test_after_a_cut_a_new_sample_begins() -> None:
    intake = AudioIntake(1, None)
    intake.take(audio(b"\x01"))
    intake.cut()
    assert intake.take(audio(b"\x02\x03")) == b"\x02\x03"
    intake.cut()
    assert intake.odd_bytes == 1


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (audio(b"", rate=0), "sample_rate is 0, not 8000 to 192000"),
        (audio(b"", rate=192001), "sample_rate is 192001"),
        (audio(b"", num_channels=0), "num_channels is 0, not 1 to 8"),
        (audio(b"", num_channels=9), "num_channels is 9"),
        (audio(b"", rate=24000), "audio of 24000 Hz where 16000 Hz is set"),
    ],
)
def test_what_cannot_be_used_is_refused_and_changes_nothing(
    frame: InputAudioRawFrame, problem: str
) -> None:
    intake = AudioIntake(1, 16000)
    intake.take(audio(b"\x01"))
    with pytest.raises(ValueError, match=problem):
        intake.take(frame)
    assert intake.take(audio(b"\x02")) == b"\x01\x02"


@given(st.integers(8000, 192000))
def test_without_a_rate_of_its_own_it_takes_any(rate: int) -> None:
    """Every rate that may cross the wire is taken as it comes."""
    assert AudioIntake(1, None).take(audio(b"ab", rate=rate)) == b"ab"
