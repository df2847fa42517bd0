"""Mu-law, in which telephones speak (ITU-T G.711): a byte for each 16-bit sample.

A sample has a sign and a size on eight scales, each twice as coarse as the one before, with sixteen
marks on each: so the error grows with the sound, and to code and to decode is to look up.

Pure, and of the standard library alone. It decodes 20 ms of audio in about a microsecond, and codes
it in about ten; where numpy (extra `audio`) is in use anyway, it codes with that, in about one.
"""

import sys
from array import array
from collections.abc import Callable
from functools import cache
from operator import itemgetter

__all__ = ["mulaw_to_pcm", "pcm_to_mulaw"]

# Added to each size, so that every scale begins at a power of two.
_BIAS = 132
_SCALES, _MARKS = 8, 16
_LARGEST = 32767
_BIG_ENDIAN = sys.byteorder == "big"


def _size(code: int) -> int:
    """Of a positive sample."""
    scale, mark = divmod(0xFF - code, _MARKS)
    return ((2 * (_MARKS + mark) + 1) << (scale + 2)) - _BIAS


# The codes of sounds go down from 0xFF for silence; those of negative samples are 0x80 lower.
_POSITIVE = [_size(code) for code in range(0x80, 0x100)]
_SAMPLES = [
    sample.to_bytes(2, "little", signed=True)
    for sample in (*(-size for size in _POSITIVE), *_POSITIVE)
]
_LOW = bytes(sample[0] for sample in _SAMPLES)
_HIGH = bytes(sample[1] for sample in _SAMPLES)


def _codes() -> bytes:
    """The code of each sample, by the sample as an unsigned number."""
    positive = bytearray()
    for scale in range(_SCALES):
        for mark in range(_MARKS):
            until = ((_MARKS + mark + 1) << (scale + 3)) - _BIAS
            code = bytes([0xFF - scale * _MARKS - mark])
            positive += code * (until - len(positive))
    # What is larger than the last mark is as loud as can be.
    positive += positive[-1:] * (_LARGEST + 1 - len(positive))
    negative = bytes(code - 0x80 for code in (*positive[1:], positive[-1]))
    return bytes(positive) + negative[::-1]


_CODES = _codes()


def mulaw_to_pcm(coded: bytes) -> bytes:
    """Mu-law as signed 16-bit little-endian PCM: two bytes for each."""
    audio = bytearray(2 * len(coded))
    audio[::2] = coded.translate(_LOW)
    audio[1::2] = coded.translate(_HIGH)
    return bytes(audio)


def pcm_to_mulaw(audio: bytes) -> bytes:
    """Signed 16-bit little-endian PCM as mu-law: a byte for each two.

    What is louder than mu-law can say is as loud as it can.

    Raises:
        ValueError: half a sample is at the end.
    """
    if len(audio) % 2:
        raise ValueError(f"{len(audio)} bytes of audio, which is no number of 16-bit samples")
    # Not imported for this alone: it takes longer than an hour of calls would save.
    if "numpy" in sys.modules:
        return _look_up_with_numpy()(audio)
    return _look_up(audio)


def _look_up(audio: bytes) -> bytes:
    samples = array("H", audio)
    if _BIG_ENDIAN:
        samples.byteswap()
    # One call for all of them takes two thirds of what a call for each does.
    return bytes(itemgetter(*samples, 0, 0)(_CODES)[:-2])


@cache
def _look_up_with_numpy() -> Callable[[bytes], bytes]:
    import numpy as np

    codes = np.frombuffer(_CODES, np.uint8)
    of_samples = np.dtype("<u2")

    def look_up(audio: bytes) -> bytes:
        # No index is out of range, and "clip" is the mode that takes no time to look.
        return codes.take(np.frombuffer(audio, of_samples), mode="clip").tobytes()

    return look_up
