"""What the peer says about how far it has played one destination. It knows no socket and no clock.

SILENT    nothing was said since the last mark was answered, or nobody waits for the answer
DUE       something was said, and no mark has followed it
AWAITED   a mark has followed what was said, and has not been answered
"""

import itertools
from enum import Enum, auto

from wsframes.frames import OutputMarkFrame

__all__ = ["Marks"]

# How long after the peer should have played all of it an answer is waited for.
_GRACE_S = 1.0

_number = itertools.count(1).__next__


class _State(Enum):
    SILENT = auto()
    DUE = auto()
    AWAITED = auto()


class Marks:
    """The latest mark of a destination.

    A peer that leaves one unanswered is not waited for again before it answers one.

    Args:
        destination: where the marks go.
    """

    __slots__ = ("_answers", "_destination", "_name", "_state", "_until_s")

    def __init__(self, destination: str | None) -> None:
        self._destination = destination
        self._state = _State.SILENT
        self._name = ""
        self._until_s = 0.0
        self._answers = True

    @property
    def is_due(self) -> bool:
        """Whether something was said since the last mark."""
        return self._state is _State.DUE

    def said(self) -> None:
        """Something has gone out."""
        self._state = _State.DUE

    def next(self, played_s: float) -> OutputMarkFrame:
        """The mark to be sent behind all that was said.

        Args:
            played_s: when the peer should have played all of it.
        """
        self._state = _State.AWAITED
        self._name = f"bot:{_number()}"
        self._until_s = played_s + _GRACE_S
        return OutputMarkFrame(self._name, transport_destination=self._destination)

    def awaited_until_s(self, now_s: float) -> float | None:
        """Until when an answer is to be waited for; None if it is not."""
        if self._state is _State.AWAITED and now_s >= self._until_s:
            self._state = _State.SILENT
            self._answers = False
        return self._until_s if self._state is _State.AWAITED and self._answers else None

    def answered(self, name: str) -> bool:
        """The peer has played up to a mark; says whether that is all that was said."""
        if name != self._name:
            return False
        self._answers = True
        was, self._state = self._state, _State.SILENT
        if was is _State.DUE:
            self._state = was  # more has been said meanwhile
        return was is _State.AWAITED

    def clear(self) -> None:
        """What was said is not played any more."""
        self._state = _State.SILENT
        self._name = ""
