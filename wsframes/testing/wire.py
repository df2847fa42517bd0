"""The two directions of an in-memory connection: bounded, counted, and without I/O.

`Inbox` holds what the peer has sent and the app not yet received; `Wire` holds what the
app has sent and the peer not yet read. A wire is a function of time: nothing runs
behind it, and `Wire.advance` works out what has been read by a given moment.

Invariant of both, in messages and in bytes: offered = delivered + waiting + lost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf, nextafter
from typing import Any, NamedTuple

__all__ = ["Amount", "Data", "End", "Event", "FlowStatistics", "Inbox", "Wire"]

Data = str | bytes

#: Less than this part of a byte is a rounding error of time x rate.
_NOTHING_BYTES = 1e-6


class Amount(NamedTuple):
    """So many messages with so many bytes of payload (text in UTF-8)."""

    messages: int
    bytes: int


@dataclass(frozen=True)
class FlowStatistics:
    """One direction: ``offered = delivered + waiting + lost``."""

    offered: Amount
    delivered: Amount
    waiting: Amount
    lost: Amount


class Event(NamedTuple):
    """A whole ASGI event for the app. ``lie``: it says nothing about the connection."""

    message: dict[str, Any]
    lie: bool = False


class End(NamedTuple):
    """The last thing on a wire: a close frame, or with 1006 the end without one."""

    code: int
    reason: str


def size_bytes(data: Data) -> int:
    return len(data.encode()) if isinstance(data, str) else len(data)


@dataclass
class _Tally:
    messages: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        self.messages += 1
        self.bytes += size

    def remove(self, size: int) -> None:
        self.messages -= 1
        self.bytes -= size

    def amount(self) -> Amount:
        return Amount(self.messages, self.bytes)


@dataclass
class _Flow:
    offered: _Tally = field(default_factory=_Tally)
    delivered: _Tally = field(default_factory=_Tally)
    waiting: _Tally = field(default_factory=_Tally)
    lost: _Tally = field(default_factory=_Tally)

    def statistics(self) -> FlowStatistics:
        return FlowStatistics(
            self.offered.amount(),
            self.delivered.amount(),
            self.waiting.amount(),
            self.lost.amount(),
        )


class Inbox:
    """What waits for the app's ``receive()``: messages within bounds, and events.

    It takes messages while both bounds are not reached, so a single message of any size
    fits into an empty one. Events are outside the bounds and are not counted.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._items: deque[Data | Event] = deque()
        self._flow = _Flow()

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def full(self) -> bool:
        waiting = self._flow.waiting
        return waiting.messages >= self._max_messages or waiting.bytes >= self._max_bytes

    def put(self, data: Data) -> None:
        size = size_bytes(data)
        self._flow.offered.add(size)
        self._flow.waiting.add(size)
        self._items.append(data)

    def put_event(self, event: Event) -> None:
        self._items.append(event)

    def lose(self, data: Data) -> None:
        size = size_bytes(data)
        self._flow.offered.add(size)
        self._flow.lost.add(size)

    def take(self) -> Data | Event:
        item = self._items.popleft()
        if not isinstance(item, Event):
            size = size_bytes(item)
            self._flow.waiting.remove(size)
            self._flow.delivered.add(size)
        return item

    def statistics(self) -> FlowStatistics:
        return self._flow.statistics()


class Wire:
    """What is on its way to the peer, which reads it at ``rate`` bytes/s, or not at all
    while it is ``stalled``. Call `advance` before every change, so that it counts from
    now, and after it."""

    def __init__(self, limit_bytes: int) -> None:
        self.rate = inf
        self.stalled = False
        self._limit_bytes = limit_bytes
        self._items: deque[tuple[int, Data | End]] = deque()
        self._head_read_bytes = 0.0
        self._read_until_s = 0.0
        self._flow = _Flow()

    def put(self, item: Data | End) -> None:
        size = 0
        if not isinstance(item, End):
            size = size_bytes(item)
            self._flow.offered.add(size)
            self._flow.waiting.add(size)
        self._items.append((size, item))

    def advance(self, now_s: float) -> list[tuple[float, Data | End]]:
        """What the peer has finished reading by ``now_s``, each with its time."""
        done: list[tuple[float, Data | End]] = []
        while self._items and not self.stalled:
            size, item = self._items[0]
            done_s = self._read_until_s + self._head_left_bytes() / self.rate
            if done_s > now_s:
                self._head_read_bytes += (now_s - self._read_until_s) * self.rate
                break
            self._items.popleft()
            self._head_read_bytes = 0.0
            self._read_until_s = done_s
            done.append((done_s, item))
            if not isinstance(item, End):
                self._flow.waiting.remove(size)
                self._flow.delivered.add(size)
        self._read_until_s = now_s
        return done

    @property
    def over_limit(self) -> bool:
        return self._excess_bytes() > _NOTHING_BYTES

    def next_change_s(self) -> float:
        """When the next item will have been read, or the limit been reached from above,
        whichever is first; inf if not by itself."""
        if self.stalled or not self._items:
            return inf
        change_s = self._read_until_s + self._head_left_bytes() / self.rate
        if self.over_limit:
            below_s = self._read_until_s + self._excess_bytes() / self.rate
            # Rounding must not make it now, or who waits for it would wait in a circle.
            change_s = min(change_s, max(below_s, nextafter(self._read_until_s, inf)))
        return change_s

    def discard(self) -> None:
        for size, item in self._items:
            if not isinstance(item, End):
                self._flow.waiting.remove(size)
                self._flow.lost.add(size)
        self._items.clear()
        self._head_read_bytes = 0.0

    def statistics(self) -> FlowStatistics:
        return self._flow.statistics()

    def _excess_bytes(self) -> float:
        return self._flow.waiting.bytes - self._head_read_bytes - self._limit_bytes

    def _head_left_bytes(self) -> float:
        left_bytes = self._items[0][0] - self._head_read_bytes
        return left_bytes if left_bytes > _NOTHING_BYTES else 0.0
