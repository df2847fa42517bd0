"""Watches an end on its way through the graph, so that it cannot hang."""

import math
from collections.abc import Callable

__all__ = ["Drain"]


class Drain:
    """Where the end is, and when something last moved there.

    An end may take as long as it likes while something moves: the frames before it are processed,
    audio is played out. Pure bookkeeping; the caller gives the time.

    Args:
        stall_timeout_s: how long nothing may move.
        begun: called when the end is to be watched: when it has reached a processor and `watched`
            is false.
    """

    __slots__ = ("_begun", "_holders", "_stall_timeout_s", "holder", "progress_s", "watched")

    def __init__(self, stall_timeout_s: float, begun: Callable[[], None]) -> None:
        self._begun = begun
        self._stall_timeout_s = stall_timeout_s
        # In the order in which the end reached them. More than one in a ParallelPipeline.
        self._holders: list[str] = []
        self.holder: str | None = None
        """The processor that the EndFrame or StopFrame has been in for the longest; None when it
        is in none."""
        self.progress_s = -math.inf
        self.watched = False

    def hold(self, holder: str, now_s: float) -> None:
        """The end has reached this processor."""
        self._holders.append(holder)
        self.holder = self._holders[0]
        self.progress(now_s)
        if not self.watched:
            self.watched = True
            self._begun()

    def release(self, holder: str, now_s: float) -> None:
        """The end has left this processor."""
        self._holders.remove(holder)
        self.holder = self._holders[0] if self._holders else None
        self.progress(now_s)

    def is_held_by(self, name: str) -> bool:
        """Whether the end is in this processor."""
        return name in self._holders

    def progress(self, at_s: float) -> None:
        """Something moves until then: now, or in the future while audio is played out."""
        self.progress_s = max(self.progress_s, at_s)

    @property
    def stalls_at_s(self) -> float:
        """When the end counts as stalled, if nothing moves from now on."""
        return math.inf if self.holder is None else self.progress_s + self._stall_timeout_s
