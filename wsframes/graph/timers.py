"""The timers of a run: a heap of callbacks that one task runs when they are due."""

import heapq
import itertools
import math
from collections.abc import Callable

__all__ = ["Timer", "Timers"]


class Timer:
    """A callback to be run once. Setting `callback` to None by `cancel()` disarms it."""

    __slots__ = ("callback", "due_s")

    def __init__(self, due_s: float, callback: Callable[[], None]) -> None:
        self.due_s = due_s
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Timers:
    """Callbacks by time; those due at the same time run in the order in which they were set."""

    __slots__ = ("_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._number = itertools.count()

    def call_at(self, due_s: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(due_s, callback)
        heapq.heappush(self._heap, (due_s, next(self._number), timer))
        return timer

    def next_due_s(self) -> float:
        """When the next callback is due; infinity when none is set."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def run_due(self, now_s: float) -> None:
        """Run what is due, and not what these callbacks set for the same moment."""
        due = []
        while self.next_due_s() <= now_s:
            due.append(heapq.heappop(self._heap)[2])
        for timer in due:
            if timer.callback is not None:
                timer.callback()
