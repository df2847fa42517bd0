"""What the tasks of a transport wait for."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

import anyio

from wsframes.graph.wakeup import Wakeup, loop_wakeup

__all__ = ["Begun", "ClearGate", "Signal", "Turns"]

T = TypeVar("T")


class Begun(Generic[T]):
    """Await it: the rest of a coroutine that somebody has begun by hand, up to its first wait.

    So it is seen whether a coroutine has to wait at all, before this task gives way to others:

        coroutine = work()
        try:
            wish = coroutine.send(None)
        except StopIteration:
            ...  # it is done, and did not wait
        else:
            ...  # it waits
            await Begun(coroutine, wish)

    Args:
        coroutine: in the task that awaits this.
        wish: what it has asked the event loop for.
    """

    __slots__ = ("_coroutine", "_wish")

    def __init__(self, coroutine: Coroutine[Any, Any, T], wish: Any) -> None:
        self._coroutine = coroutine
        self._wish = wish

    def __await__(self) -> Generator[Any, Any, T]:
        coroutine, wish = self._coroutine, self._wish
        try:
            while True:
                try:
                    answer = yield wish
                except BaseException as exc:
                    raised: BaseException | None = exc
                else:
                    raised = None
                if raised is None:
                    wish = coroutine.send(answer)
                else:
                    wish = coroutine.throw(raised)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            raised = None  # it has this frame in its traceback


class Signal:
    """Wakes all who wait for it now, and none who come later."""

    __slots__ = ("_new_wakeup", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[Wakeup, None] = {}  # a set that keeps the order
        self._new_wakeup: Callable[[], Wakeup] | None = None

    @property
    def is_awaited(self) -> bool:
        return bool(self._waiting)

    def set(self) -> None:
        waiting = self._waiting
        if waiting:
            for wakeup in waiting:
                if not wakeup.done():
                    wakeup.set_result(None)
            waiting.clear()

    async def wait(self) -> None:
        if self._new_wakeup is None:
            self._new_wakeup = loop_wakeup()
        wakeup = self._new_wakeup()
        self._waiting[wakeup] = None
        try:
            await wakeup
        except BaseException:
            self._waiting.pop(wakeup, None)  # or it was woken, and then cancelled
            raise


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

    __slots__ = ("_waiting", "taken")

    def __init__(self) -> None:
        self.taken = False
        """Whether somebody has it. Who finds it False may set it, as `take_nowait` does."""
        self._waiting: list[anyio.Event] = []

    def take_nowait(self) -> bool:
        """Take it if nobody has it; says whether it was taken."""
        if self.taken:
            return False
        self.taken = True
        return True

    async def take(self) -> None:
        """Wait for one's turn. Cancelled: it was not taken."""
        if self.take_nowait():
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

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(self, *exc_info: object) -> None:
        self.give()

    def give(self) -> None:
        """Let the next one have it."""
        if self._waiting:
            self._waiting.pop(0).set()
        else:
            self.taken = False
