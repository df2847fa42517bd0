"""What every frame has: identity, time and route, and how the graph must treat its type.

How a frame is delivered is a fact of its type, never of the instance. Four class attributes say
it: `lane`, `uninterruptible`, `lifecycle` and `input_media`. `docs/frames.md` prints them for
every type.
"""

import itertools
from enum import Enum
from typing import Any, ClassVar, Self, dataclass_transform

import msgspec

__all__ = [
    "ControlFrame",
    "DataFrame",
    "Frame",
    "FrameDirection",
    "Lane",
    "SystemFrame",
    "UninterruptibleFrame",
]

_next_id = itertools.count(1).__next__

_COMMON_FIELDS = ("id", "pts", "metadata", "transport_source", "transport_destination")


class FrameDirection(Enum):
    """Which way a frame moves through the graph."""

    DOWNSTREAM = 1
    UPSTREAM = 2


class Lane(Enum):
    """Which queue of a processor a frame waits in."""

    SYSTEM = "system"
    """Overtakes ordered frames; handled beside them."""
    ORDERED = "ordered"
    """Keeps its place among data and control frames."""


# So that type checkers let a subclass of one line be frozen, as it is.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Frame(msgspec.Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """One thing that flows through the graph. Subclass one of Data, Control and SystemFrame.

    A frame is immutable, and two frames are equal only if they are the same object. Your own frame
    takes one line for each field; payload fields are positional::

        class ScoreFrame(DataFrame):
            score: float

    Attributes:
        id: unique in this process, given at creation.
        pts: presentation time in nanoseconds from the start of the output, or None for "as soon as
            its turn comes". 0 is a time.
        metadata: yours. A dict of this frame alone; the one part of a frame that may be changed.
        transport_source: name of the source at the peer that the frame came from.
        transport_destination: name of the destination at the peer that the frame is for; None is
            the default destination.
    """

    lane: ClassVar[Lane] = Lane.ORDERED
    uninterruptible: ClassVar[bool] = False
    """Survives an interruption, in its place."""
    lifecycle: ClassVar[bool] = False
    """Moved by the graph itself, past processors that do not push it."""
    input_media: ClassVar[bool] = False
    """A system frame that comes in bulk: whoever pushes it waits while the receiver is full."""

    id: int = msgspec.field(default_factory=_next_id)
    pts: int | None = None
    metadata: dict[str, Any] = {}
    transport_source: str | None = None
    transport_destination: str | None = None

    @property
    def payload_bytes(self) -> int:
        """About how much memory the payload takes; queues are bounded by the sum of it.

        Override it in a frame of yours that can be large.
        """
        return 0

    @property
    def name(self) -> str:
        """Type and number, as in `TextFrame#7`."""
        return f"{type(self).__name__}#{self.id}"

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; all others are kept, the `id` too.

        Raises:
            TypeError: the frame has no field of that name.
        """
        return msgspec.structs.replace(self, **changes)

    def __repr__(self) -> str:
        # A frame may hold a megabyte of samples, or what a user said: neither belongs into a log.
        parts = [
            f"{name}={_brief(getattr(self, name))}"
            for name in self.__struct_fields__
            if name not in _COMMON_FIELDS
        ]
        return f"{self.name}({', '.join(parts)})"


def _brief(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    text = repr(value)
    return text if len(text) <= 64 else text[:63] + "\u2026"


class SystemFrame(Frame):
    """Overtakes data and control frames, and is not touched by an interruption."""

    lane: ClassVar[Lane] = Lane.SYSTEM
    uninterruptible: ClassVar[bool] = True


class DataFrame(Frame):
    """Payload, in order. An interruption drops it."""


class ControlFrame(Frame):
    """An instruction, in order with the data. An interruption drops it."""


class UninterruptibleFrame(Frame):
    """The mark of ordered frames that an interruption must not drop: add it as a second base."""

    uninterruptible: ClassVar[bool] = True
