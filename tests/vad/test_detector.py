"""`wsframes.vad.detector` and `wsframes.vad.analyzer`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vad.parts import Loud, Scripted, tone
from wsframes.vad import VADParams, VADState, VoiceChange, VoiceDetector

PARAMS = VADParams(start_secs=0.03, stop_secs=0.02)


def test_changes_come_with_the_time_that_they_took() -> None:
    detector = VoiceDetector(Loud(params=PARAMS), 16000)
    assert detector.feed(tone(0.02)) == []
    assert detector.state is VADState.STARTING
    assert not detector.is_speech
    assert detector.feed(tone(0.01)) == [VoiceChange(True, 0.03)]
    assert detector.feed(tone(0.01, level=0)) == []
    assert detector.is_speech
    assert detector.feed(tone(0.05, level=0)) == [VoiceChange(False, 0.02)]
    assert detector.state is VADState.QUIET


def test_several_changes_in_one_piece() -> None:
    detector = VoiceDetector(Loud(params=PARAMS), 16000)
    audio = tone(0.03) + tone(0.02, level=0)
    assert [change.is_speech for change in detector.feed(audio * 3)] == [True, False] * 3


@given(st.lists(st.booleans(), max_size=40), st.lists(st.integers(0, 999), max_size=60))
def test_how_the_audio_is_cut_does_not_matter(windows: list[bool], cuts: list[int]) -> None:
    """The changes are those of the whole, wherever it is cut."""
    audio = b"".join(tone(0.01, level=1000 * voiced) for voiced in windows)
    whole = VoiceDetector(Loud(params=PARAMS), 16000).feed(audio)
    detector = VoiceDetector(Loud(params=PARAMS), 16000)
    found, at = [], 0
    for cut in [*cuts, len(audio)]:
        found += detector.feed(audio[at : at + cut])
        at += cut
    assert found == whole


@pytest.mark.parametrize(
    ("confidence", "volume", "state"),
    [
        (0.7, 0.6, VADState.SPEAKING),
        (0.69, 1.0, VADState.QUIET),
        (1.0, 0.59, VADState.QUIET),
    ],
)
def test_a_voice_is_sure_and_loud(confidence: float, volume: float, state: VADState) -> None:
    params = VADParams(start_secs=0)
    detector = VoiceDetector(Scripted([(confidence, volume)], params), 8000)
    detector.feed(bytes(160))
    assert detector.state is state


def test_parameters_change_while_it_runs() -> None:
    detector = VoiceDetector(Loud(params=PARAMS), 16000)
    detector.feed(tone(0.01))
    detector.params = VADParams(start_secs=1)
    assert detector.feed(tone(0.5)) == []
    detector.params = VADParams(start_secs=0.6)
    assert detector.feed(tone(0.1)) == [VoiceChange(True, 0.6)]
    assert detector.params.start_secs == 0.6


def test_reset_forgets_the_stream_and_keeps_the_parameters() -> None:
    analyzer = Scripted([(1, 1)] * 9, PARAMS)
    detector = VoiceDetector(analyzer, 8000)
    detector.feed(bytes(160 * 4 + 100))
    assert detector.is_speech
    resets = analyzer.resets
    detector.reset()
    assert (detector.state, analyzer.resets) == (VADState.QUIET, resets + 1)
    detector.feed(bytes(159))
    assert detector.state is VADState.QUIET  # of the 100 bytes nothing is left
    assert detector.params is PARAMS


def test_what_the_analyzer_raises_comes_out() -> None:
    detector = VoiceDetector(Scripted([], PARAMS), 8000)
    with pytest.raises(StopIteration):
        detector.feed(bytes(160))


def test_a_rate_that_the_analyzer_does_not_have_is_refused() -> None:
    class Eight(Loud):
        sample_rates = (8000, 16000)

    with pytest.raises(ValueError, match="Eight analyzes audio of 8000 or 16000 Hz, not of 24000"):
        VoiceDetector(Eight(), 24000)
    assert VoiceDetector(Eight(), 8000).analyzer.sample_rate == 8000


@pytest.mark.parametrize(
    ("level", "volume"), [(0, 0.0), (32767, 1.0), (3277, 0.8), (328, 0.6), (1, 0.0968)]
)
def test_volume_is_in_tenths_of_ten_decibels(level: int, volume: float) -> None:
    class Default(Loud):
        volume = Loud.__mro__[1].volume  # type: ignore[attr-defined]

    analyzer = Default()
    analyzer.prepare()
    analyzer.reset()
    assert analyzer.volume(tone(0.01, level=level)) == pytest.approx(volume, abs=0.001)


class Tens(Loud):
    """Has windows of 10 ms whatever the rate."""

    def num_frames_required(self) -> int:
        return self.sample_rate // 100


@given(
    st.lists(st.booleans(), max_size=40), st.integers(0, 40), st.permutations([8000, 16000, 44100])
)
def test_the_rate_does_not_matter(windows: list[bool], at: int, rates: list[int]) -> None:
    """The changes are those of one rate, wherever another detector follows at another rate."""
    found, detector = [], VoiceDetector(Tens(params=PARAMS), rates[0])
    for number, voiced in enumerate(windows):
        if number == at:
            before, detector = detector, VoiceDetector(detector.analyzer, rates[1])
            detector.follow(before)
        rate = detector.analyzer.sample_rate
        found += detector.feed((b"\1\1" if voiced else b"\0\0") * (rate // 100))
    whole = b"".join(tone(0.01, level=1000 * voiced) for voiced in windows)
    expected = VoiceDetector(Tens(params=PARAMS), 16000).feed(whole)
    assert [change.is_speech for change in found] == [change.is_speech for change in expected]
    lasted_s = [change.lasted_s for change in expected]
    assert [change.lasted_s for change in found] == pytest.approx(lasted_s, abs=1e-4)


@pytest.mark.parametrize("follows", [True, False])
def test_what_was_found_before_a_failure_comes_with_the_next_piece(follows: bool) -> None:
    script = [(1, 1)] * 3 + [("?", 1)] + [(1, 1)] * 3  # windows of 10 ms
    detector = VoiceDetector(Scripted(script, PARAMS), 8000)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        detector.feed(bytes(160 * 5))
    if follows:
        before, detector = detector, VoiceDetector(detector.analyzer, 8000)
        detector.follow(before)
    assert detector.feed(bytes(160)) == [VoiceChange(True, 0.03)]
    assert detector.feed(bytes(160)) == []


def test_reset_forgets_what_was_not_told() -> None:
    script = [(1, 1)] * 3 + [("?", 1)] + [(1, 1)]
    detector = VoiceDetector(Scripted(script, PARAMS), 8000)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        detector.feed(bytes(160 * 5))
    detector.reset()
    assert detector.feed(bytes(160)) == []


@pytest.mark.parametrize("frames", [160.0, 0, -1, None, "160"])
def test_a_length_of_windows_that_is_none_is_refused(frames: Any) -> None:
    class Odd(Loud):
        window_frames = frames

    with pytest.raises(ValueError, match=r"^Odd\.num_frames_required\(\) has to return an int of"):
        VoiceDetector(Odd(), 16000)
