"""Sends frames that have a time, each at its own."""

from collections.abc import Awaitable, Callable

import anyio

from wsframes.frames import Frame
from wsframes.graph.context import RunContext
from wsframes.transport.playout.timed_frames import TimedFrames, TimedStatistics
from wsframes.transport.tasks.waiting import ClearGate, Signal

__all__ = ["TimedSender"]

_NS = 1_000_000_000
_FOREVER_NS = 1 << 62  # more than any clock can wait; and a float may not hold what is beyond


class TimedSender:
    """The clock of an output, and the frames that wait for it.

    The clock begins at the first start and never stops: not at an interruption, and not between the
    runs of a session that is stopped and resumed. There is one timer, and no task while nothing
    waits.

    Args:
        write: deals with a frame whose time has come; says why it was not taken, or None.
        gate: nothing is sent while it is shut.
        frames: where they wait; None: there is room for 1 MiB of payload.
    """

    __slots__ = ("_changed", "_context", "_frames", "_gate", "_running", "_start_s", "_write")

    def __init__(
        self,
        write: Callable[[Frame], Awaitable[str | None]],
        gate: ClearGate,
        frames: TimedFrames | None = None,
    ) -> None:
        self._write = write
        self._gate = gate
        self._frames = frames or TimedFrames()
        self._changed = Signal()
        self._running = False
        self._start_s: float | None = None
        self._context: RunContext

    def begin(self, context: RunContext) -> None:
        """Send in this run."""
        self._context = context
        self._running = False
        if self._start_s is None:
            self._start_s = anyio.current_time()
        if self._frames.next_ns is not None:
            self._wake()

    @property
    def time_ns(self) -> int:
        """The present, in nanoseconds of this clock; 0 before it has begun."""
        if self._start_s is None:
            return 0
        return round((anyio.current_time() - self._start_s) * _NS)

    def put(self, frame: Frame) -> bool:
        """Keep a frame until its time; False if there is no room for it."""
        if not self._frames.has_room:
            return False
        self._frames.put(frame)
        self._wake()
        return True

    def interrupt(self) -> None:
        """Drop what is interruptible."""
        self._frames.drop("interrupted")

    def close(self, reason: str) -> None:
        """Drop everything: its time does not come any more."""
        self._frames.drop(reason, all_frames=True)
        self._changed.set()

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        del self._write

    def statistics(self) -> TimedStatistics:
        return self._frames.statistics()

    def _wake(self) -> None:
        if self._running:
            self._changed.set()
        else:
            self._running = True
            self._context.start_soon(self._run, name="timed frames")

    async def _run(self) -> None:
        frames = self._frames
        while (next_ns := frames.next_ns) is not None:
            assert self._start_s is not None
            due_s = self._start_s + min(next_ns, _FOREVER_NS) / _NS
            if due_s > anyio.current_time():
                with anyio.CancelScope(deadline=due_s):
                    await self._changed.wait()
            elif self._gate.is_shut:
                await self._gate.wait_open()
            else:
                await self._send(frames.take())
        self._running = False

    async def _send(self, frame: Frame) -> None:
        reason: str | None = "cancelled"
        try:
            reason = await self._write(frame)
        finally:
            self._frames.done(reason)
