"""A turn that ends with a silence of some length."""

from typing import ClassVar

from wsframes.audio.pcm import SAMPLE_BYTES
from wsframes.turn.analyzer import BaseTurnAnalyzer, EndOfTurnState
from wsframes.turn.params import TurnParams

__all__ = ["SilenceCount", "SilenceTurnAnalyzer"]

_STOP_SECS = 1.5


class SilenceCount:
    """Counts the silence that follows speech, in frames.

    Attributes:
        heard: whether there has been speech.
        frames: of silence since.
    """

    __slots__ = ("frames", "heard")

    def __init__(self) -> None:
        self.heard = False
        self.frames = 0

    def add(self, frames: int, is_speech: bool) -> None:
        """Take a piece of audio."""
        if is_speech:
            self.heard = True
            self.frames = 0
        elif self.heard:
            self.frames += frames

    def clear(self) -> None:
        """Begin anew."""
        self.heard = False
        self.frames = 0


class SilenceTurnAnalyzer(BaseTurnAnalyzer):
    """The turn is over when the user has been silent for `params.stop_secs`; 1.5 by default.

    Args:
        params: only `stop_secs` matters.
    """

    runs_inline: ClassVar[bool] = True

    def __init__(self, *, params: TurnParams | None = None) -> None:
        super().__init__(params=params if params is not None else TurnParams(stop_secs=_STOP_SECS))
        self._silence = SilenceCount()

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        self._silence.add(len(buffer) // SAMPLE_BYTES, is_speech)
        return self.analyze_end_of_turn()

    def analyze_end_of_turn(self) -> EndOfTurnState:
        if self._silence.frames >= self.params.stop_secs * self.sample_rate:
            return EndOfTurnState.COMPLETE
        return EndOfTurnState.INCOMPLETE

    def clear(self) -> None:
        self._silence.clear()
