"""Whether there is room for one more session, by how late and how busy the event loop is.

An event loop that has too much to do runs everything late, and everybody's audio with it. So
somebody sleeps for a moment again and again, notes how late it wakes and how much the thread has
worked until then, and asks here before one more session is let in. A plain decision.

Lateness alone says it too late: it is small until the loop has no time left, and then it grows from
second to second for everybody who is in. What the thread has worked is seen to come; but where
other processes take the core away, it is lateness that shows.

What a session costs shows only a moment after it has begun. So however idle the loop is, no more
than an eighth of those that run, and four, are let in within a second.
"""

from collections import deque

__all__ = ["LOOK_S", "Overload"]

LOOK_S = 0.02
"""How long to sleep from one look to the next."""

_WINDOW_S = 1.0
_QUANTILE = 0.95
# Once it is too late, it has to get this much better.
_RELIEF = 0.5
_MAX_BUSY = 0.75
_LEAST_LOOKS = 10

_STEP_S = 1.0
_STEP_LEAST = 4
_STEP_SHARE = 8


class Overload:
    """How the loop has fared in the last second, and what follows from it.

    Args:
        max_lateness_s: while one look in twenty is later than this, there is no room; and then
            until it is less than half of it. Nor is there while the thread works for more than
            three quarters of the time.
    """

    __slots__ = ("_admitted_at_s", "_is_over", "_looks", "_max_lateness_s")

    def __init__(self, max_lateness_s: float) -> None:
        self._max_lateness_s = max_lateness_s
        self._looks: deque[tuple[float, float, float]] = deque()
        self._admitted_at_s: deque[float] = deque()
        self._is_over = False

    def note(self, late_s: float, now_s: float, cpu_s: float = 0.0) -> None:
        """Somebody who slept woke up so late, when the thread had worked for so long in all."""
        self._looks.append((now_s, late_s, cpu_s))
        self._forget(now_s)

    @property
    def lateness_s(self) -> float:
        """What 19 of 20 of the latest looks did not exceed; 0 where nobody has looked."""
        late_s = sorted(late_s for _, late_s, _ in self._looks)
        return late_s[int(len(late_s) * _QUANTILE)] if late_s else 0.0

    @property
    def busy(self) -> float:
        """The share of the time that the thread has worked; 0 where too few have looked."""
        if len(self._looks) < _LEAST_LOOKS:
            return 0.0
        first_s, _, first_cpu_s = self._looks[0]
        last_s, _, last_cpu_s = self._looks[-1]
        return (last_cpu_s - first_cpu_s) / (last_s - first_s)

    def admits(self, running: int, now_s: float) -> bool:
        """Let one more in, if there is room for it.

        Args:
            running: how many there are.
            now_s: the time.
        """
        limit_s = self._max_lateness_s * (_RELIEF if self._is_over else 1.0)
        self._forget(now_s)
        self._is_over = self.lateness_s > limit_s or self.busy > _MAX_BUSY
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
