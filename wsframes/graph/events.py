"""Event handlers: who may listen to what, and how the listeners are called.

The events of a run are told one after the other, in the order in which they happened: a handler
that is still at work delays the next one, up to the handler timeout. Then it is cancelled and
counted, so that a handler that never returns holds nothing up for good.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from anyio.abc import TaskGroup

from wsframes.exceptions import UsageError
from wsframes.graph.at_work import at_work
from wsframes.graph.clock import finds_loop
from wsframes.graph.failures import is_failure
from wsframes.graph.mailbox import Counts, QueueStatistics

if TYPE_CHECKING:
    from wsframes.graph.alarm import Alarm

__all__ = ["EventHandlers", "EventQueue"]

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)

_MAX_WAITING = 1024


class EventHandlers:
    """The events of one object by name, each with its handlers.

    Attributes:
        handled: the events that have any, with them; to be read only.
    """

    __slots__ = ("_names", "_owner", "handled")

    def __init__(self, owner: str, names: Iterable[str]) -> None:
        self._owner = owner
        self._names = frozenset(names)
        # Of those that somebody listens to: most objects have events, and nobody does.
        self.handled: dict[str, list[Handler]] = {}

    def register(self, name: str) -> None:
        """Make a name known, so that handlers can be added to it."""
        self._names |= {name}

    def add(self, name: str, handler: Handler) -> None:
        """Add a handler, `def` or `async def`.

        Raises:
            UsageError: there is no event of that name.
        """
        self.get(name)
        self.handled.setdefault(name, []).append(handler)

    def handler(self, name: str) -> Callable[[H], H]:
        """The decorator form of `add`."""

        def decorate(function: H) -> H:
            self.add(name, function)
            return function

        return decorate

    def get(self, name: str) -> Sequence[Handler]:
        """The handlers of an event.

        Raises:
            UsageError: there is no event of that name.
        """
        handlers = self.handled.get(name)
        if handlers is not None:
            return handlers
        if name not in self._names:
            known = ", ".join(sorted(self._names)) or "none"
            raise UsageError(f"{self._owner} has no event {name!r}; its events: {known}")
        return ()


class EventQueue:
    """Calls handlers in order, in a task that lives only while there is something to tell.

    That task is shielded: a run that is cancelled still tells its events. Whoever owns the queue
    gives up what takes too long by `abandon`.

    Args:
        task_group: where that task runs.
        handler_timeout_s: how long one handler may take.
        failed: told the name of the event and the exception of a handler.
    """

    __slots__ = ("_counts", "_emitted", "_failed", "_idle", "_scope", "_task_group", "_timeout_s",
                 "_waiting", "_waiting_of", "alarm")  # fmt: skip

    def __init__(
        self,
        task_group: TaskGroup,
        handler_timeout_s: float,
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self._task_group: TaskGroup | None = task_group
        self._timeout_s = handler_timeout_s
        self._failed = failed
        self._waiting: list[tuple[str, Handler, tuple[Any, ...]]] = []
        self._waiting_of: Counter[str] = Counter()
        self._scope: anyio.CancelScope | None = None
        self._idle: anyio.Event | None = None
        self._emitted = 0
        self._counts = Counts()
        self.alarm: Alarm | None = None
        """What starts that task where a callback of the event loop emits."""

    def emit(self, handlers: EventHandlers, name: str, *args: Any) -> None:
        """Tell an event, soon; never waits.

        At most 1024 of one name wait; what comes then is dropped and counted.

        Raises:
            UsageError: there is no event of that name.
        """
        for handler in handlers.get(name):
            self._emitted += 1
            if self._task_group is None:
                self._counts.dropped["finished"] += 1
            elif self._waiting_of[name] >= _MAX_WAITING:
                self._counts.dropped["full"] += 1
            else:
                self._waiting.append((name, handler, args))
                self._waiting_of[name] += 1
                if self._scope is None:
                    self._begin()

    async def wait_idle(self) -> None:
        """Wait until everything that was emitted has been told."""
        self._begin()  # a callback may have emitted when the alarm was off
        while self._scope is not None:
            if self._idle is None:
                self._idle = anyio.Event()
            await self._idle.wait()

    def abandon(self) -> None:
        """Give up the handler at work and those that wait; counted."""
        if self._scope is not None:
            self._counts.dropped["abandoned"] += len(self._waiting)
            self._waiting.clear()
            self._waiting_of.clear()
            self._scope.cancel()
            # The next event does not wait for a handler that does not let itself be cancelled.
            self._rest()

    def close(self) -> None:
        """Tell nothing any more."""
        self.abandon()
        self._task_group = None

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        del self._failed, self.alarm

    def statistics(self) -> QueueStatistics:
        """Calls of handlers, and what became of them."""
        return QueueStatistics(
            taken=self._emitted,
            delivered=self._counts.delivered,
            dropped=dict(self._counts.dropped),
            queued=len(self._waiting),
        )

    def _begin(self) -> None:
        if self._scope is not None or self._task_group is None or not self._waiting:
            return
        if finds_loop():
            self._scope = anyio.CancelScope(shield=True)
            self._task_group.start_soon(self._deliver, self._scope, name="wsframes events")
        elif self.alarm is not None and len(self._waiting) == 1:
            self.alarm.call_at(self.alarm.clock(), self._begin)

    async def _deliver(self, scope: anyio.CancelScope) -> None:
        at_work.set(None)  # a handler is not part of the work that emitted
        with scope:
            while self._waiting and self._scope is scope:
                name, handler, args = self._waiting.pop(0)
                self._waiting_of[name] -= 1
                await self._call(name, handler, args)
        if self._scope is scope:
            self._rest()

    def _rest(self) -> None:
        self._scope = None
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    async def _call(self, name: str, handler: Handler, args: tuple[Any, ...]) -> None:
        outcome = "abandoned"
        try:
            with anyio.move_on_after(self._timeout_s) as limit:
                result = handler(*args)
                if inspect.isawaitable(result):
                    await result
                outcome = "delivered"
            if limit.cancelled_caught:
                outcome = "handler_timeout"
                text = f"a handler of {name} did not return within {self._timeout_s} s"
                self._failed(name, TimeoutError(text))
        except BaseException as exc:
            if not is_failure(exc):
                raise
            outcome = "error"
            self._failed(name, exc)
        finally:
            if outcome == "delivered":
                self._counts.delivered += 1
            else:
                self._counts.dropped[outcome] += 1
