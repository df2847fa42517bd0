"""`wsframes.turn.features`."""

import sys

import numpy as np
import pytest

from wsframes.exceptions import MissingExtraError
from wsframes.turn.features import SAMPLE_RATE, at_rate, log_mel


def sine(
    hz: float, rate: int, seconds: float = 1.0
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def test_shape_and_range() -> None:
    features = log_mel(sine(440, SAMPLE_RATE, 8.0))
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    assert features.max() - features.min() == pytest.approx(2.0)  # eight decades, over four
    assert features.max() > 1


@pytest.mark.parametrize("hz", [200, 440, 1000, 2500, 6000])
def test_a_tone_is_in_its_band(hz: float) -> None:
    loudest = int(log_mel(sine(hz, SAMPLE_RATE))[:, 10:-10].mean(axis=1).argmax())
    # The bands' middles, by the definition of Slaney's scale.
    mel = np.linspace(0, 15 + np.log(8) / (np.log(6.4) / 27), 82)[1:-1]
    middles = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))
    assert abs(loudest - int(np.abs(middles - hz).argmin())) <= 1


def test_loudness_does_not_matter() -> None:
    tone = sine(300, SAMPLE_RATE)
    assert np.allclose(log_mel(tone), log_mel(tone * 0.1), atol=0.01)


def test_silence_is_no_trouble() -> None:
    assert np.isfinite(log_mel(np.zeros(16000, np.float32))).all()


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 24000, 44100, 48000])
def test_another_rate_is_the_same_tone(rate: int) -> None:
    resampled = at_rate(sine(440, rate), rate)
    assert abs(len(resampled) - SAMPLE_RATE) <= 1
    expected = sine(440, SAMPLE_RATE)[: len(resampled)]
    assert np.abs(resampled[800:-800] - expected[800:-800]).max() < 0.01


def test_nothing_at_another_rate() -> None:
    assert len(at_rate(np.zeros(0, np.float32), 8000)) == 0


def test_what_is_above_the_new_band_is_gone() -> None:
    assert np.abs(at_rate(sine(12000, 48000), 48000)).max() < 0.01


def test_without_numpy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "wsframes.turn.features")
    with pytest.raises(MissingExtraError, match=r'numpy.*pip install "wsframes\[turn\]"'):
        import wsframes.turn.features  # noqa: F401
