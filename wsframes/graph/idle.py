"""Notices that nothing has happened for a while."""

from collections.abc import Callable

import anyio

from wsframes.frames import Frame, HeartbeatFrame
from wsframes.graph.context import RunContext
from wsframes.graph.observer import BaseObserver, FramePushed

__all__ = ["IdleWatch"]


class IdleWatch(BaseObserver):
    """An observer that calls back after a quiet period, once for each.

    Args:
        timeout_s: how long nothing may happen.
        activity: the frame types that count; None: all but input media and heartbeats, which come
            whether anything happens or not.
        idle: called when the time is over.
    """

    def __init__(
        self,
        timeout_s: float,
        activity: tuple[type[Frame], ...] | None,
        idle: Callable[[], None],
    ) -> None:
        self._timeout_s = timeout_s
        self._activity = activity
        self._idle = idle
        self._last_s = 0.0
        self._told = False
        self._context: RunContext | None = None

    def begin(self, context: RunContext) -> None:
        """Start to watch a run."""
        self._context = context
        self._last_s = anyio.current_time()
        self._arm()

    def on_push_frame(self, data: FramePushed) -> None:
        if self._activity is None:
            active = not data.frame.input_media and not isinstance(data.frame, HeartbeatFrame)
        else:
            active = isinstance(data.frame, self._activity)
        if active:
            self._last_s = data.time_s
            if self._told:
                self._arm()

    def _arm(self) -> None:
        assert self._context is not None
        self._told = False
        self._context.call_at(self._last_s + self._timeout_s, self._check)

    def _check(self) -> None:
        if anyio.current_time() < self._last_s + self._timeout_s:
            self._arm()
        else:
            self._told = True
            self._idle()
