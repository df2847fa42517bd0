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
from wsframes.graph.dispatcher import Target
from wsframes.graph.events import EventHandlers
from wsframes.graph.failures import describe, is_failure
from wsframes.graph.mailbox import QueueLimits
from wsframes.graph.node import NOTHING, Node
from wsframes.graph.outcome import EndReason, RunResult

__all__ = ["FrameProcessor"]

H = TypeVar("H", bound=Callable[..., Any])

DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM

_MAX_TURNS = 100_000

_numbers: defaultdict[str, "itertools.count[int]"] = defaultdict(itertools.count)


class FrameProcessor:
    """Handles frames, and pushes frames to its neighbours.

    How you write `process_frame` says what a frame costs. `def`: it runs inside the push of the
    neighbour, with no queue and no task. `async def` (or any of the hooks `start`, `stop` and
    `cancel` as `async def`): the processor gets a lane, a bounded queue and the tasks that empty
    it; one ordered frame is processed at a time, and a system frame beside it.

    A processor sees the lifecycle frames like all others but need not push them: the graph moves
    them on by itself, whatever the processor does, and a push of one that it is moving already is
    ignored: to end or interrupt something, push a new frame. All other frames stop here unless
    they are pushed.

    A processor is part of one run at a time. Its methods are called from the event loop of that
    run only, and so must be those that it calls.

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
        return NOTHING

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

    def abort(self) -> Any:
        """Break what a task of yours waits for and cannot be cancelled in, if you can.

        Called when the tasks of a run have not returned a `cancel_timeout` after they were
        cancelled. A library below, or a server, may shield its waiting; the run waits for it.
        """

    def cleanup(self) -> Any:
        """Release everything; called once, last, however the run ended."""

    # What a subclass calls.

    def push_frame_nowait(self, frame: Frame, direction: FrameDirection = DOWNSTREAM) -> None:
        """Hand a frame to the neighbour: through functions at once, into the queue of a lane else.

        Never waits. What does not fit is counted, and past its bound a queue ends the run with
        the reason `overload`.

        Raises:
            UsageError: the processor is not part of a pipeline that runs, or the direction is none.
        """
        node = self._node or self._wired()
        target = node.down if direction is DOWNSTREAM else _up(node, direction)
        dispatcher = node.dispatcher
        if dispatcher.running:
            dispatcher.pending.append((target, frame, direction))
        else:
            dispatcher.run(target, frame, direction)

    async def push_frame(self, frame: Frame, direction: FrameDirection = DOWNSTREAM) -> None:
        """`push_frame_nowait`, then wait while a lane that the frame reached downstream is full.

        Data, control and input media frames wait; other system frames never do, nor does a push
        made while such a frame is handled. It is not a checkpoint when nothing is full.

        Cancelling: the frame is handed over before the wait begins; giving up the wait loses
        nothing.
        """
        node = self._node or self._wired()
        target = node.down if direction is DOWNSTREAM else _up(node, direction)
        dispatcher = node.dispatcher
        # In a coroutine, so no push is under way. A queue runs nothing, so it needs neither the
        # deque nor the loop of the dispatcher: a third less for a hop from lane to lane.
        try:
            put = target.put
            if put is None or frame.lifecycle:
                dispatcher.run(target, frame, direction)
            else:
                if dispatcher.congested:
                    dispatcher.congested = []
                target.taken += 1
                put(frame, direction)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:  # of any kind, as in the dispatcher
            target.fail(frame, direction, exc)
        if dispatcher.congested:
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

        Raises:
            UsageError: the processor is not part of a pipeline that runs.
        """
        node = self._wired()
        title = name or f"{self.name} background"
        node.context.start_soon(_in_background, node, func, args, name=title, owner=self.name)

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
        """How the run ends, once that is decided; to be asked in `cancel` and `cleanup`.

        In work that is being cancelled it may still be None: where the caller of `run` is
        cancelled, the tasks of the run learn of it in no particular order.
        """
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

    def _wired(self) -> Node:
        if self._node is None:
            raise UsageError(
                f"{self.name} is not part of a running pipeline: put it into a Pipeline and run "
                "that with a PipelineTask"
            )
        return self._node

    def _handlers(self) -> EventHandlers:
        if self._events is None:
            self._events = EventHandlers(self.name, ())
        return self._events


def _up(node: Node, direction: FrameDirection) -> Target:
    if direction is not UPSTREAM:
        raise UsageError(f"{node.name} pushed in the direction {direction!r}, which is none")
    dispatcher = node.dispatcher
    dispatcher.turns += 1
    if dispatcher.turns > _MAX_TURNS:
        raise UsageError(
            f"{node.name} and a processor beside it push at each other without end, each because "
            "of the other one; a processor that answers must not answer answers"
        )
    return node.up


async def _in_background(
    node: Node, func: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...]
) -> None:
    try:
        await func(*args)
    except BaseException as exc:
        if not is_failure(exc):
            raise
        name = getattr(func, "__qualname__", repr(func))
        node.report(f"{node.name} failed in its background work {name}: {describe(exc)}", exc)
