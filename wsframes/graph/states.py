"""What the lifecycle frames do to a place of the graph, as tables, and nothing else.

    WAITING    the start has not gone on from here: what is pushed downstream is held
    RUNNING    all passes
    STOPPED    Stop has gone on: only system frames pass, and no input media
    ENDED      End has gone on: as STOPPED
    CANCELLED  nothing passes

A place never goes back. What is not in its state's row has no meaning there and goes no further:
a second start, anything after the cancellation, and an interruption of what has not started.
"""

from enum import Enum, auto

from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)

__all__ = ["NodeState", "is_shown", "state_after"]


class NodeState(Enum):
    """How far the lifecycle has come at one place."""

    WAITING = auto()
    RUNNING = auto()
    STOPPED = auto()
    ENDED = auto()
    CANCELLED = auto()


WAITING, RUNNING, STOPPED, ENDED, CANCELLED = NodeState

_AFTER: dict[NodeState, dict[type[Frame], NodeState]] = {
    WAITING: {
        StartFrame: RUNNING,
        EndFrame: ENDED,
        StopFrame: STOPPED,
        CancelFrame: CANCELLED,
    },
    RUNNING: {
        EndFrame: ENDED,
        StopFrame: STOPPED,
        CancelFrame: CANCELLED,
        InterruptionFrame: RUNNING,
    },
    STOPPED: {
        EndFrame: ENDED,
        StopFrame: STOPPED,
        CancelFrame: CANCELLED,
        InterruptionFrame: STOPPED,
    },
    ENDED: {
        EndFrame: ENDED,
        StopFrame: ENDED,
        CancelFrame: CANCELLED,
        InterruptionFrame: ENDED,
    },
    CANCELLED: {},
}

# Which of them the processor is told of. One that has had its end is not told of a cancellation
# as well; one that was stopped is, since it was to go on.
_SHOWN: dict[NodeState, tuple[type[Frame], ...]] = {
    WAITING: (StartFrame,),
    RUNNING: (EndFrame, StopFrame, CancelFrame, InterruptionFrame),
    STOPPED: (CancelFrame,),
    ENDED: (),
    CANCELLED: (),
}


def state_after(state: NodeState, frame: Frame) -> NodeState | None:
    """The state of a place when a lifecycle frame has gone on from it; None: it does not go on."""
    for frame_type, after in _AFTER[state].items():
        if isinstance(frame, frame_type):
            return after
    return None


def is_shown(state: NodeState, frame: Frame) -> bool:
    """Whether the processor is told of a lifecycle frame that arrives in this state."""
    return isinstance(frame, _SHOWN[state])
