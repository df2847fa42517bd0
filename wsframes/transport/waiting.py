"""What the tasks of a transport wait for."""

from collections import deque

import anyio

from wsframes.frames import InterruptionFrame

__all__ = ["ClearGate", "Signal", "Turns"]


class Signal:
    """Wakes all who wait for it now, and none who come later."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def set(self) -> None:
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()


class ClearGate:
    """Shut from an interruption until the peer has been told of it, so that no new audio overtakes.

    Attributes:
        is_shut: whether a peer has yet to be told.
    """

    __slots__ = ("_opened", "_untold", "is_shut")

    def __init__(self) -> None:
        self._untold: set[int] = set()
        self._opened = Signal()
        self.is_shut = False

    def shut(self, interruption: InterruptionFrame) -> None:
        self._untold.add(interruption.id)
        self.is_shut = True

    def awaits(self, interruption: InterruptionFrame) -> bool:
        """Whether the peer is to be told of this one."""
        return interruption.id in self._untold

    def told(self, interruption: InterruptionFrame) -> None:
        """The peer has been told, or cannot be."""
        self._untold.discard(interruption.id)
        if not self._untold:
            self.is_shut = False
            self._opened.set()

    async def wait_open(self) -> None:
        while self.is_shut:
            await self._opened.wait()


class Turns:
    """A lock: those who wait for it get it in the order in which they came.

    It is here because taking `anyio.Lock` costs 1.6 us where nobody holds it, and every message
    takes it: that one looks for a cancellation each time.
    """

    __slots__ = ("_taken", "_waiting")

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[anyio.Event] = deque()

    async def take(self) -> None:
        """Wait for one's turn. Cancelled: it was not taken."""
        if not self._taken:
            self._taken = True
            return
        turn = anyio.Event()
        self._waiting.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.give()
            else:
                self._waiting.remove(turn)
            raise

    def give(self) -> None:
        """Let the next one have it."""
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._taken = False
