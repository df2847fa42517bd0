"""One call of an ASGI app: what it is called with, how it ended, and what stays alive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import anyio

from .outcomes import is_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ASGIApp", "AppRun", "Message", "Receive", "Scope", "Send", "websocket_scope"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class AppRun:
    """How the app fares. ``error`` is what it raised, ``cancelled`` says whether it had
    not finished by itself in time, ``finished`` is set when it is over, either way, and
    ``begun`` is true from the beginning of the block on."""

    def __init__(self, app: ASGIApp) -> None:
        self.error: Exception | None = None
        self.begun = False
        self.cancelled = False
        self.finished = anyio.Event()
        self._app = app

    @asynccontextmanager
    async def running(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        leave: Callable[[], None],
        cut: Callable[[], None],
        ended: Callable[[], None],
        patience_s: float,
        kept: tuple[type[Exception], ...],
        outranked: tuple[type[Exception], ...],
    ) -> AsyncIterator[None]:
        """Runs the app beside the block. At the block's end `leave` is called, the app
        gets ``patience_s`` to finish, then it is cancelled and `cut` is called; a block that
        raises goes straight to that. `ended` is called when the app is over.

        Then the app's error is raised, except the ``kept`` kinds. If the block raised as
        well, that goes first, except for the ``outranked`` kinds.
        """
        self.begun = True
        failure: BaseException | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run, scope, receive, send, ended)
            try:
                yield
                leave()
                with anyio.move_on_after(patience_s):
                    await self.finished.wait()
            # Kept until the task group is over, which would wrap it in a group.
            except BaseException as error:
                if not is_outcome(error):
                    raise
                failure = error
            finally:
                self.cancelled = self.cancelled or not self.finished.is_set()
                tasks.cancel_scope.cancel()
                cut()
        app_error = None if isinstance(self.error, kept) else self.error
        if failure is None:
            failure = app_error
        elif app_error is not None:
            if isinstance(failure, outranked):
                raise app_error from failure
            failure.add_note(f"The app had raised {app_error!r}")
        if failure is not None:
            raise failure

    async def _run(
        self, scope: Scope, receive: Receive, send: Send, ended: Callable[[], None]
    ) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self.error = error
        except anyio.get_cancelled_exc_class():
            self.cancelled = True
            raise
        finally:
            self.finished.set()
            ended()


def websocket_scope(
    path: str,
    *,
    query_string: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    subprotocols: Sequence[str],
    spec_version: str,
) -> Scope:
    """An ASGI websocket scope. ``path`` may have a query; a ``host`` header is added
    when there is none."""
    raw_path, _, query = path.partition("?")
    items = headers.items() if isinstance(headers, Mapping) else headers
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in items]
    if not any(name == b"host" for name, _ in encoded):
        encoded.insert(0, (b"host", b"testserver"))
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("testserver", 80),
        "client": ("testclient", 50000),
        "root_path": "",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("ascii"),
        "query_string": (query_string or query).encode("ascii"),
        "headers": encoded,
        "subprotocols": list(subprotocols),
        "state": {},
        "extensions": {"websocket.http.response": {}},
    }
