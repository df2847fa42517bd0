"""Notices that nothing has happened for a while."""

from collections.abc import Callable

from wsframes.frames import Frame, HeartbeatFrame
from wsframes.graph.context import RunContext

__all__ = ["IdleWatch"]


class IdleWatch:
    """Watches one run, and calls back after a quiet period, once for each.

    Args:
        context: the run.
        timeout_s: how long nothing may happen.
        activity: the frame types that count; None: all but input media and heartbeats, which come
            whether anything happens or not.
        idle: called when the time is over.
    """

    def __init__(
        self,
        context: RunContext,
        timeout_s: float,
        activity: tuple[type[Frame], ...] | None,
        idle: Callable[[], None],
    ) -> None:
        self._context = context
        self._timeout_s = timeout_s
        self._activity = activity
        self._idle = idle
        self._clock = context.clock
        self._last_s = self._clock()
        self._told = False
        self._arm()

    def saw(self, frame: Frame) -> None:
        """A frame is handed from one place to the next."""
        if self._activity is None:
            active = not frame.input_media and not isinstance(frame, HeartbeatFrame)
        else:
            active = isinstance(frame, self._activity)
        if active:
            self._last_s = self._clock()
            if self._told:
                self._told = False
                self._arm()

    def _arm(self) -> None:
        self._context.call_at(self._last_s + self._timeout_s, self._check)

    def _check(self) -> None:
        if self._clock() < self._last_s + self._timeout_s:
            self._arm()
        else:
            self._told = True
            self._idle()
