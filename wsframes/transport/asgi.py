"""A websocket as this package wants it, whatever ASGI server is behind it.

What servers do differently, and what is made of it here:

- `websocket.receive` with one of `text` and `bytes`, or with both and one of them None: the one.
- `websocket.disconnect` with a code, without, or with None: the code, or 1005.
- a second `receive` after a disconnect raises, repeats or hangs: it is never made.
- a send to a peer that is gone raises an OSError, a RuntimeError or a class of the server's own, or
  is silent: `PeerGoneError`, or nothing.
- closing raises, or waits for a peer that does not answer: nothing is raised, and the caller's
  deadline is respected where the server lets it be.
- on some servers (hypercorn on trio, anycorn) a blocked send or close cannot be cancelled. Nothing
  here can change that; so nothing may depend on it.
"""

import logging
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketState

from wsframes.exceptions import DecodeError, PeerGoneError, UsageError

__all__ = ["AsgiSocket", "as_websocket"]

logger = logging.getLogger("wsframes.transport")

NO_CODE = 1005
LOST = 1006

# RFC 6455, section 5.5: a control frame holds at most 125 bytes, two of them the code.
_MAX_REASON_BYTES = 123


def as_websocket(websocket: Any) -> WebSocket:
    """The Starlette object for a websocket, or for a bare `(scope, receive, send)`.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(websocket, WebSocket):
        return websocket
    if isinstance(websocket, tuple) and len(websocket) == 3:
        scope, receive, send = websocket
        if isinstance(scope, dict) and scope.get("type") == "websocket":
            return WebSocket(scope, receive, send)
    raise UsageError(
        "the transport needs a starlette.websockets.WebSocket, or the (scope, receive, send) of a "
        f"websocket connection, not {type(websocket).__name__}"
    )


class AsgiSocket:
    """The four things that can be done with an ASGI websocket.

    One task may receive, one may send, and any may close.
    """

    __slots__ = ("_websocket",)

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    @property
    def is_accepted(self) -> bool:
        """Whether the application has accepted the connection already."""
        return self._websocket.application_state is not WebSocketState.CONNECTING

    async def accept(self) -> None:
        """Finish the handshake.

        Raises:
            PeerGoneError: the peer left before.
        """
        try:
            await self._websocket.accept()
        except Exception as exc:
            raise PeerGoneError(LOST) from exc

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            PeerGoneError: there is none; it must not be called again.
            DecodeError: the server handed over something that is no message.
        """
        message = await self._websocket.receive()
        if message["type"] == "websocket.receive":
            data = message.get("bytes")
            if data is None:
                data = message.get("text")
            if isinstance(data, str | bytes):
                return data
            raise DecodeError("the server handed over a message with neither text nor bytes")
        code = message.get("code")
        raise PeerGoneError(NO_CODE if code is None else code, message.get("reason") or "")

    async def send(self, data: str | bytes) -> None:
        """Send one message: `str` as text, `bytes` as binary.

        Raises:
            PeerGoneError: the server says that it cannot be delivered. Its silence is no proof of
                the contrary.
        """
        key = "text" if isinstance(data, str) else "bytes"
        try:
            await self._websocket.send({"type": "websocket.send", key: data})
        except Exception as exc:  # every server has its own
            raise PeerGoneError(LOST) from exc

    async def close(self, code: int, reason: str, timeout_s: float) -> None:
        """Close the connection, before or after it was accepted. Silent, whatever happens."""
        reason = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        with anyio.move_on_after(timeout_s, shield=True):
            try:
                await self._websocket.close(code, reason)
            except Exception as exc:
                logger.debug("closing the socket failed: %r", exc)
