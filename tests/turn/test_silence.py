"""`wsframes.turn.silence`, `analyzer` and `params`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wsframes.turn import EndOfTurnState, SilenceTurnAnalyzer, TurnParams

COMPLETE, INCOMPLETE = EndOfTurnState.COMPLETE, EndOfTurnState.INCOMPLETE
SPEECH, SILENCE = True, False


def analyzer_of(stop_secs: float, rate: int = 16000) -> SilenceTurnAnalyzer:
    analyzer = SilenceTurnAnalyzer(params=TurnParams(stop_secs=stop_secs))
    analyzer.prepare()
    analyzer.set_sample_rate(rate)
    return analyzer


def seconds(length_s: float, rate: int = 16000) -> bytes:
    return bytes(2 * round(length_s * rate))


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_silence_after_speech_ends_the_turn(rate: int) -> None:
    analyzer = analyzer_of(1.0, rate)
    assert analyzer.append_audio(seconds(9, rate), SILENCE) is INCOMPLETE
    assert analyzer.append_audio(seconds(1, rate), SPEECH) is INCOMPLETE
    assert analyzer.append_audio(seconds(0.5, rate), SILENCE) is INCOMPLETE
    assert analyzer.append_audio(seconds(1, rate), SPEECH) is INCOMPLETE
    assert analyzer.append_audio(seconds(0.9, rate), SILENCE) is INCOMPLETE
    assert analyzer.analyze_end_of_turn() is INCOMPLETE
    assert analyzer.append_audio(seconds(0.1, rate), SILENCE) is COMPLETE
    assert analyzer.analyze_end_of_turn() is COMPLETE


def test_clear_and_a_new_rate_begin_anew() -> None:
    analyzer = analyzer_of(1.0)
    for begin_anew in (analyzer.clear, lambda: analyzer.set_sample_rate(8000)):
        analyzer.append_audio(seconds(1), SPEECH)
        begin_anew()
        assert analyzer.append_audio(seconds(5), SILENCE) is INCOMPLETE


def test_by_default_it_waits_longer_than_the_vad() -> None:
    assert SilenceTurnAnalyzer().params.stop_secs == 1.5


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30000)), max_size=30))
def test_only_the_last_silence_counts(pieces: list[tuple[bool, int]]) -> None:
    """Complete if and only if the frames since the last speech are enough, and there was some."""
    analyzer = analyzer_of(1.0)
    silence = None
    for is_speech, frames in pieces:
        state = analyzer.append_audio(bytes(2 * frames), is_speech)
        silence = 0 if is_speech else None if silence is None else silence + frames
        assert (state is COMPLETE) is (silence is not None and silence >= 16000)


@pytest.mark.parametrize(
    ("name", "value"),
    [("stop_secs", 0), ("pre_speech_ms", -1), ("max_duration_secs", 61), ("threshold", 1)],
)
def test_a_wrong_value_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        TurnParams(**{name: value})
