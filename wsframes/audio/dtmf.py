"""The tones of a telephone's keys (ITU-T Q.23), made and not recorded.

Pure, and of the standard library alone. PCM is signed 16-bit little-endian, interleaved.
"""

import math
from functools import lru_cache
from itertools import product

from wsframes.audio.pcm import remix, silence

__all__ = ["dtmf_tone"]

_LOW_HZ = (697, 770, 852, 941)
_HIGH_HZ = (1209, 1336, 1477, 1633)
_TONES = dict(zip("123A456B789C*0#D", product(_LOW_HZ, _HIGH_HZ), strict=True))

# Q.24 has receivers that need 40 ms of each; people press for about 100.
_TONE_S = 0.1
_PAUSE_S = 0.06
_RAMP_S = 0.005  # no click where it begins and ends

# Of full scale, so that both together stay well below it. The high one is 2 dB louder, since lines
# take more of it away.
_LOW = 0.25
_HIGH = 0.315
_FULL_SCALE = 32767


@lru_cache(maxsize=64)
def dtmf_tone(button: str, sample_rate: int, num_channels: int = 1) -> bytes:
    """The tone of a key for 100 ms, and 60 ms of silence.

    Args:
        button: one of `0123456789*#ABCD`.
        sample_rate: Hz; 4,000 or more.
        num_channels: each has the same.

    Raises:
        ValueError: there is no such key, or the rate cannot carry the tones.
    """
    if button not in _TONES:
        raise ValueError(f"button is {button!r}, and not one of {' '.join(sorted(_TONES))}")
    if sample_rate < 4000:
        raise ValueError(f"sample_rate is {sample_rate}, and 4000 Hz are the least for these tones")
    low, high = (2 * math.pi * hz / sample_rate for hz in _TONES[button])
    frames = round(_TONE_S * sample_rate)
    ramp = round(_RAMP_S * sample_rate)
    samples = (
        round(
            _FULL_SCALE
            * min(1.0, n / ramp, (frames - n) / ramp)
            * (_LOW * math.sin(low * n) + _HIGH * math.sin(high * n))
        )
        for n in range(frames)
    )
    tone = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    audio = tone + silence(round(_PAUSE_S * sample_rate), 1)
    return remix(audio, 1, num_channels)
