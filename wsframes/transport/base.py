"""What the two ends of a transport know of it."""

from abc import ABC, abstractmethod
from typing import Protocol

from wsframes.graph.processor import FrameProcessor
from wsframes.transport.lifetime import SessionLifetime
from wsframes.transport.tasks.shortcut import Shortcut
from wsframes.transport.wire import Wire

__all__ = ["BaseTransport", "Remains", "Shared"]


class Shared(Protocol):
    """What the two ends of a transport need of it."""

    @property
    def wire(self) -> Wire: ...

    @property
    def lifetime(self) -> SessionLifetime: ...

    @property
    def shortcut(self) -> Shortcut: ...


class Remains:
    """Stands for the transport, for an end that is done and lets go of it; see `Node.let_go`."""

    __slots__ = ("lifetime", "shortcut", "wire")

    def __init__(self, transport: Shared) -> None:
        self.wire = transport.wire
        self.lifetime = transport.lifetime
        self.shortcut = transport.shortcut


class BaseTransport(ABC):
    """A transport: an input, an output, and what they share.

    Attributes:
        wire: turns messages into frames and back.
        lifetime: opens, watches and closes the session.
        shortcut: lets the reader send what its message has led to.
    """

    wire: Wire
    lifetime: SessionLifetime
    shortcut: Shortcut

    @abstractmethod
    def input(self) -> FrameProcessor:
        """The processor that frames from the peer come out of."""

    @abstractmethod
    def output(self) -> FrameProcessor:
        """The processor that frames for the peer go into."""
