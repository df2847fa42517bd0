"""Whether there is room for one more session, by how late the event loop runs. A plain decision.

An event loop that has too much to do runs everything late, and everybody's audio with it. So
somebody sleeps for a moment again and again, notes how late it wakes, and asks here before one more
session is let in.

What a session costs shows only a moment after it has begun. So however early the loop runs, at most
a quarter more than there are, and never less than eight, are let in within a second.
"""

from collections import deque

__all__ = ["LOOK_S", "Overload"]

LOOK_S = 0.02
"""How long to sleep from one look to the next."""

_WINDOW_S = 2.0
_QUANTILE = 0.95
# Once it is too late, it has to get this much better.
_RELIEF = 0.5

_STEP_S = 1.0
_STEP_LEAST = 8
_STEP_SHARE = 4


class Overload:
    """How late the loop has run in the last two seconds, and what follows from it.

    Args:
        max_lateness_s: while one look in twenty is later than this, there is no room; and then
            until it is less than half of it.
    """

    __slots__ = ("_admitted_at_s", "_is_over", "_looks", "_max_lateness_s")

    def __init__(self, max_lateness_s: float) -> None:
        self._max_lateness_s = max_lateness_s
        self._looks: deque[tuple[float, float]] = deque()
        self._admitted_at_s: deque[float] = deque()
        self._is_over = False

    def note(self, late_s: float, now_s: float) -> None:
        """Somebody who slept woke up so late."""
        self._looks.append((now_s, late_s))
        self._forget(now_s)

    @property
    def lateness_s(self) -> float:
        """What 19 of 20 of the latest looks did not exceed; 0 where nobody has looked."""
        late_s = sorted(late_s for _, late_s in self._looks)
        return late_s[int(len(late_s) * _QUANTILE)] if late_s else 0.0

    def admits(self, running: int, now_s: float) -> bool:
        """Let one more in, if there is room for it.

        Args:
            running: how many there are.
            now_s: the time.
        """
        limit_s = self._max_lateness_s * (_RELIEF if self._is_over else 1.0)
        self._forget(now_s)
        self._is_over = self.lateness_s > limit_s
        admitted = self._admitted_at_s
        while admitted and admitted[0] <= now_s - _STEP_S:
            admitted.popleft()
        if self._is_over or len(admitted) >= max(_STEP_LEAST, running // _STEP_SHARE):
            return False
        admitted.append(now_s)
        return True

    def _forget(self, now_s: float) -> None:
        looks = self._looks
        while looks and looks[0][0] <= now_s - _WINDOW_S:
            looks.popleft()
