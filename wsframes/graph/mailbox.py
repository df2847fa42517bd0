"""The queues of one lane, as a plain data structure: no waiting, no clock, no tasks.

    express    Cancel and Interruption, which have been acted on and are still to be shown
    system     system frames
    ordered    data and control frames

Each keeps its order of arrival. The start never comes in here; see `lane`.

A queue is *full* from `max_frames` or `max_bytes` on, and stays full until it has fallen to half
of that, so that those who wait for it are woken once a batch and not once a frame. Under the
policy "wait" a full queue still takes frames, since some producers cannot wait; past sixteen times
the bound it *overflows*, which ends the run.

Invariant, at every moment: taken = delivered + dropped + refused + queued + at work, where taken
and delivered are counted by the lane.
"""

from collections import Counter, deque
from enum import Enum, auto
from typing import Literal

import msgspec

from wsframes.frames import Frame, FrameDirection

__all__ = ["Counts", "Entry", "Mailbox", "Put", "Queue", "QueueLimits", "QueueStatistics"]

_OVERFLOW_FACTOR = 16

# Interruptions follow each other within moments only if nobody deals with them.
_MAX_EXPRESS = 16


class QueueLimits(msgspec.Struct, frozen=True):
    """The bound of each queue of a lane, and what happens at it.

    Attributes:
        max_frames: frames.
        max_bytes: bytes of payload.
        when_full: "wait": those who `await push_frame` wait (the default). "drop_oldest" and
            "drop_newest": interruptible data and input media give way, counted, and nobody waits
            because of them. "close": the run ends with the reason `overload`.
    """

    max_frames: int = 256
    max_bytes: int = 1 << 20
    when_full: Literal["wait", "drop_oldest", "drop_newest", "close"] = "wait"


class Put(Enum):
    """What became of a frame that was put."""

    TAKEN = auto()
    FULL = auto()
    """Taken, and the queue is full: whoever can wait should."""
    DROPPED = auto()
    OVERFLOW = auto()
    """Not taken, and the run must end."""


TAKEN, FULL, DROPPED, OVERFLOW = Put


class QueueStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Where the frames went: taken = delivered + dropped + refused + queued + at work.

    Attributes:
        taken: frames offered.
        delivered: frames processed to the end.
        dropped: frames given up, by reason.
        refused: frames not let in, by reason.
        queued: frames that wait now.
        queued_bytes: their payload.
        peak: the most that ever waited in one queue.
    """

    taken: int = 0
    delivered: int = 0
    dropped: dict[str, int] = {}
    refused: dict[str, int] = {}
    queued: int = 0
    queued_bytes: int = 0
    peak: int = 0


class Counts:
    """What has become of frames so far; `delivered` is counted by whoever processes them."""

    __slots__ = ("delivered", "dropped", "refused")

    def __init__(self) -> None:
        self.delivered = 0
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()


Entry = tuple[Frame, FrameDirection, int, int]
"""A frame, its direction, its payload's bytes, and its rank: see `Mailbox`."""


