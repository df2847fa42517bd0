"""Frames that wait for their time.

A plain data structure: no waiting, no clock. Times are nanoseconds from the start of the output's
clock, as a frame's `pts` has them.
"""

import heapq
import itertools
from collections import Counter

import msgspec

from wsframes.frames import Frame

__all__ = ["TimedFrames", "TimedStatistics"]

_MAX_FRAMES = 1024
_MAX_BYTES = 1 << 20


class TimedStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the frames with a time: taken = sent + dropped + queued.

    Attributes:
        taken: frames.
        sent: whose time came, and which went on.
        dropped: by reason.
        queued: that wait for their time, or are being sent.
    """

    taken: int
    sent: int
    dropped: dict[str, int]
    queued: int


class TimedFrames:
    """Frames by time; those of the same time in the order in which they were put.

    Args:
        max_bytes: of payload.
    """

    __slots__ = ("_bytes", "_dropped", "_heap", "_max_bytes", "_number", "_sent", "_taken")

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        # With the size that each frame had when it was put: what is in a frame may change.
        self._heap: list[tuple[int, int, Frame, int]] = []
        self._number = itertools.count()
        self._bytes = 0
        self._taken = 0
        self._sent = 0
        self._dropped: Counter[str] = Counter()

    @property
    def has_room(self) -> bool:
        """Whether one more may be put: 1,024 frames are the most."""
        return len(self._heap) < _MAX_FRAMES and self._bytes < self._max_bytes

    def put(self, frame: Frame) -> None:
        """Keep a frame until its time."""
        assert frame.pts is not None
        size = frame.payload_bytes
        self._taken += 1
        self._bytes += size
        heapq.heappush(self._heap, (frame.pts, next(self._number), frame, size))

    @property
    def next_ns(self) -> int | None:
        """When the next one is due; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def take(self) -> Frame:
        """Take the next one; say `done` when it has been dealt with."""
        _, _, frame, size = heapq.heappop(self._heap)
        self._bytes -= size
        return frame

    def done(self, dropped: str | None) -> None:
        """Count what was taken, as sent or as dropped for this reason."""
        if dropped is None:
            self._sent += 1
        else:
            self._dropped[dropped] += 1

    def drop(self, reason: str, *, all_frames: bool = False) -> None:
        """Drop the interruptible frames, or every one."""
        kept = [] if all_frames else [entry for entry in self._heap if entry[2].uninterruptible]
        dropped = len(self._heap) - len(kept)
        if dropped:
            self._dropped[reason] += dropped
            heapq.heapify(kept)
            self._heap = kept
            self._bytes = sum(size for *_, size in kept)

    def statistics(self) -> TimedStatistics:
        dropped = dict(self._dropped)
        return TimedStatistics(
            taken=self._taken,
            sent=self._sent,
            dropped=dropped,
            queued=self._taken - self._sent - sum(dropped.values()),
        )
