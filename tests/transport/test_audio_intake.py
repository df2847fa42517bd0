"""`wsframes.transport.audio_intake`."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import channels, pcm, pieces
from wsframes import InputAudioRawFrame
from wsframes.audio.pcm import remix
from wsframes.audio.resample import StreamResampler
from wsframes.exceptions import UsageError
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


# --- another rate


def resampled(data: bytes, from_rate: int, to_rate: int, num_channels: int = 1) -> bytes:
    resampler = StreamResampler(from_rate, to_rate, num_channels)
    return resampler.push(data) + resampler.flush()


@given(pieces(), channels, channels, st.sampled_from([(8000, 16000), (44100, 16000)]))
def test_another_rate_is_converted_however_the_audio_is_cut(
    cut: tuple[bytes, list[bytes]], from_channels: int, to_channels: int, rates: tuple[int, int]
) -> None:
    """Pieces cut anywhere come out as the resampler gives the stream in one piece (P13, P14)."""
    whole, parts = cut
    from_rate, to_rate = rates
    intake = AudioIntake(to_channels, to_rate)
    out = b"".join(intake.take(audio(part, from_rate, from_channels)) for part in parts)
    out += intake.rest()
    over = len(whole) % (2 * from_channels)
    whole = whole[: len(whole) - over]
    through = from_channels if from_channels == to_channels else 1
    mixed = remix(whole, from_channels, through)
    assert out == remix(resampled(mixed, from_rate, to_rate, through), through, to_channels)
    assert intake.odd_bytes == over


@given(st.lists(st.tuples(st.sampled_from([8000, 16000, 24000, 48000]), pcm(max_frames=900))))
def test_where_the_rate_changes_the_rest_of_the_stream_before_comes_first(
    streams: list[tuple[int, bytes]],
) -> None:
    """Nothing is lost between streams, and nothing is left of one in the next (P13)."""
    intake = AudioIntake(1, 16000)
    out = b"".join(intake.take(audio(data, rate)) for rate, data in streams) + intake.rest()
    joined: list[tuple[int, bytes]] = []
    for rate, data in streams:
        if joined and joined[-1][0] == rate:
            joined[-1] = (rate, joined[-1][1] + data)
        else:
            joined.append((rate, data))
    assert out == b"".join(resampled(data, rate, 16000) for rate, data in joined)


def test_after_the_rest_a_stream_of_the_same_format_may_begin() -> None:
    intake = AudioIntake(1, 16000)
    data = bytes(range(256))
    once = intake.take(audio(data, 8000)) + intake.rest()
    assert once == intake.take(audio(data, 8000)) + intake.rest()
    assert intake.rest() == b""


def test_what_has_the_rate_is_not_copied_among_what_has_not() -> None:
    intake = AudioIntake(1, 16000)
    data = bytes(640)
    intake.take(audio(data, 8000))
    intake.take(audio(data))
    assert intake.take(audio(data)) is data
    assert intake.rest() == b""


def test_a_new_rate_begins_another_stream() -> None:
    intake = AudioIntake(1, None)
    data = bytes(range(100))
    assert intake.take(audio(data, 8000)) == data
    intake.begin(16000)
    assert intake.sample_rate == 16000
    assert intake.take(audio(data + b"x", 8000)) + intake.rest() == resampled(data, 8000, 16000)
    intake.begin(16000)
    intake.take(audio(b"x", 8000))
    intake.begin(8000)
    assert intake.odd_bytes == 2
    assert intake.take(audio(data, 8000)) == data
    intake.begin(None)
    assert intake.take(audio(data, 24000)) == data
    intake.begin(8000)
    with pytest.raises(UsageError, match="audio_in_sample_rate: sample_rate is 7999"):
        intake.begin(7999)
    assert intake.take(audio(data, 8000)) == data


def test_the_number_of_formats_of_a_session_is_limited() -> None:
    intake = AudioIntake(1, 16000)
    for rate in range(8001, 8009):
        intake.take(audio(b"ab", rate))
    with pytest.raises(ValueError, match="audio of more than 8 formats in one session"):
        intake.take(audio(b"ab", 8009))
    for rate in range(8001, 8009):
        intake.take(audio(b"ab", rate))
    for num_channels in range(1, 9):
        intake.take(audio(bytes(16), 16000, num_channels))


def test_audio_of_the_wanted_format_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wsframes.audio.resample", raising=False)
    monkeypatch.setitem(sys.modules, "numpy", None)
    intake = AudioIntake(1, 16000)
    data = bytes(640)
    assert intake.take(audio(data)) is data
    for _ in range(2):
        with pytest.raises(ValueError, match=r'pip install "wsframes\[audio\]"'):
            intake.take(audio(data, 8000))
    assert intake.take(audio(data)) is data
    assert intake.take(audio(bytes(4), num_channels=2)) == bytes(2)


def test_it_says_what_rate_it_gives_and_whether_something_is_left() -> None:
    intake = AudioIntake(1, None)
    assert (intake.rate_given, intake.has_rest) == (0, False)
    for rate in (8000, 48000):
        assert intake.take(audio(b"abcd", rate)) == b"abcd"
        assert (intake.rate_given, intake.has_rest) == (rate, False)
    converting = AudioIntake(1, 16000)
    assert converting.rate_given == 16000
    converting.take(audio(bytes(640), 8000))
    assert (converting.rate_given, converting.has_rest) == (16000, True)
    assert converting.rest()
    assert (converting.has_rest, converting.rest()) == (False, b"")
