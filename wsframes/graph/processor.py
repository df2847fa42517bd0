"""The base of everything that handles frames."""

import inspect
import itertools
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from wsframes.exceptions import UsageError
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StartFrame,
)
from wsframes.graph.events import EventHandlers
from wsframes.graph.mailbox import QueueLimits
from wsframes.graph.node import Node
from wsframes.graph.outcome import EndReason, RunResult

__all__ = ["FrameProcessor"]

H = TypeVar("H", bound=Callable[..., Any])

DOWNSTREAM = FrameDirection.DOWNSTREAM

_numbers: defaultdict[str, "itertools.count[int]"] = defaultdict(itertools.count)


class _Nothing:
    """Lets `await super().process_frame(...)` stand in code that comes from Pipecat."""

    def __await__(self) -> Any:
        return iter(())


_NOTHING = _Nothing()


class FrameProcessor:
    """Handles frames, and pushes frames to its neighbours.

    How you write `process_frame` says what a frame costs. `def`: it runs inside the push of the
    neighbour, with no queue and no task. `async def` (or any of the hooks `start`, `stop` and
    `cancel` as `async def`): the processor gets a lane, a bounded queue and the tasks that empty
    it; one ordered frame is processed at a time, and a system frame beside it.

    A processor sees the lifecycle frames like all others but need not push them: the graph moves
    them on by itself, whatever the processor does, and a push of one that it is moving already is
    ignored. All other frames stop here unless they are pushed.

    A processor belongs to one pipeline and one event loop. Its methods are called from that loop
    only, and so must be those that it calls.

    Args:
        name: for logs, errors and statistics; unique by default, as in `Echo#0`.
    """

    queue_limits: ClassVar[QueueLimits] = QueueLimits()
    """The bound of the lane's queues, where the processor has a lane."""

    # Class-level, so that a subclass that does not call `super().__init__` works too.
    _name: str | None = None
    _node: Node | None = None
    _events: EventHandlers | None = None

    def __init__(self, *, name: str | None = None) -> None:
        self._name = name

    @property
    def name(self) -> str:
        if self._name is None:
            kind = type(self).__name__
            self._name = f"{kind}#{next(_numbers[kind])}"
        return self._name

    def __repr__(self) -> str:
        return f"<{self.name}>"

    # What a subclass overrides.

    def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
        """Handle a frame: override it with `def` or `async def`.

        A processor that does not override it passes every frame on. The base does nothing, so
        that calling it by `super()` is possible and never needed.

        An exception drops the frame and becomes one `ErrorFrame` upstream; the processor goes on.
        In a lane, an interruption cancels the ordered frame in process, unless it is
        uninterruptible.
        """
        return _NOTHING

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        """For a lane that needs to wait for some frames only: handle this one at once, or decline.

        Called when the frame arrives and nothing waits before it. True: done; False: the frame is
        queued for `process_frame`. It saves the wake-up of the lane, about 8 us.
        """
        return False

    def start(self, frame: StartFrame) -> Any:
        """Make ready; no frame comes before it has returned, and none goes downstream."""

    def stop(self, frame: EndFrame) -> Any:
        """Everything that was queued before the end has been processed; it goes on after this."""

    def cancel(self, frame: CancelFrame) -> Any:
        """The run ends now. May wait, but is itself cancelled after a part of `cancel_timeout`."""

    def interrupt(self, frame: InterruptionFrame) -> None:
        """Drop what you hold. A plain function, called the moment an interruption arrives."""

    def cleanup(self) -> Any:
        """Release everything; called once, last, however the run ended."""

    # What a subclass calls.

    def push_frame_nowait(
        self, frame: Frame, direction: FrameDirection = DOWNSTREAM
    ) -> None:
        """Hand a frame to the neighbour: through functions at once, into the queue of a lane else.

        Never waits. What does not fit is counted, and past its bound a queue ends the run with
        the reason `overload`.

        Raises:
            UsageError: the processor is not part of a pipeline that runs.
        """
        node = self._node
        if node is None:
            raise self._unwired()
        dispatcher = node.dispatcher
        dispatcher.pending.append(
            (node.down if direction is DOWNSTREAM else node.up, frame, direction)
        )
        if not dispatcher.running:
            dispatcher.run()

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = DOWNSTREAM
    ) -> None:
        """`push_frame_nowait`, then wait while a lane that the frame reached downstream is full.

        Data, control and input media frames wait; other system frames never do, nor does a push
        made while such a frame is handled. It is not a checkpoint when nothing is full.

        Cancelling: the frame is handed over before the wait begins; giving up the wait loses
        nothing.
        """
        self.push_frame_nowait(frame, direction)
        node = self._node
        if node is not None and node.dispatcher.congested:
            await node.wait_for_room(frame, direction)

    def push_error(
        self, error: str, *, exception: BaseException | None = None, fatal: bool = False
    ) -> None:
        """Report an error upstream; a fatal one ends the run with the reason `error`."""
        self._wired().report(error, exception, fatal=fatal)

    def start_soon(
        self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any, name: object = None
    ) -> None:
        """Run `func(*args)` in the background, in the task group of the run.

        It is cancelled at the latest when the run ends; not by an interruption. An exception
        becomes an `ErrorFrame`.
        """
        node = self._wired()
        node.context.start_soon(node.contain, func, args, name=name or f"{self.name} background")

    def end_run(
        self,
        reason: EndReason,
        *,
        close_code: int | None = None,
        error: BaseException | str | None = None,
    ) -> None:
        """End the run at once, unless its end is decided already. Does not wait for it."""
        self._wired().context.finish(reason, close_code=close_code, error=error)

    @property
    def run_result(self) -> RunResult | None:
        """How the run ends, once that is decided; to be asked in `cancel` and `cleanup`."""
        return self._wired().context.result

    def event_handler(self, name: str) -> Callable[[H], H]:
        """Decorator: call the function, `def` or `async def`, as `f(self, ...)` at the event."""
        return self._handlers().handler(name)

    def add_event_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """What `event_handler` does, as a call."""
        self._handlers().add(name, handler)

    def register_event(self, name: str) -> None:
        """Declare an event of this processor."""
        self._handlers().register(name)

    def emit(self, name: str, *args: Any) -> None:
        """Tell an event to its handlers, in the order of all events of the run; does not wait."""
        self._wired().context.emit(self._handlers(), name, self, *args)

    # Between the processor and the graph.

    def _is_lane(self) -> bool:
        return any(
            inspect.iscoroutinefunction(method)
            for method in (self.process_frame, self.start, self.stop, self.cancel)
        )

    def _check_free(self) -> None:
        if self._node is not None:
            raise UsageError(f"{self.name} is part of a pipeline that is running already")

    def _attach(self, node: Node | None) -> None:
        self._node = node

    def _wired(self) -> Node:
        if self._node is None:
            raise self._unwired()
        return self._node

    def _unwired(self) -> UsageError:
        return UsageError(
            f"{self.name} is not part of a running pipeline: put it into a Pipeline and run that "
            "with a PipelineTask"
        )

    def _handlers(self) -> EventHandlers:
        if self._events is None:
            self._events = EventHandlers(self.name, ())
        return self._events
