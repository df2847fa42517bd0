"""`wsframes.audio.dtmf`."""

import math
from array import array

import pytest

from wsframes.audio.dtmf import dtmf_tone
from wsframes.audio.pcm import peak, remix, rms
from wsframes.frames.codec import DTMF_BUTTONS

KEYS = ["123A", "456B", "789C", "*0#D"]
LOW_HZ, HIGH_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def strength(samples: "array[int]", hz: float, rate: int) -> float:
    """How much of a frequency is in it (Goertzel)."""
    k = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = 0.0
    for sample in samples:
        a, b = sample + k * a - b, a
    return math.sqrt(max(0.0, a * a + b * b - k * a * b)) / len(samples)


@pytest.mark.parametrize("rate", [8000, 24000, 44100])
@pytest.mark.parametrize("button", DTMF_BUTTONS)
def test_each_key_is_its_two_frequencies_and_no_other(button: str, rate: int) -> None:
    audio = dtmf_tone(button, rate)
    samples = array("h", audio)[: rate // 10]
    (row,) = [n for n, keys in enumerate(KEYS) if button in keys]
    expected = {LOW_HZ[row], HIGH_HZ[KEYS[row].index(button)]}
    found = {hz: strength(samples, hz, rate) for hz in (*LOW_HZ, *HIGH_HZ)}
    loudest = sorted(found, key=lambda hz: found[hz])[-2:]
    assert set(loudest) == expected
    assert min(found[hz] for hz in expected) > 10 * max(
        found[hz] for hz in found if hz not in expected
    )


def test_it_lasts_160_ms_of_which_60_are_silent() -> None:
    audio = dtmf_tone("5", 16000)
    assert len(audio) == 2 * 2560
    assert audio[3200:] == bytes(1920)
    assert 0.2 < rms(audio[:3200]) < 0.4
    assert peak(audio) < 0.6
    assert peak(audio[:16]) < 0.06  # it does not begin with a click


def test_every_channel_has_the_tone() -> None:
    assert dtmf_tone("#", 8000, 2) == remix(dtmf_tone("#", 8000), 1, 2)


@pytest.mark.parametrize("button", ["E", "", "12", "a"])
def test_there_is_no_other_key(button: str) -> None:
    with pytest.raises(ValueError, match="not one of # "):
        dtmf_tone(button, 8000)


def test_a_rate_that_cannot_carry_it() -> None:
    with pytest.raises(ValueError, match="sample_rate is 3999"):
        dtmf_tone("1", 3999)
    assert dtmf_tone("D", 4000)
