"""Analyzers that say what they are told to."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from wsframes.vad import VADAnalyzer, VADParams

__all__ = ["Loud", "Scripted", "tone"]


class Loud(VADAnalyzer):
    """Takes every window whose first sample is not 0 for a voice."""

    runs_inline: ClassVar[bool] = True
    window_frames: ClassVar[int] = 160

    def num_frames_required(self) -> int:
        return self.window_frames

    def voice_confidence(self, buffer: bytes) -> float:
        return 1.0 if buffer[:2] != b"\0\0" else 0.0

    def volume(self, buffer: bytes) -> float:
        return 1.0


class Scripted(VADAnalyzer):
    """Has a list of confidences and volumes, one for each window."""

    def __init__(self, script: Iterable[tuple[float, float]], params: VADParams) -> None:
        super().__init__(params=params)
        self._script: Iterator[tuple[float, float]] = iter(script)
        self._volume = 0.0
        self.resets = 0

    def num_frames_required(self) -> int:
        return 80

    def voice_confidence(self, buffer: bytes) -> float:
        confidence, self._volume = next(self._script)
        return confidence

    def volume(self, buffer: bytes) -> float:
        return self._volume

    def reset(self) -> None:
        self.resets += 1


def tone(seconds: float, rate: int = 16000, level: int = 8000) -> bytes:
    """A square wave, which is not 0 anywhere; level 0 is silence."""
    period = level.to_bytes(2, "little", signed=True) + (-level).to_bytes(2, "little", signed=True)
    return period * (round(seconds * rate) // 2)
