"""The events of a task: what its run reports, told to the handlers."""

import logging
import weakref
from typing import Any

from wsframes.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    StartFrame,
    StopFrame,
)
from wsframes.graph.events import EventHandlers, EventQueue
from wsframes.graph.failures import FailureLog, describe
from wsframes.graph.mailbox import QueueStatistics
from wsframes.graph.outcome import EndReason, RunResult

__all__ = ["EVENTS", "TaskEvents"]

logger = logging.getLogger("wsframes.graph")

EVENTS = frozenset(
    {
        "on_pipeline_started",
        "on_pipeline_ended",
        "on_pipeline_stopped",
        "on_pipeline_cancelled",
        "on_pipeline_finished",
        "on_pipeline_error",
        "on_frame_reached_upstream",
        "on_frame_reached_downstream",
        "on_heartbeat_timeout",
        "on_idle_timeout",
    }
)

_LAST_EVENT = {
    EndReason.ENDED: ("on_pipeline_ended", EndFrame),
    EndReason.STOPPED: ("on_pipeline_stopped", StopFrame),
}


class TaskEvents:
    """Turns what a run reports into events; each handler gets the task first.

    Args:
        task: what handlers are given.
        name: its name, for errors.
    """

    def __init__(self, task: object, name: str) -> None:
        self.handlers = EventHandlers(name, EVENTS)
        self.upstream_types: tuple[type[Frame], ...] = (Frame,)
        self.downstream_types: tuple[type[Frame], ...] = (Frame,)
        self._task = weakref.ref(task)  # it has this
        self._failures = FailureLog()
        self._events: EventQueue | None = None

    def begin(self, events: EventQueue) -> None:
        self._events = events

    def tell(self, name: str, *args: Any) -> None:
        assert self._events is not None
        self._events.emit(self.handlers, name, self._task(), *args)

    def statistics(self) -> QueueStatistics:
        return QueueStatistics() if self._events is None else self._events.statistics()

    def started(self, frame: StartFrame) -> None:
        self.tell("on_pipeline_started", frame)

    def reached_upstream(self, frame: Frame) -> None:
        if isinstance(frame, ErrorFrame):
            self.tell("on_pipeline_error", frame)
        if isinstance(frame, self.upstream_types):
            self.tell("on_frame_reached_upstream", frame)

    def reached_downstream(self, frame: Frame) -> None:
        # Every frame comes here, and most applications do not ask for it.
        name = "on_frame_reached_downstream"
        if name in self.handlers.handled and isinstance(frame, self.downstream_types):
            self.tell(name, frame)

    def heartbeat_missed(self, holder: str) -> None:
        logger.warning("a heartbeat is held up by %s", holder)
        self.tell("on_heartbeat_timeout", holder)

    def handler_failed(self, event: str, exc: BaseException) -> None:
        text = f"a handler of {event} failed: {describe(exc)}"
        self._failures.error(event, text, exc)
        # The handler of the errors is not told of its own.
        if event != "on_pipeline_error":
            self.tell("on_pipeline_error", ErrorFrame(text, exception=exc))

    def finished(self, result: RunResult) -> None:
        name, frame_type = _LAST_EVENT.get(result.reason, ("on_pipeline_cancelled", CancelFrame))
        self.tell(name, frame_type())
        self.tell("on_pipeline_finished", result)
