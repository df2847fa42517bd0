"""What decides that the user's turn is over."""

from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import Any, ClassVar

from wsframes.turn.params import TurnParams

__all__ = ["BaseTurnAnalyzer", "EndOfTurnState"]


class EndOfTurnState(Enum):
    """A verdict on the turn so far."""

    COMPLETE = auto()
    """It is over."""
    INCOMPLETE = auto()
    """The user only pauses."""


class BaseTurnAnalyzer(ABC):
    """Hears all audio, and is asked whenever the voice has stopped whether the turn is over.

    It is a part of one session at a time, and no two of its methods are called at once. While
    `analyze_end_of_turn` is at work, audio waits outside; what it returns is ignored if the user
    has gone on speaking meanwhile.

    Args:
        params: what a turn is.

    Attributes:
        params: as given.
        sample_rate: Hz of the audio.
        vad_start_secs: so long a voice had been there before `append_audio` was told of it. Changes
            with the parameters of the VAD.
    """

    runs_inline: ClassVar[bool] = False
    """True: `analyze_end_of_turn` is called on the event loop, for it takes far less than a
    millisecond. Otherwise a worker thread does it, or, where it is `async def`, a task."""

    def __init__(self, *, params: TurnParams | None = None) -> None:
        self.params = params if params is not None else TurnParams()
        self.sample_rate = 16000
        self.vad_start_secs = 0.0

    def prepare(self) -> None:  # noqa: B027  (most have nothing to do)
        """Load what takes long. Called in a worker thread, before the first audio."""

    def set_sample_rate(self, sample_rate: int) -> None:
        """The rate of what comes next, which begins a new stream.

        Raises:
            ValueError: it cannot analyze that.
        """
        self.sample_rate = sample_rate
        self.clear()

    @abstractmethod
    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        """Take the next piece. Called on the event loop: it must be quick.

        Args:
            buffer: mono PCM, of any length.
            is_speech: whether there is voice in it.

        Returns:
            COMPLETE to end the turn now, if one has begun.
        """

    @abstractmethod
    def analyze_end_of_turn(self) -> Any:
        """The voice has stopped: COMPLETE, INCOMPLETE, or, of an `async def`, either in the end.

        Whatever it raises, or returns besides, and nothing for long, counts as INCOMPLETE.
        """

    @abstractmethod
    def clear(self) -> None:
        """A turn is over, whoever ended it: forget it."""
