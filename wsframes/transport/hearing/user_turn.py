"""The user's turn: what voice, silence and verdicts make of it, as a table.

    IDLE        it is not the user's turn
    EMULATED    it is, since somebody said so; nobody is heard
    SPEAKING    it is, and the user is heard
    PAUSING     the user is no longer heard; whether the turn is over is yet to be said
    DISMISSED   the user is heard, but somebody ended the turn

Every turn that is told to begin is told to end, and every voice too.
"""

from enum import Enum, auto

__all__ = ["Act", "Signal", "TurnState", "UserTurn"]


class TurnState(Enum):
    """Whose turn it is."""

    IDLE = auto()
    EMULATED = auto()
    SPEAKING = auto()
    PAUSING = auto()
    DISMISSED = auto()


class Signal(Enum):
    """What happens."""

    VOICE = auto()
    """The user is heard."""
    SILENCE = auto()
    """The user is no longer heard."""
    COMPLETE = auto()
    """The analyzer says that the turn is over."""
    LOST = auto()
    """Nothing has been heard, or said of the turn, for too long; or there is no more to be."""
    EMULATED_START = auto()
    EMULATED_STOP = auto()


class Act(Enum):
    """What is to be told."""

    VOICE_STARTED = auto()
    VOICE_STOPPED = auto()
    TURN_STARTED = auto()
    INTERRUPT = auto()
    ASK = auto()
    """Ask the analyzer whether the turn is over."""
    TURN_STOPPED = auto()


IDLE, EMULATED, SPEAKING, PAUSING, DISMISSED = TurnState
VOICE, SILENCE, COMPLETE, LOST, EMULATED_START, EMULATED_STOP = Signal
_BEGIN = (Act.TURN_STARTED, Act.INTERRUPT)

_TABLE: dict[tuple[TurnState, Signal], tuple[TurnState, tuple[Act, ...]]] = {
    (IDLE, VOICE): (SPEAKING, (Act.VOICE_STARTED, *_BEGIN)),
    (IDLE, EMULATED_START): (EMULATED, _BEGIN),
    (EMULATED, VOICE): (SPEAKING, (Act.VOICE_STARTED,)),
    (EMULATED, EMULATED_STOP): (IDLE, (Act.TURN_STOPPED,)),
    (EMULATED, LOST): (IDLE, (Act.TURN_STOPPED,)),
    (SPEAKING, SILENCE): (PAUSING, (Act.VOICE_STOPPED, Act.ASK)),
    (SPEAKING, EMULATED_STOP): (DISMISSED, (Act.TURN_STOPPED,)),
    (SPEAKING, LOST): (IDLE, (Act.VOICE_STOPPED, Act.TURN_STOPPED)),
    (PAUSING, VOICE): (SPEAKING, (Act.VOICE_STARTED,)),
    (PAUSING, COMPLETE): (IDLE, (Act.TURN_STOPPED,)),
    (PAUSING, EMULATED_STOP): (IDLE, (Act.TURN_STOPPED,)),
    (PAUSING, LOST): (IDLE, (Act.TURN_STOPPED,)),
    (DISMISSED, SILENCE): (IDLE, (Act.VOICE_STOPPED,)),
    (DISMISSED, LOST): (IDLE, (Act.VOICE_STOPPED,)),
    (DISMISSED, EMULATED_START): (SPEAKING, _BEGIN),
}


class UserTurn:
    """Follows the signals; what has no meaning in a state changes nothing.

    Attributes:
        state: the present one.
        number: of the turns that have ended.
    """

    __slots__ = ("number", "state")

    def __init__(self) -> None:
        self.state = IDLE
        self.number = 0

    def take(self, signal: Signal) -> tuple[Act, ...]:
        """Take a signal; what is to be told because of it, in order."""
        self.state, acts = _TABLE.get((self.state, signal), (self.state, ()))
        if Act.TURN_STOPPED in acts:
            self.number += 1
        return acts
