"""What a processor must not hold back, whatever it is for.

Lifecycle frames are the run's. Downstream the graph moves them by itself, but upstream they are
requests to the run, which only those who push them on let through. Heartbeats are the run's too:
one that does not arrive is told as a processor that is stuck.
"""

from wsframes.frames import Frame, HeartbeatFrame, Lane

__all__ = ["belongs_to_run", "passes_filters"]


def belongs_to_run(frame: Frame) -> bool:
    """Whether a frame is no business of a processor that transforms or drops frames."""
    return frame.lifecycle or isinstance(frame, HeartbeatFrame)


def passes_filters(frame: Frame) -> bool:
    """Whether a frame passes a filter unasked: what belongs to the run, and system frames."""
    return frame.lane is Lane.SYSTEM or belongs_to_run(frame)