class Queue:
    """Frames in order, within limits."""

    __slots__ = ("_counts", "_limits", "_max_bytes", "_max_frames", "_room", "_waits", "bytes",
                 "entries", "full", "peak")  # fmt: skip

    def __init__(self, limits: QueueLimits, counts: Counts) -> None:
        self._limits = limits
        self._max_frames = limits.max_frames
        self._max_bytes = limits.max_bytes
        self._waits = limits.when_full == "wait"
        self._counts = counts
        self.entries: deque[Entry] = deque()
        self.bytes = 0
        self.full = False
        self.peak = 0
        self._room = 0
        """Where fewer frames are queued, one more is neither a peak nor at the bound."""

    def put(self, frame: Frame, direction: FrameDirection, rank: int = 0) -> Put:
        """Queue a frame. What is not taken is counted."""
        size = frame.payload_bytes
        queued_bytes = self.bytes + size
        entries = self.entries
        if len(entries) < self._room and queued_bytes < self._max_bytes:
            self.bytes = queued_bytes
            entries.append((frame, direction, size, rank))
            return TAKEN
        return self._put(frame, direction, size, rank)

    def take(self) -> Entry:
        entry = self.entries.popleft()
        self.bytes -= entry[2]
        if self.full:
            self.settle()
        return entry

    def drop_interruptible(self) -> None:
        """Drop what an interruption drops; the rest stays in its order."""
        entries = self.entries
        kept = [entry for entry in entries if entry[0].uninterruptible]
        if len(kept) < len(entries):
            self._counts.dropped["interrupted"] += len(entries) - len(kept)
            entries.clear()
            entries.extend(kept)
            self.bytes = sum(entry[2] for entry in kept)
            self.settle()

    def clear(self, reason: str) -> None:
        """Drop everything."""
        if self.entries:
            self._counts.dropped[reason] += len(self.entries)
            self.entries.clear()
            self.bytes = 0
            self.settle()

    def settle(self) -> None:
        if len(self.entries) * 2 <= self._max_frames and self.bytes * 2 <= self._max_bytes:
            self.full = False

    def _put(self, frame: Frame, direction: FrameDirection, size: int, rank: int) -> Put:
        """Queue a frame where there is more to see to than its place."""
        if not self._waits:
            verdict = self._give_way(frame, size)
            if verdict is not TAKEN:
                return verdict
        self.entries.append((frame, direction, size, rank))
        self.bytes += size
        queued = len(self.entries)
        self.peak = max(self.peak, queued)
        if queued >= self._max_frames or self.bytes >= self._max_bytes:
            self.full = True
        self._room = 0 if self.full else min(self.peak, self._max_frames - 1)
        if not self.full:
            return TAKEN
        if (
            queued > self._max_frames * _OVERFLOW_FACTOR
            or self.bytes - size > self._max_bytes * _OVERFLOW_FACTOR
        ):
            self.entries.pop()
            self.bytes -= size
            self._counts.refused["overload"] += 1
            return OVERFLOW
        if self._waits or (self._limits.when_full != "close" and not _may_drop(frame)):
            return FULL
        return TAKEN

    def _give_way(self, frame: Frame, size: int) -> Put:
        """Make room for a frame by the policy; TAKEN: it may come in."""
        if not self._is_too_much(size):
            return TAKEN
        if self._limits.when_full == "close":
            self._counts.refused["overload"] += 1
            return OVERFLOW
        if not _may_drop(frame):
            return TAKEN
        if self._limits.when_full == "drop_newest":
            self._counts.dropped["full"] += 1
            return DROPPED
        index = 0
        while index < len(self.entries) and self._is_too_much(size):
            if _may_drop(self.entries[index][0]):
                self.bytes -= self.entries[index][2]
                del self.entries[index]
                self._counts.dropped["full"] += 1
            else:
                index += 1
        return TAKEN

    def _is_too_much(self, size: int) -> bool:
        # One frame always fits, however large it is.
        queued = len(self.entries)
        return queued >= self._max_frames or (queued > 0 and self.bytes + size > self._max_bytes)


class Mailbox:
    """The three queues of a lane.

    An end must not overtake the system frames that came before it: system frames are ranked in
    their order of arrival, and an end has the rank of the last one before it.
    """

    __slots__ = ("_ranked", "_served", "counts", "express", "ordered", "system")

    def __init__(self, limits: QueueLimits) -> None:
        self.counts = Counts()
        self.express: list[tuple[Frame, FrameDirection]] = []
        self.system = Queue(limits, self.counts)
        self.ordered = Queue(limits, self.counts)
        self._ranked = 0
        self._served = 0

    def put_system(self, frame: Frame, direction: FrameDirection) -> Put:
        """Queue a system frame."""
        verdict = self.system.put(frame, direction, self._ranked + 1)
        if verdict is TAKEN or verdict is FULL:
            self._ranked += 1
        return verdict

    def put_end(self, frame: Frame, direction: FrameDirection) -> None:
        """Queue an end or a stop, whatever the limits say."""
        self.ordered.entries.append((frame, direction, 0, self._ranked))

    def put_express(self, frame: Frame, direction: FrameDirection) -> bool:
        """Queue an interruption to be shown; False if too many wait to be shown already."""
        if len(self.express) >= _MAX_EXPRESS:
            return False
        self.express.append((frame, direction))
        return True

    def is_due(self, rank: int) -> bool:
        """Whether all system frames that precede an end of this rank have been dealt with."""
        return rank <= self._served

    def served(self, entry: Entry) -> None:
        """The system frame that was taken last has been dealt with."""
        self._served = entry[3]

    def drop_interruptible(self) -> None:
        """Drop what an interruption drops."""
        self.ordered.drop_interruptible()

    def clear(self, reason: str) -> None:
        """Drop everything that is queued; what is still to be shown has been acted on."""
        self.express.clear()
        self.system.clear(reason)
        self.ordered.clear(reason)
        self._served = self._ranked

    def has_ordered(self, frame: Frame) -> bool:
        """Whether this very frame waits among the ordered ones. Looks at each."""
        return any(entry[0] is frame for entry in self.ordered.entries)

    def statistics(self, taken: int) -> QueueStatistics:
        counts = self.counts
        return QueueStatistics(
            taken=taken,
            delivered=counts.delivered,
            dropped=dict(counts.dropped),
            refused=dict(counts.refused),
            queued=len(self.system.entries) + len(self.ordered.entries),
            queued_bytes=self.system.bytes + self.ordered.bytes,
            peak=max(self.system.peak, self.ordered.peak),
        )


def _may_drop(frame: Frame) -> bool:
    return frame.input_media or not frame.uninterruptible
