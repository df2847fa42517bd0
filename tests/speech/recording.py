"""Three phrases with noise between them, and where they are."""

import wave
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PHRASES_S", "RATE", "TOLERANCE_S", "check_phrases", "phrases_pcm"]

RATE = 8000

PHRASES_S = ((1.21, 3.00), (4.60, 6.50), (8.41, 9.98))
"""Begin and end of each, marked by hand in a plot of the waveform."""

TOLERANCE_S = 0.2


def phrases_pcm() -> bytes:
    """The samples: mono, at `RATE`."""
    with wave.open(str(Path(__file__).parent / "three_phrases.wav")) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (RATE, 1, 2)
        pcm: bytes = wav.readframes(wav.getnframes())
    return pcm


def check_phrases(found: Sequence[tuple[bool, float]]) -> None:
    """Compare what was found, as (is it a start, when in s), with the marks."""
    marks = [
        (is_start, at_s)
        for phrase in PHRASES_S
        for is_start, at_s in zip((True, False), phrase, strict=True)
    ]
    assert [is_start for is_start, _ in found] == [is_start for is_start, _ in marks], found
    for (_, at_s), (_, marked_s) in zip(found, marks, strict=True):
        assert abs(at_s - marked_s) <= TOLERANCE_S, (found, marks)
