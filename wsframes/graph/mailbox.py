"""The queues of one lane, as a plain data structure: no waiting, no clock, no tasks.

Two queues: system frames and ordered frames, each in order of arrival. Start, Cancel and
Interruption never come in here; they act on a lane at once (see `lane`).

A queue is *full* from `max_frames` or `max_bytes` on, and stays full until it has fallen to half
of that, so that those who wait for it are woken once a batch and not once a frame. Under the
policy "wait" a full queue still takes frames, since some producers cannot wait; past sixteen times
the bound it *overflows*, which ends the run.

Invariant, at every moment: taken = delivered + dropped + refused + queued + at work.
"""

from collections import Counter, deque
from enum import Enum, auto
from typing import Literal

import msgspec

from wsframes.frames import Frame, FrameDirection, Lane

__all__ = ["Mailbox", "Put", "QueueLimits", "QueueStatistics"]

_OVERFLOW_FACTOR = 16


class QueueLimits(msgspec.Struct, frozen=True):
    """The bound of each queue of a lane, and what happens at it.

    Attributes:
        max_frames: frames.
        max_bytes: bytes of payload.
        when_full: "wait": those who `await push_frame` wait (the default). "drop_oldest" and
            "drop_newest": interruptible data and input media give way, counted. "close": the run
            ends with the reason `overload`.
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


class QueueStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Where the frames went: taken = delivered + dropped + refused + queued + at work.

    Attributes:
        taken: frames offered.
        delivered: frames processed to the end.
        dropped: frames given up, by reason.
        refused: frames not let in, by reason.
        queued: frames that wait now.
        queued_bytes: their payload.
        peak: the most that ever waited.
    """

    taken: int = 0
    delivered: int = 0
    dropped: dict[str, int] = {}
    refused: dict[str, int] = {}
    queued: int = 0
    queued_bytes: int = 0
    peak: int = 0


Entry = tuple[Frame, FrameDirection, int]


class _Queue:
    __slots__ = ("bytes", "entries", "full")

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.bytes = 0
        self.full = False

    def pop(self) -> Entry:
        entry = self.entries.popleft()
        self.bytes -= entry[0].payload_bytes
        return entry


class Mailbox:
    """Two bounded queues and their count."""

    __slots__ = ("_limits", "_ordered", "_system", "_system_done", "_system_in", "counts", "peak")

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._system = _Queue()
        self._ordered = _Queue()
        self._system_in = 0
        self._system_done = 0
        self.counts = Counts()
        self.peak = 0

    def __len__(self) -> int:
        return len(self._system.entries) + len(self._ordered.entries)

    def put(self, frame: Frame, direction: FrameDirection) -> Put:
        """Queue a frame behind those of its lane. Counts it as taken whatever becomes of it."""
        self.counts.taken += 1
        system = frame.lane is Lane.SYSTEM
        queue = self._system if system else self._ordered
        if queue.full and self._limits.when_full != "wait":
            verdict = self._give_way(queue, frame)
            if verdict is not None:
                return verdict
        # A terminal frame must not overtake the system frames that came before it.
        barrier = self._system_in if frame.lifecycle else 0
        if system:
            self._system_in += 1
        queue.entries.append((frame, direction, barrier))
        queue.bytes += frame.payload_bytes
        waiting = len(queue.entries)
        if waiting > self.peak:
            self.peak = waiting
        limits = self._limits
        if waiting < limits.max_frames and queue.bytes < limits.max_bytes:
            return Put.FULL if queue.full else Put.TAKEN
        queue.full = True
        if (
            waiting > limits.max_frames * _OVERFLOW_FACTOR
            or queue.bytes - frame.payload_bytes > limits.max_bytes * _OVERFLOW_FACTOR
        ):
            queue.entries.pop()
            queue.bytes -= frame.payload_bytes
            self._system_in -= system
            self.counts.refused["overload"] += 1
            return Put.OVERFLOW
        return Put.FULL

    def next_system(self) -> Entry | None:
        """Take the next system frame; say `system_done()` when it has been processed."""
        return self._take(self._system) if self._system.entries else None

    def system_done(self) -> None:
        """The system frame that was taken last has been dealt with."""
        self._system_done += 1

    def next_ordered(self) -> Entry | None:
        """Take the next ordered frame, unless it is terminal and system frames still precede it."""
        entries = self._ordered.entries
        if not entries or entries[0][2] > self._system_done:
            return None
        return self._take(self._ordered)

    def is_full(self, lane: Lane) -> bool:
        """Whether those who push to this lane should wait."""
        return (self._system if lane is Lane.SYSTEM else self._ordered).full

    def is_empty(self, lane: Lane) -> bool:
        return not (self._system if lane is Lane.SYSTEM else self._ordered).entries

    def first_ordered(self) -> Frame | None:
        """The ordered frame that is next, left in its place."""
        entries = self._ordered.entries
        return entries[0][0] if entries else None

    def has_ordered(self, frame_type: type[Frame]) -> bool:
        """Whether a frame of this type waits among the ordered ones. Looks at each."""
        return any(isinstance(entry[0], frame_type) for entry in self._ordered.entries)

    def drop_interruptible(self) -> None:
        """Drop what an interruption drops; the rest stays in its order."""
        queue = self._ordered
        for _ in range(len(queue.entries)):
            entry = queue.pop()
            if entry[0].uninterruptible:
                queue.entries.append(entry)
                queue.bytes += entry[0].payload_bytes
            else:
                self.counts.dropped["interrupted"] += 1
        self._settle(queue)

    def clear(self, reason: str) -> None:
        """Drop everything."""
        for queue in (self._system, self._ordered):
            while queue.entries:
                queue.pop()
                self.counts.dropped[reason] += 1
            self._settle(queue)
        self._system_done = self._system_in

    def statistics(self) -> QueueStatistics:
        return QueueStatistics(
            taken=self.counts.taken,
            delivered=self.counts.delivered,
            dropped=dict(self.counts.dropped),
            refused=dict(self.counts.refused),
            queued=len(self),
            queued_bytes=self._system.bytes + self._ordered.bytes,
            peak=self.peak,
        )

    def _take(self, queue: _Queue) -> Entry:
        entry = queue.pop()
        if queue.full:
            self._settle(queue)
        return entry

    def _settle(self, queue: _Queue) -> None:
        limits = self._limits
        if len(queue.entries) * 2 <= limits.max_frames and queue.bytes * 2 <= limits.max_bytes:
            queue.full = False

    def _give_way(self, queue: _Queue, frame: Frame) -> Put | None:
        if self._limits.when_full == "close":
            self.counts.refused["overload"] += 1
            return Put.OVERFLOW
        if not _may_drop(frame):
            return None
        if self._limits.when_full == "drop_newest":
            self.counts.dropped["full"] += 1
            return Put.DROPPED
        for index, entry in enumerate(queue.entries):
            if _may_drop(entry[0]):
                del queue.entries[index]
                queue.bytes -= entry[0].payload_bytes
                self._system_done += entry[0].lane is Lane.SYSTEM
                self.counts.dropped["full"] += 1
                break
        return None


def _may_drop(frame: Frame) -> bool:
    return frame.input_media or not frame.uninterruptible


class Counts:
    """What has become of frames so far; `delivered` is counted by whoever processes them."""

    __slots__ = ("delivered", "dropped", "refused", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self.delivered = 0
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
