"""The timers of a run: a heap of callbacks that one task runs when they are due."""

import heapq
import itertools
import math
from collections.abc import Callable

__all__ = ["Timer", "Timers"]


class Timer:
    """A callback to be run once. Setting `callback` to None by `cancel()` disarms it.

    Attributes:
        due_s: when; may be set to a later time.
    """

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
        heap = self._heap
        while heap:
            due_s, number, timer = heap[0]
            if timer.callback is None:
                heapq.heappop(heap)
            elif timer.due_s > due_s:  # it was put off
                heapq.heapreplace(heap, (timer.due_s, number, timer))
            else:
                return due_s
        return math.inf

    def run_due(self, now_s: float) -> None:
        """Run what is due, and not what these callbacks set for the same moment."""
        due = []
        while self.next_due_s() <= now_s:
            due.append(heapq.heappop(self._heap)[2])
        for timer in due:
            if timer.callback is not None:
                timer.callback()
