"""An ASGI server whose sends fail, on purpose, from a given one on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from .app_run import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FailingSends"]


class FailingSends:
    """Stands before an ASGI application, and spoils what it sends.

    So a session can be tried with each of its writes as the first that fails::

        for number in itertools.count(1):
            app = FailingSends(session, number)
            async with MemoryPeer(app) as peer:
                ...
            if not app.failed:
                break  # it sent less than that

    Args:
        app: what is served.
        number: of the first send that fails, from 1. All kinds count, the accept and the close too.
        how: "raises": that one and all after it. "raises once": the next ones go through again.
            "hangs": that one and all after it, until they are cancelled; their messages are lost.
        error: makes what is raised.
    """

    def __init__(
        self,
        app: ASGIApp,
        number: int,
        how: Literal["raises", "raises once", "hangs"] = "raises",
        error: Callable[[], Exception] = OSError,
    ) -> None:
        self.sends: Counter[str] = Counter()
        """How many there were, by the type of the message, those that failed included."""
        self.failed: list[Message] = []
        """Those that failed."""
        self.failed_s: float | None = None
        """When the first of them did, of `anyio.current_time()`."""
        self._app = app
        self._number = number
        self._how = how
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def failing(message: Message) -> None:
            self.sends[message["type"]] += 1
            if not self._fails(self.sends.total()):
                await send(message)
                return
            self.failed.append(message)
            if self.failed_s is None:
                self.failed_s = anyio.current_time()
            if self._how == "hangs":
                await anyio.sleep_forever()
            raise self._error()

        await self._app(scope, receive, failing)

    def _fails(self, number: int) -> bool:
        if self._how == "raises once":
            return number == self._number
        return number >= self._number
