"""What the tasks of a transport wait for."""

from collections import deque

import anyio

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

    Whoever tells the peer asks for the number first, and gives it back when that is done: what is
    told covers all interruptions until then.

    Attributes:
        is_shut: whether the peer has yet to be told.
        number: of the latest interruption.
    """

    __slots__ = ("_opened", "_told", "is_shut", "number")

    def __init__(self) -> None:
        self.number = 0
        self.is_shut = False
        self._told = 0
        self._opened = Signal()

    def shut(self) -> None:
        self.number += 1
        self.is_shut = True

    def told(self, number: int) -> None:
        """The peer has been told of the interruptions up to this one, or cannot be."""
        self._told = max(self._told, number)
        if self._told == self.number:
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
