"""`wsframes.vad.energy`."""

import random
import sys

import pytest

from tests.speech.recording import RATE, check_phrases, phrases_pcm
from tests.vad.parts import tone
from wsframes.exceptions import MissingExtraError
from wsframes.vad import VADParams, VoiceDetector
from wsframes.vad.energy import EnergyVADAnalyzer


def found_in(detector: VoiceDetector, audio: bytes, rate: int) -> list[tuple[bool, float]]:
    """What is found, and when in s."""
    step = rate // 50 * 2
    return [
        (change.is_speech, (at + step) / 2 / rate - change.lasted_s)
        for at in range(0, len(audio), step)
        for change in detector.feed(audio[at : at + step])
    ]


def test_three_phrases_in_noise() -> None:
    check_phrases(found_in(VoiceDetector(EnergyVADAnalyzer(), RATE), phrases_pcm(), RATE))


def test_silence_and_steady_noise_are_no_voice() -> None:
    rng = random.Random(1)
    noise = b"".join(
        round(rng.gauss(0, 700)).to_bytes(2, "little", signed=True) for _ in range(16000)
    )
    detector = VoiceDetector(EnergyVADAnalyzer(params=VADParams(start_secs=0.5)), 16000)
    assert found_in(detector, bytes(32000) + noise + bytes(32000), 16000)[:1] != []
    # It is as loud as speech, so it is taken for it when it begins; and then it stays.
    detector = VoiceDetector(EnergyVADAnalyzer(params=VADParams(stop_secs=0.2)), 16000)
    assert [is_speech for is_speech, _ in found_in(detector, noise * 20, 16000)] == [True, False]


def test_the_floor_follows_the_noise_down_at_once() -> None:
    analyzer = EnergyVADAnalyzer()
    window = tone(0.02, level=40)
    for _ in range(50):
        analyzer.voice_confidence(bytes(640))
    assert analyzer.voice_confidence(window) == 1.0


def test_reset_forgets_noise_and_voice() -> None:
    analyzer = EnergyVADAnalyzer()
    voice = tone(0.02)
    assert analyzer.volume(voice) == 0.0
    first = analyzer.voice_confidence(voice)
    assert analyzer.volume(voice) > 0.8
    analyzer.reset()
    assert analyzer.volume(voice) == 0.0
    assert analyzer.voice_confidence(bytes(640)) == 0.0
    analyzer.reset()
    assert analyzer.voice_confidence(voice) == first


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_any_rate(rate: int) -> None:
    detector = VoiceDetector(EnergyVADAnalyzer(), rate)
    audio = bytes(2 * rate) + tone(1, rate) + bytes(4 * rate)
    start, stop = found_in(detector, audio, rate)
    assert (start[0], stop[0]) == (True, False)
    assert start[1] == pytest.approx(1.0, abs=0.05)
    assert stop[1] == pytest.approx(2.14, abs=0.05)


def test_without_numpy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "wsframes.vad.energy")
    with pytest.raises(MissingExtraError, match=r'pip install "wsframes\[audio\]"'):
        import wsframes.vad.energy  # noqa: F401
