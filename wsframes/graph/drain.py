"""Watches an end on its way through the graph, so that it cannot hang."""

import math
from collections.abc import Callable

__all__ = ["Drain"]


class Drain:
    """Where the end is, and when it last moved.

    An end may take as long as it likes while something moves: the frames before it are processed,
    audio is played out. Pure bookkeeping; the caller gives the time.

    Args:
        stall_timeout_s: how long nothing may move.
        begun: called once, when an end is first on its way.
    """

    __slots__ = ("_begun", "_stall_timeout_s", "holder", "progress_s")

    def __init__(self, stall_timeout_s: float, begun: Callable[[], None]) -> None:
        self._stall_timeout_s = stall_timeout_s
        self._begun = begun
        self.holder: str | None = None
        """The processor that the EndFrame or StopFrame has reached last."""
        self.progress_s = -math.inf

    def hold(self, holder: str, now_s: float) -> None:
        """The end has reached this processor."""
        first = self.holder is None
        self.holder = holder
        self.progress(now_s)
        if first:
            self._begun()

    def progress(self, at_s: float) -> None:
        """Something moves until then: now, or in the future while audio is played out."""
        self.progress_s = max(self.progress_s, at_s)

    @property
    def stalls_at_s(self) -> float:
        """When the end counts as stalled, if nothing moves from now on."""
        return self.progress_s + self._stall_timeout_s
