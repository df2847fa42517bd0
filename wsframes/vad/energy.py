"""Voice by loudness alone: what is clearly louder than the noise of the last seconds.

It takes any sound for a voice that comes and goes as one. Where that is not good enough, there is
`wsframes.vad.silero`.
"""

import math
from collections import deque
from typing import ClassVar

from wsframes.exceptions import MissingExtraError
from wsframes.vad.analyzer import VADAnalyzer, volume_of_rms
from wsframes.vad.params import VADParams

try:
    import numpy as np
except ImportError as exc:
    raise MissingExtraError("numpy", "audio") from exc

__all__ = ["EnergyVADAnalyzer"]

_WINDOWS_PER_S = 50
_FULL_SCALE = 32768.0

# The noise is taken to be as loud as the softest of the last moments: down with the sound at half
# its distance each window, up at 3 dB a second, which is slower than anybody pauses for breath.
_FLOOR_DB = -50.0
_LOWEST_DB = -100.0
_FALL = 0.5
_RISE_DB = 3.0 / _WINDOWS_PER_S

# So far above the noise: no confidence, and all of it.
_NONE_DB = 3.0
_ALL_DB = 13.0

# The stops within a word ("p", "t") are as quiet as its end: a sound counts for 140 ms.
_HELD_WINDOWS = 7


class EnergyVADAnalyzer(VADAnalyzer):
    """Compares the loudness of each 20 ms with a floor of noise that it follows. About 6 us each.

    Args:
        params: what a voice has to be.

    Raises:
        MissingExtraError: on import of this module, where numpy is not installed.
    """

    runs_inline: ClassVar[bool] = True

    def __init__(self, *, params: VADParams | None = None) -> None:
        super().__init__(params=params)
        self._floor_db = _FLOOR_DB
        self._confidence: deque[float] = deque(maxlen=_HELD_WINDOWS)
        self._rms: deque[float] = deque(maxlen=_HELD_WINDOWS)

    def num_frames_required(self) -> int:
        return self.sample_rate // _WINDOWS_PER_S

    def voice_confidence(self, buffer: bytes) -> float:
        samples = np.frombuffer(buffer, "<i2").astype(np.float32)
        level = math.sqrt(float(samples @ samples) / len(samples)) / _FULL_SCALE
        level_db = max(_LOWEST_DB, 20 * math.log10(level)) if level else _LOWEST_DB
        if level_db < self._floor_db:
            self._floor_db += _FALL * (level_db - self._floor_db)
        else:
            self._floor_db = min(level_db, self._floor_db + _RISE_DB)
        above_db = level_db - self._floor_db
        self._rms.append(level)
        self._confidence.append((above_db - _NONE_DB) / (_ALL_DB - _NONE_DB))
        return min(1.0, max(0.0, *self._confidence))

    def volume(self, buffer: bytes) -> float:
        # It is asked for a window right after its confidence.
        return volume_of_rms(max(self._rms, default=0.0))

    def reset(self) -> None:
        self._floor_db = _FLOOR_DB
        self._confidence.clear()
        self._rms.clear()
