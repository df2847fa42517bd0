"""Runs functions one after the other, never one inside the other.

Whoever pushes first empties the deque; a push made by a function on the way only appends to it. So
a function is never re-entered, the stack stays flat however long the pipeline is, and frames keep
their order on every link.

A hop through a function is one trip of the loop below and one call of `push_frame_nowait`. That is
why the loop calls the function itself, and why a target that is more than a function says so by
`call = None`: asked through a method of the target, a hop took 0.36 us instead of 0.24.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from wsframes.frames import Frame, FrameDirection

__all__ = ["Congested", "Dispatcher", "Receive", "Target", "Via"]

Receive = Callable[[Frame, FrameDirection], None]


class Congested(Protocol):
    """A lane that is full, for those who can wait."""

    async def wait_for_room(self) -> None: ...


class Target(Protocol):
    """Where a frame can be handed to."""

    taken: int
    """How many frames went into `call`."""

    @property
    def call(self) -> Receive | None:
        """The function for frames that are no lifecycle frames; None: `receive` is for all."""

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        """Take a frame. Never raises."""

    def fail(self, frame: Frame, exc: Exception) -> None:
        """`call` raised on this frame."""


class Via:
    """A target that is just a receiver."""

    __slots__ = ("receive", "taken")

    call = None

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.taken = 0

    def fail(self, frame: Frame, exc: Exception) -> None:
        raise AssertionError("a target without a function cannot fail") from exc


class Dispatcher:
    """The one deque of a run. Not thread-safe: all pushes come from the run's event loop."""

    __slots__ = ("congested", "pending", "running")

    def __init__(self) -> None:
        self.pending: deque[tuple[Target, Frame, FrameDirection]] = deque()
        self.running = False
        self.congested: list[Congested] = []
        """The full lanes that the last outermost push reached downstream."""

    def send(self, target: Target, frame: Frame, direction: FrameDirection) -> None:
        """Hand a frame over; on return every function on its way has run."""
        self.pending.append((target, frame, direction))
        if not self.running:
            self.run()

    def run(self) -> None:
        """Empty the deque. Only the outermost push calls it."""
        pending = self.pending
        if self.congested:
            self.congested = []
        self.running = True
        try:
            while pending:
                target, frame, direction = pending.popleft()
                call = target.call
                if call is None or frame.lifecycle:
                    target.receive(frame, direction)
                    continue
                target.taken += 1
                try:
                    call(frame, direction)
                except Exception as exc:
                    target.fail(frame, exc)
        finally:
            # Something else than an Exception, or a fault of ours, came out of a receiver: what
            # is left must not wait for a later, unrelated push.
            self.running = False
            pending.clear()
