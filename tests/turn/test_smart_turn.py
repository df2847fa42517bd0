"""`wsframes.turn.smart_turn`, with a model that says how much there is to be heard."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.turn.tiny_model import mean_model
from wsframes.exceptions import MissingExtraError, UsageError
from wsframes.turn import EndOfTurnState, TurnParams
from wsframes.turn.smart_turn import SmartTurnAnalyzer

COMPLETE, INCOMPLETE = EndOfTurnState.COMPLETE, EndOfTurnState.INCOMPLETE


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    path = tmp_path / "mean.onnx"
    path.write_bytes(mean_model())
    return path


def noise(seconds: float, rate: int = 16000) -> bytes:
    rng = np.random.default_rng(7)
    return (rng.normal(0, 3000, round(seconds * rate)).astype("<i2")).tobytes()


def test_it_asks_the_model_about_the_turn(model_path: Path) -> None:
    analyzer = SmartTurnAnalyzer(model_path=model_path)
    analyzer.prepare()
    assert analyzer.probability is None
    assert analyzer.append_audio(noise(0.5), True) is INCOMPLETE
    assert analyzer.analyze_end_of_turn() is INCOMPLETE
    little = analyzer.probability
    analyzer.append_audio(noise(7.5), True)
    assert analyzer.analyze_end_of_turn() is COMPLETE
    assert little is not None
    assert analyzer.probability is not None
    assert little < 0.5 <= analyzer.probability


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_other_rates_are_heard_alike(model_path: Path, rate: int) -> None:
    analyzer = SmartTurnAnalyzer(model_path=model_path, threshold=0.01)
    analyzer.set_sample_rate(rate)
    analyzer.append_audio(noise(8, rate), True)
    analyzer.analyze_end_of_turn()
    assert analyzer.probability == pytest.approx(1.0, abs=0.75)


def test_the_pre_roll_is_heard_with_what_the_vad_took(model_path: Path) -> None:
    analyzer = SmartTurnAnalyzer(model_path=model_path, params=TurnParams(pre_speech_ms=1000))
    heard = []
    for vad_start_secs in (0.0, 0.5):
        analyzer.clear()
        analyzer.vad_start_secs = vad_start_secs
        for _ in range(50):
            analyzer.append_audio(noise(0.1), False)
        analyzer.append_audio(noise(0.1), True)
        heard.append(len(analyzer._segment.audio(10**6)) / 32000)
    assert heard == pytest.approx([1.1, 1.6])


def test_of_a_long_turn_the_end_is_heard(model_path: Path) -> None:
    params = TurnParams(max_duration_secs=2)
    analyzer = SmartTurnAnalyzer(model_path=model_path, params=params)
    for _ in range(10):
        analyzer.append_audio(noise(1), True)
    assert analyzer.analyze_end_of_turn() is INCOMPLETE  # two seconds, and six of nothing


def test_a_long_silence_ends_the_turn_without_the_model(model_path: Path) -> None:
    analyzer = SmartTurnAnalyzer(model_path=model_path, params=TurnParams(stop_secs=2))
    assert analyzer.append_audio(bytes(128000), False) is INCOMPLETE
    analyzer.append_audio(noise(1), True)
    assert analyzer.append_audio(bytes(63998), False) is INCOMPLETE
    assert analyzer.append_audio(bytes(2), False) is COMPLETE
    analyzer.clear()
    assert analyzer.append_audio(bytes(2), False) is INCOMPLETE


def test_sessions_that_begin_at_once_load_one_model(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = onnxruntime.InferenceSession

    def slowly(*args: Any, **options: Any) -> Any:
        time.sleep(0.05)
        loaded.append(load(*args, **options))
        return loaded[-1]

    monkeypatch.setattr(onnxruntime, "InferenceSession", slowly)
    analyzers = [SmartTurnAnalyzer(model_path=model_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda analyzer: analyzer.prepare(), analyzers))
    assert len(loaded) == 1


def test_a_path_that_leads_nowhere() -> None:
    with pytest.raises(UsageError, match="model_path: there is no file 'nowhere.onnx'"):
        SmartTurnAnalyzer(model_path="nowhere.onnx")


def test_without_onnxruntime_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "wsframes.turn.smart_turn")
    with pytest.raises(MissingExtraError, match=r'onnxruntime.*pip install "wsframes\[turn\]"'):
        import wsframes.turn.smart_turn  # noqa: F401
