"""What stands at a place of the graph while its pushes must not go to the neighbour.

    Hold           before the start has gone on: keeps what is pushed downstream
    Interrupted    while work that was interrupted may still push: drops that
    AfterEnd       once End or Stop has gone on: lets system frames pass, and no input media
    AfterCancel    once Cancel has gone on: refuses
    Finished       when the run is over, or where there is no neighbour: refuses

The state of the place decides which of them stands there (see `states` and `Node`), and for the
second one its lane.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from wsframes.frames import Frame, FrameDirection, Lane
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Target
from wsframes.graph.links import Neighbour
from wsframes.graph.mailbox import Counts
from wsframes.graph.outcome import EndReason
from wsframes.graph.states import NodeState

__all__ = ["AfterCancel", "AfterEnd", "Finished", "Hold", "Interrupted", "Place"]

DOWNSTREAM = FrameDirection.DOWNSTREAM

_MAX_HELD = 1024


class Place(Neighbour, Protocol):
    """What a gate asks of the place that it stands at."""

    context: RunContext
    counts: Counts
    down: Target

    def push(self, frame: Frame, direction: FrameDirection) -> None:
        """Hand a frame to a neighbour."""

    def drop_failed(self, frame: Frame, exc: BaseException, pusher: Neighbour | None) -> None:
        """Drop a frame that was raised on, and tell upstream."""

    def refuse(self, reason: str) -> None:
        """Count a frame that was not let in."""


class Gate(ABC):
    """Takes what a place pushes, and what it cannot deal with is that place's error."""

    __slots__ = ("_place",)

    call = put = None
    taken = 0

    def __init__(self, place: Place) -> None:
        self._place = place

    @abstractmethod
    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        """Take what the place pushed."""

    def returned(self, result: Any) -> None:
        raise AssertionError("nothing is called here")

    def fail(self, frame: Frame, direction: FrameDirection, exc: BaseException) -> None:
        self._place.drop_failed(frame, exc, self._place)


class Hold(Gate):
    """Keeps what is pushed downstream before the start has gone on."""

    __slots__ = ("_frames",)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._frames: list[Frame] = []

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        place = self._place
        if place.down is not self:
            # Pushed before the start went on, but the dispatcher got here only after it.
            place.push(frame, direction)
        elif place.context.is_moving(frame, direction):
            pass  # the StartFrame that is being held up, pushed on by habit
        elif len(self._frames) < _MAX_HELD:
            self._frames.append(frame)
        else:
            place.refuse("overload")
            text = f"{place.name} pushed more than {_MAX_HELD} frames before its start was over"
            place.context.finish(EndReason.OVERLOAD, error=text, stuck=place.name)

    def let_go(self, state: NodeState) -> None:
        """The place leaves its waiting state: push what is held, or drop it."""
        if state is not NodeState.RUNNING:
            self.close("cancelled" if state is NodeState.CANCELLED else "ended")
        frames, self._frames = self._frames, []
        for frame in frames:
            self._place.push(frame, DOWNSTREAM)

    def drop_interruptible(self) -> None:
        kept = [frame for frame in self._frames if frame.uninterruptible]
        self._count("interrupted", len(self._frames) - len(kept))
        self._frames = kept

    def close(self, reason: str) -> None:
        self._count(reason, len(self._frames))
        self._frames = []

    def _count(self, reason: str, frames: int) -> None:
        if frames:
            self._place.taken += frames
            self._place.counts.dropped[reason] += frames


class Interrupted(Gate):
    """Drops what the interrupted work still pushes, up to its next checkpoint: it is old.

    Args:
        place: a lane.
        is_at_work: whether it is the interrupted work that pushes.
    """

    __slots__ = ("_is_at_work",)

    def __init__(self, place: Place, is_at_work: Callable[[], bool]) -> None:
        super().__init__(place)
        self._is_at_work = is_at_work

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        place = self._place
        if frame.uninterruptible or not self._is_at_work():
            place.context.dispatcher.send(place.links.way_down(), frame, direction)
        else:
            place.taken += 1
            place.counts.dropped["interrupted"] += 1


class AfterEnd(Gate):
    """Lets pass what the run still has to be told."""

    __slots__ = ()

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        place = self._place
        links = place.links
        if frame.lane is Lane.SYSTEM and not frame.input_media and links.next is not None:
            place.context.dispatcher.send(links.way_down(), frame, direction)
        else:
            place.refuse("ended")


class AfterCancel(Gate):
    """Lets nothing pass; but the CancelFrame, pushed on by habit, is no frame that is lost."""

    __slots__ = ()

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        if not self._place.context.is_moving(frame, direction):
            self._place.refuse("cancelled")


class Finished(Gate):
    """Lets nothing pass."""

    __slots__ = ()

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        self._place.refuse("finished")
