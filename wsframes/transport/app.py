"""An ASGI application that runs a pipeline for every websocket."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from wsframes.exceptions import UsageError
from wsframes.graph.failures import FailureLog
from wsframes.graph.pipeline import Pipeline
from wsframes.graph.runner import PipelineRunner
from wsframes.graph.task import PipelineTask
from wsframes.transport.admission.authorization import Authorization, Authorize
from wsframes.transport.admission.door import Door
from wsframes.transport.admission.lateness import LatenessWatch
from wsframes.transport.admission.overload import Overload
from wsframes.transport.admission.places import Places
from wsframes.transport.admission.refusal import DRAINING, Refusals
from wsframes.transport.admission.shutdown import SignalWatch
from wsframes.transport.asgi import DirectWebSocket
from wsframes.transport.census import AppStatistics, Census
from wsframes.transport.params import WebsocketParams
from wsframes.transport.websocket import WebsocketTransport

__all__ = ["WebsocketApp"]

logger = logging.getLogger("wsframes.transport")

Build = Callable[[WebsocketTransport], Pipeline | PipelineTask | Awaitable[Pipeline | PipelineTask]]
_GOING_AWAY = 1001


def address_of(websocket: WebSocket) -> str | None:
    """The host that the connection came from, as the server tells it; None if it does not."""
    return websocket.client.host if websocket.client is not None else None


class WebsocketApp:
    """A bare ASGI application; mount it anywhere, or give it to a server as it is.

    Args:
        build: called with the transport of each connection; returns the pipeline, or the
            `PipelineTask`, to run on it. `def` or `async def`.
        params: of every connection; or a function that makes them from the websocket, for what
            keeps the state of one session: telephony's and Opus serializers, mixers, filters,
            analyzers. A second session that is given the first one's ends with an error.
        authorize: called with the websocket before it is accepted, `def` or `async def`. A false
            result, an exception, or none within `authorize_timeout` refuses with 403.
        allowed_origins: the origins whose pages may connect, such as `https://example.org`; `["*"]`
            for all. None: the host that is connected to. Clients that send no origin are let in.
        max_sessions: how many may run at once, those that wait for `authorize` included; more are
            refused with 503.
        max_sessions_per_key: how many of them may have the same key; more are refused with 503.
        session_key: the key of a connection, from its websocket, once `authorize` has let it in; by
            default the address that it came from. One with the key None is not counted.
        drain_timeout: seconds that sessions are given to end when the server shuts down.
        authorize_timeout: seconds that `authorize` may take.
        max_lateness_ms: refuse new sessions with 503 while the event loop runs later than this, or
            its thread works for more than three quarters of the time, so that those that run keep
            their time; 20 is a good value for audio. It also lets in no more than an eighth of
            those that run, and four, within a second, since what a session costs shows only when
            it runs. None: not measured.
        handle_signals: drain at the first SIGTERM or SIGINT, before the server hears of it; end all
            sessions at the second. Where this application is mounted in another one, use
            `drain_on_signals`.

    Where a server has no way to refuse with a status of its own, it says 403. `drain` is called at
    the server's shutdown where this is its application, and is yours to call where it is mounted.

    Raises:
        UsageError: an argument is of the wrong kind.
    """

    def __init__(
        self,
        build: Build,
        *,
        params: WebsocketParams | Callable[[WebSocket], WebsocketParams],
        authorize: Authorize | None = None,
        allowed_origins: Collection[str] | None = None,
        max_sessions: int | None = None,
        max_sessions_per_key: int | None = None,
        session_key: Callable[[WebSocket], Hashable] = address_of,
        drain_timeout: float = 30.0,
        authorize_timeout: float = 5.0,
        max_lateness_ms: float | None = None,
        handle_signals: bool = False,
    ) -> None:
        if isinstance(allowed_origins, str):
            raise UsageError(f"allowed_origins is a list of origins: [{allowed_origins!r}]")
        if not isinstance(params, WebsocketParams) and not callable(params):
            raise UsageError(
                "params must be WebsocketParams or a function that makes them from the websocket, "
                f"not {type(params).__name__}"
            )
        self._build = build
        self._params = (lambda _: params) if isinstance(params, WebsocketParams) else params
        self._drain_timeout_s = drain_timeout
        self._handle_signals = handle_signals
        self._runner = PipelineRunner()
        self._census = Census()
        failures = FailureLog(logger)
        self._refusals = Refusals(self._census.refused, failures)
        self._lateness = LatenessWatch(
            Overload(max_lateness_ms / 1000) if max_lateness_ms is not None else None
        )
        self._door = Door(
            allowed_origins,
            Authorization(authorize, authorize_timeout, failures),
            Places(max_sessions, max_sessions_per_key),
            session_key,
            self._refusals,
            is_draining=lambda: self._runner.is_draining,
            admits=lambda: self._lateness.admits(len(self._census.running)),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._door.let_in(DirectWebSocket(scope, receive, send), self._serve)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            # RFC 9110, section 15.5.22, asks for the header; HTTP/2 and 3 forbid it.
            headers = {"upgrade": "websocket"} if scope["http_version"] < "2" else {}
            response = PlainTextResponse(
                "this is a websocket endpoint\n", status_code=426, headers=headers
            )
            await response(scope, receive, send)
        else:
            raise UsageError(f"there is nothing here for a connection of type {scope['type']!r}")

    async def drain(self, timeout_s: float | None = None) -> int:
        """Refuse new sessions, end those that run (close code 1001), cancel what is left.

        Args:
            timeout_s: what they are given to end by themselves; None: `drain_timeout`.

        Returns:
            How many had to be cancelled.
        """
        for transport in self._census.running:
            transport.lifetime.ended_code = _GOING_AWAY
        return await self._runner.drain(self._drain_timeout_s if timeout_s is None else timeout_s)

    async def cancel(self) -> None:
        """End all sessions now (close code 1001). Does not wait for that."""
        await self._runner.cancel()

    def drain_on_signals(self) -> AbstractAsyncContextManager[object]:
        """What `handle_signals` does, around the body: for the lifespan of an outer application.

        The first SIGTERM or SIGINT drains, and the server hears of it when that is done, as of
        SIGINT where it does the same for both; the second one ends all sessions.

        Raises:
            UsageError: when it is entered, in another thread than the main one.
        """
        return SignalWatch(self.drain, self.cancel)

    def statistics(self) -> AppStatistics:
        """What has become of the connections, and of the messages of all sessions."""
        return self._census.statistics(self._lateness.lateness_s)

    async def _serve(self, websocket: WebSocket) -> None:
        try:
            transport = WebsocketTransport(websocket, self._params(websocket))
            built = self._build(transport)
            if inspect.isawaitable(built):
                built = await built
            task = built if isinstance(built, PipelineTask) else PipelineTask(built)
        except Exception as exc:
            await self._refusals.fail(websocket, exc)
            return
        if self._runner.is_draining:
            await self._refusals.refuse(websocket, DRAINING)
            return
        await self._run(transport, task)

    async def _run(self, transport: WebsocketTransport, task: PipelineTask) -> None:
        reason = "cancelled"
        self._census.running.add(transport)
        try:
            reason = (await self._lateness.run(self._runner.run, task)).reason.value
        except Exception:
            reason = "error"
            raise
        finally:
            self._census.end(transport, reason)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            while (await receive())["type"] == "lifespan.startup":
                if self._handle_signals:
                    await stack.enter_async_context(self.drain_on_signals())
                await send({"type": "lifespan.startup.complete"})
            await self.drain()
        await send({"type": "lifespan.shutdown.complete"})
