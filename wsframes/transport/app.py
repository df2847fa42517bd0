"""An ASGI application that runs a pipeline for every websocket."""

import inspect
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import anyio
import msgspec
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketState

from wsframes.exceptions import UsageError
from wsframes.graph.pipeline import Pipeline
from wsframes.graph.runner import PipelineRunner
from wsframes.graph.task import PipelineTask
from wsframes.transport.admission import origin_problem
from wsframes.transport.params import WebsocketParams
from wsframes.transport.websocket import WebsocketTransport

__all__ = ["AppStatistics", "WebsocketApp"]

logger = logging.getLogger("wsframes.transport")

Build = Callable[[WebsocketTransport], Pipeline | PipelineTask | Awaitable[Pipeline | PipelineTask]]
Authorize = Callable[[WebSocket], Any]

_GOING_AWAY = 1001
_POLICY_VIOLATION = 1008
_FORBIDDEN = 403
_FAILED = 500
_UNAVAILABLE = 503

# What refusing may take, of a peer that does not read.
_REFUSAL_TIMEOUT_S = 5.0


class AppStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of an application.

    Attributes:
        running: now.
        accepted: in all.
        refused: before they were accepted, by reason.
        ended: by the reason of their end.
    """

    running: int
    accepted: int
    refused: dict[str, int]
    ended: dict[str, int]


class WebsocketApp:
    """A bare ASGI application; mount it anywhere, or give it to a server as it is.

    Args:
        build: called with the transport of each connection; returns the pipeline, or the
            `PipelineTask`, to run on it. `def` or `async def`.
        params: of every connection; or a function that makes them from the websocket, for
            serializers that keep the state of one session.
        authorize: called with the websocket before it is accepted, `def` or `async def`. A false
            result, an exception, or none within `authorize_timeout` refuses with 403.
        allowed_origins: the origins whose pages may connect, such as `https://example.org`; `["*"]`
            for all. None: the host that is connected to. Clients that send no origin are let in.
        max_sessions: how many may run at once, those that wait for `authorize` included; more are
            refused with 503.
        drain_timeout: seconds that sessions are given to end when the server shuts down.
        authorize_timeout: seconds that `authorize` may take.

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
        drain_timeout: float = 30.0,
        authorize_timeout: float = 5.0,
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
        self._authorize = authorize
        self._allowed_origins = allowed_origins
        self._max_sessions = max_sessions
        self._drain_timeout_s = drain_timeout
        self._authorize_timeout_s = authorize_timeout
        self._places = 0
        self._runner = PipelineRunner()
        self._transports: set[WebsocketTransport] = set()
        self._refused: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve(WebSocket(scope, receive, send))
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
        for transport in self._transports:
            transport.lifetime.ended_code = _GOING_AWAY
        return await self._runner.drain(self._drain_timeout_s if timeout_s is None else timeout_s)

    def statistics(self) -> AppStatistics:
        running = len(self._transports)
        return AppStatistics(
            running=running,
            accepted=running + self._ended.total(),
            refused=dict(self._refused),
            ended=dict(self._ended),
        )

    async def _serve(self, websocket: WebSocket) -> None:
        if (problem := origin_problem(websocket, self._allowed_origins)) is not None:
            await self._refuse(websocket, "origin", _FORBIDDEN, problem)
        elif self._runner.is_draining:
            await self._refuse(websocket, "draining", _UNAVAILABLE, "the server is going away")
        elif self._max_sessions is not None and self._places >= self._max_sessions:
            await self._refuse(websocket, "max_sessions", _UNAVAILABLE, "too many sessions")
        else:
            self._places += 1  # before the first wait: the next connection must see it
            try:
                await self._admit(websocket)
            finally:
                self._places -= 1

    async def _admit(self, websocket: WebSocket) -> None:
        if not await self._is_authorized(websocket):
            await self._refuse(websocket, "authorize", _FORBIDDEN, "not authorized")
            return
        try:
            transport = WebsocketTransport(websocket, self._params(websocket))
            built = self._build(transport)
            if inspect.isawaitable(built):
                built = await built
            task = built if isinstance(built, PipelineTask) else PipelineTask(built)
        except Exception as exc:
            logger.error("a session could not be built: %r", exc, exc_info=exc)
            await self._refuse(websocket, "build", _FAILED, "the session could not be built")
            return
        if self._runner.is_draining:
            await self._refuse(websocket, "draining", _UNAVAILABLE, "the server is going away")
            return
        await self._run(transport, task)

    async def _run(self, transport: WebsocketTransport, task: PipelineTask) -> None:
        reason = "cancelled"
        self._transports.add(transport)
        try:
            reason = (await self._runner.run(task)).reason.value
        except Exception:
            reason = "error"
            raise
        finally:
            self._transports.discard(transport)
            self._ended[reason] += 1

    async def _is_authorized(self, websocket: WebSocket) -> bool:
        if self._authorize is None:
            return True
        with anyio.move_on_after(self._authorize_timeout_s) as scope:
            try:
                result = self._authorize(websocket)
                return bool(await result if inspect.isawaitable(result) else result)
            except Exception as exc:
                logger.error("authorize failed: %r", exc, exc_info=exc)
        if scope.cancelled_caught:
            logger.error("authorize did not return within %s s", self._authorize_timeout_s)
        return False

    async def _refuse(self, websocket: WebSocket, reason: str, status: int, text: str) -> None:
        self._refused[reason] += 1
        with anyio.move_on_after(_REFUSAL_TIMEOUT_S):
            try:
                if websocket.application_state is not WebSocketState.CONNECTING:
                    await websocket.close(_POLICY_VIOLATION, text)  # `authorize` has accepted it
                elif "websocket.http.response" in (websocket.scope.get("extensions") or {}):
                    response = PlainTextResponse(text + "\n", status_code=status)
                    await response(websocket.scope, websocket.receive, websocket.send)
                else:
                    await websocket.close()  # the server makes a 403 of it
            except Exception as exc:  # the client did not wait for it
                logger.debug("refusing a connection failed: %r", exc)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.drain()
                await send({"type": "lifespan.shutdown.complete"})
                return
