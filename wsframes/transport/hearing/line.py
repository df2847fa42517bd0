"""The frames that wait to be heard, in order, and the one that is being heard."""

from wsframes.frames import FilterEnableFrame, FilterUpdateSettingsFrame, Frame, FrameDirection
from wsframes.graph.mailbox import Counts, Queue, QueueLimits
from wsframes.transport.tasks.waiting import Signal

__all__ = ["Line"]

_CONTROLS = (FilterUpdateSettingsFrame, FilterEnableFrame)


class Line:
    """A queue that one task empties.

    Args:
        limits: of what waits; past them it is full until half of it is free.

    Attributes:
        counts: what has become of the frames; those that wait or are being heard are in none of
            them.
    """

    __slots__ = ("_at_work", "_more", "_queue", "_room", "counts")

    def __init__(self, limits: QueueLimits) -> None:
        self.counts = Counts()
        self._queue = Queue(limits, self.counts)
        self._at_work: Frame | None = None
        self._more = Signal()
        self._room = Signal()

    @property
    def is_free(self) -> bool:
        """Whether nothing waits, and nothing is being heard."""
        return self._at_work is None and not self._queue.entries

    @property
    def waiting(self) -> int:
        """Frames from the peer that wait or are being heard."""
        frames = [self._at_work, *(entry[0] for entry in self._queue.entries)]
        return sum(frame is not None and not isinstance(frame, _CONTROLS) for frame in frames)

    @property
    def is_full(self) -> bool:
        """Whether who can wait is to wait for room."""
        return self._queue.full

    async def wait_for_room(self) -> None:
        """Wait until half of it is free."""
        while self._queue.full:
            await self._room.wait()

    def put(self, frame: Frame) -> None:
        """Let a frame wait. What does not fit is counted."""
        self._queue.put(frame, FrameDirection.DOWNSTREAM)
        self._more.set()

    async def next(self) -> Frame:
        """The next frame, for whoever hears it; `done` has to be said of it."""
        while not self._queue.entries:
            await self._more.wait()
        frame = self._at_work = self._queue.take()[0]
        if not self._queue.full:
            self._room.set()
        return frame

    def done(self) -> None:
        """The frame of the latest `next` has been heard."""
        self._at_work = None

    def close(self) -> None:
        """Nothing of it will be heard."""
        if waiting := self.waiting:
            self.counts.dropped["cancelled"] += waiting
        self._at_work = None
        self._queue.entries.clear()
