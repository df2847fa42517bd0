"""How an answer gets out in the task that read the question.

A sender has a task of its own, since audio waits for its time and peers are slow. But an echo, or
any answer that is there as soon as the message has been through the pipeline, is due at once, and
to wake that task for it costs as much as all the rest of the way: 20 us in a server that sleeps
between messages. So while the reader pushes a message's frame, senders that sleep do not wake their
task but ask the reader, which sends for them what is due, and reads on.

A reader that had to wait for a send would not see what the peer says meanwhile. Where one has to
wait, another task reads on (see `input`), and the way is not taken again in that session.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from wsframes.graph.clock import loop_clock
from wsframes.transport.tasks.nap import Nap
from wsframes.transport.tasks.waiting import Begun, Signal

__all__ = ["SendsDue", "Shortcut", "Summons"]


class SendsDue(Protocol):
    """A sender, as the reader sees it."""

    def send_due(self) -> Coroutine[Any, Any, None]:
        """Send what is due now, and leave the rest to the sender's own task."""

    def wake(self) -> None:
        """Leave all of it to the sender's own task."""


class Shortcut:
    """Where senders ask the reader.

    Attributes:
        is_open: whether the reader is pushing a frame right now.
        asked: the senders that it is to send for when the frame has been pushed.
    """

    __slots__ = ("asked", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self.asked: list[SendsDue] = []

    async def send(self, read_on: Callable[[], None]) -> bool:
        """For the reader: send for those who have asked.

        Args:
            read_on: called before the first time that this waits.

        Returns:
            False if it has waited, and another task reads on.
        """
        asked = self.asked
        while asked:
            sending = asked.pop().send_due()
            try:
                wish = sending.send(None)
            except StopIteration:
                continue
            while asked:
                asked.pop().wake()
            read_on()
            await Begun(sending, wish)
            return False
        return True


class Summons:
    """Calls one sender to work: the reader in its stead, where that can be, or its own task.

    A sender may do without a task of its own until there is something that the reader cannot send:
    an idle session, and one that only answers, saves 6 KiB.

    Attributes:
        lent: whether a task is at work; if that is not the sender's own, it waits for a call.
        nap: the sleeps of the sender's own task between its work.
    """

    __slots__ = ("_more", "_sender", "_shortcut", "_start", "lent", "nap")

    def __init__(self, shortcut: Shortcut, sender: SendsDue) -> None:
        self._shortcut = shortcut
        self._sender = sender
        self._more = Signal()
        self._start: Callable[[], bool] | None = None
        self.lent = False
        self.nap = Nap(loop_clock())

    def begin(self, start: Callable[[], bool]) -> None:
        """The sender has no task yet.

        Args:
            start: called when it is to have one; False: it has no need of one after all.
        """
        self._start = start

    def call(self) -> None:
        """There is something to do."""
        shortcut = self._shortcut
        asleep = self._more.is_awaited or self._start is not None
        if not shortcut.is_open or self.lent or not asleep:
            self.wake()
        elif self._sender not in shortcut.asked:
            shortcut.asked.append(self._sender)

    def wake(self) -> None:
        """The sender's own task is to do it."""
        if self._start is None:
            self._more.set()
        elif self._start():
            self._start = None

    async def wait(self) -> None:
        """For the sender's own task: sleep until it is called."""
        await self._more.wait()
