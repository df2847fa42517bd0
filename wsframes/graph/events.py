"""Event handlers: who may listen to what, and how the listeners are called.

The events of a run are told one after the other, in the order in which they happened: a handler
that is still at work delays the next one, up to the handler timeout. Then it is cancelled and
counted, so that a handler that never returns holds nothing up for good.
"""

import inspect
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskGroup

from wsframes.exceptions import UsageError

__all__ = ["EventHandlers", "EventQueue"]

logger = logging.getLogger(__name__)

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)

_MAX_WAITING = 1024


class EventHandlers:
    """The events of one object by name, each with its handlers."""

    __slots__ = ("_handlers", "_owner")

    def __init__(self, owner: str, names: Iterable[str]) -> None:
        self._owner = owner
        self._handlers: dict[str, list[Handler]] = {name: [] for name in names}

    def register(self, name: str) -> None:
        """Make a name known, so that handlers can be added to it."""
        self._handlers.setdefault(name, [])

    def add(self, name: str, handler: Handler) -> None:
        """Add a handler, `def` or `async def`.

        Raises:
            UsageError: there is no event of that name.
        """
        if name not in self._handlers:
            known = ", ".join(sorted(self._handlers)) or "none"
            raise UsageError(f"{self._owner} has no event {name!r}; its events: {known}")
        self._handlers[name].append(handler)

    def handler(self, name: str) -> Callable[[H], H]:
        """The decorator form of `add`."""

        def decorate(function: H) -> H:
            self.add(name, function)
            return function

        return decorate

    def get(self, name: str) -> list[Handler]:
        return self._handlers[name]


class EventQueue:
    """Calls handlers in order, in a task that lives only while there is something to tell.

    Args:
        task_group: where that task runs.
        handler_timeout_s: how long one handler may take.
        failed: told the name of the event and the exception, or None for a timeout.
    """

    __slots__ = ("_active", "_failed", "_idle", "_scope", "_task_group", "_timeout_s", "_waiting",
                 "dropped")  # fmt: skip

    def __init__(
        self,
        task_group: TaskGroup,
        handler_timeout_s: float,
        failed: Callable[[str, Exception], None],
    ) -> None:
        self._task_group = task_group
        self._timeout_s = handler_timeout_s
        self._failed = failed
        self._waiting: deque[tuple[str, Handler, tuple[Any, ...]]] = deque()
        self._active = False
        self._idle = anyio.Event()
        self._scope: anyio.CancelScope | None = None
        self.dropped: Counter[str] = Counter()

    def emit(self, handlers: EventHandlers, name: str, *args: Any) -> None:
        """Tell an event, soon. Never waits, never raises."""
        for handler in handlers.get(name):
            if len(self._waiting) >= _MAX_WAITING:
                self.dropped["full"] += 1
                continue
            self._waiting.append((name, handler, args))
            if not self._active:
                self._active = True
                self._idle = anyio.Event()
                self._task_group.start_soon(self.deliver, name="wsframes events")

    async def wait_idle(self) -> None:
        """Wait until everything that was emitted has been told."""
        if self._active:
            await self._idle.wait()

    def take_over(self) -> None:
        """From now on, what is emitted waits for `deliver`."""
        self._active = True

    async def deliver(self) -> None:
        """Tell what waits, in this task."""
        try:
            while self._waiting:
                await self._call(*self._waiting.popleft())
        finally:
            self._active = False
            self._idle.set()

    def abandon(self) -> None:
        """Give up the handler at work and those that wait; counted."""
        self.dropped["abandoned"] += len(self._waiting) + self._active
        self._waiting.clear()
        if self._scope is not None:
            self._scope.cancel()

    async def _call(self, name: str, handler: Handler, args: tuple[Any, ...]) -> None:
        with anyio.move_on_after(self._timeout_s) as self._scope:
            try:
                result = handler(*args)
                if inspect.isawaitable(result):
                    await result
            except Exception as exc:
                self._failed(name, exc)
        timed_out = self._scope.cancelled_caught and anyio.current_time() >= self._scope.deadline
        self._scope = None
        if timed_out:
            self.dropped["handler_timeout"] += 1
            text = f"a handler of {name} did not return within {self._timeout_s} s"
            self._failed(name, TimeoutError(text))
