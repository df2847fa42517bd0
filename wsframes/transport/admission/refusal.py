"""How a connection that is not let in is told so.

Strangers come as fast as they like, and those who are in share the event loop with them: so what a
refusal costs is felt by everybody. Why it was refused helps who sets a client up, and nobody in a
storm, where it is a seventh of all that the server does for a stranger (hypercorn on trio: 70 us,
for two more writes). So a few refusals in a second say why, and the others are as short as can be.
"""

import logging
from collections import Counter
from typing import NamedTuple

import anyio
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketState

from wsframes.graph.failures import FailureLog, describe

__all__ = [
    "DRAINING",
    "FORBIDDEN",
    "MAX_SESSIONS",
    "MAX_SESSIONS_PER_KEY",
    "NOT_AUTHORIZED",
    "NOT_BUILT",
    "OVERLOAD",
    "Refusal",
    "Refusals",
    "Texts",
]

logger = logging.getLogger("wsframes.transport")

FORBIDDEN = 403
_FAILED = 500
_UNAVAILABLE = 503

# For connections that `authorize` has accepted already: what the status is as a close code.
_CLOSE_CODES = {FORBIDDEN: 1008, _FAILED: 1011, _UNAVAILABLE: 1013}

# What refusing may take, of a peer that does not read.
_TIMEOUT_S = 5.0

_TEXTS = 10
_WINDOW_S = 1.0


class Refusal(NamedTuple):
    """Why a connection is not let in.

    Attributes:
        reason: what it is counted under.
        status: 403, 500 or 503. Where the server has no way to send one, it is 403.
        text: the same for the client, in a line.
    """

    reason: str
    status: int
    text: str


NOT_AUTHORIZED = Refusal("authorize", FORBIDDEN, "not authorized")
NOT_BUILT = Refusal("build", _FAILED, "the session could not be built")
DRAINING = Refusal("draining", _UNAVAILABLE, "the server is going away")
OVERLOAD = Refusal("overload", _UNAVAILABLE, "the server is busy")
MAX_SESSIONS = Refusal("max_sessions", _UNAVAILABLE, "too many sessions")
MAX_SESSIONS_PER_KEY = Refusal("max_sessions_per_key", _UNAVAILABLE, "too many sessions")


class Texts:
    """Whether a refusal is to say why: ten in a second do."""

    __slots__ = ("_begun_s", "_given")

    def __init__(self) -> None:
        self._begun_s = -float("inf")
        self._given = 0

    def take(self, now_s: float) -> bool:
        """Give one more, if there is one left in this second."""
        if now_s - self._begun_s >= _WINDOW_S:
            self._begun_s = now_s
            self._given = 0
        if self._given == _TEXTS:
            return False
        self._given += 1
        return True


class Refusals:
    """Counts who is refused, tells them, and is silent whatever comes of it.

    Args:
        counts: of connections, by reason.
        failures: told why a session could not be built.
    """

    __slots__ = ("_counts", "_failures", "_texts")

    def __init__(self, counts: Counter[str], failures: FailureLog) -> None:
        self._counts = counts
        self._failures = failures
        self._texts = Texts()

    async def fail(self, websocket: WebSocket, exc: Exception) -> None:
        """Refuse a connection for which no session could be built."""
        self._failures.error("build", f"a session could not be built: {describe(exc)}", exc)
        await self.refuse(websocket, NOT_BUILT)

    async def refuse(self, websocket: WebSocket, refusal: Refusal) -> None:
        """Refuse a connection, within five seconds.

        Args:
            websocket: not accepted, or accepted by `authorize`: then it gets the close code that
                says the same.
            refusal: why.
        """
        self._counts[refusal.reason] += 1
        with anyio.move_on_after(_TIMEOUT_S):
            try:
                if websocket.application_state is not WebSocketState.CONNECTING:
                    await websocket.close(_CLOSE_CODES[refusal.status], refusal.text)
                else:
                    await self._deny(websocket, refusal)
            except Exception as exc:  # the client did not wait for it
                logger.debug("refusing a connection failed: %s", describe(exc))

    async def _deny(self, websocket: WebSocket, refusal: Refusal) -> None:
        has_text = self._texts.take(anyio.current_time())
        has_status = "websocket.http.response" in (websocket.scope.get("extensions") or {})
        if not has_status or (refusal.status == FORBIDDEN and not has_text):
            await websocket.close()  # the server makes a 403 of it
            return
        response: Response
        if has_text:
            response = PlainTextResponse(refusal.text + "\n", status_code=refusal.status)
        else:
            response = Response(status_code=refusal.status)
        await response(websocket.scope, websocket.receive, websocket.send)
