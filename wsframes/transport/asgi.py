"""A websocket as this package wants it, whatever ASGI server is behind it.

What servers do differently, and what is made of it here:

- `websocket.receive` with one of `text` and `bytes`, or with both and one of them None: the one.
- `websocket.disconnect` with a code, without, or with None: the code, or 1005.
- a second `receive` after a disconnect raises, repeats or hangs: it is never made.
- a `receive` that raises, or hands over an event that has no place there: the connection is lost.
- a send to a peer that is gone raises an OSError, a RuntimeError or a class of the server's own, or
  is silent: `PeerGoneError`, or nothing.
- closing raises, or waits for a peer that does not answer: nothing is raised, and the deadline
  holds where the server lets it be.
- a server keeps the connection of an application that has returned, task and socket, while messages
  wait that nobody has received (hypercorn): after a close they are received, and thrown away.
- on some servers (hypercorn on trio, anycorn) a blocked send or close cannot be cancelled: when it
  should have been over for a while, the connection is cut underneath it, where `cut` can do that.
"""

import logging
from collections.abc import Awaitable
from typing import Any, NoReturn

import anyio
import anyio.to_thread
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketState

from wsframes.exceptions import DecodeError, PeerGoneError, UsageError
from wsframes.graph.failures import describe
from wsframes.transport.cut import cut_connection

__all__ = ["LOST", "NO_CODE", "AsgiSocket", "DirectWebSocket", "as_websocket"]

logger = logging.getLogger("wsframes.transport")

# RFC 6455, section 7.4.1: neither is ever sent; both say that no code was seen.
NO_CODE = 1005
LOST = 1006

# RFC 6455, section 5.5: a control frame holds at most 125 bytes, two of them the code.
_MAX_REASON_BYTES = 123


def as_websocket(websocket: Any) -> WebSocket:
    """The Starlette object for a websocket, or for a bare `(scope, receive, send)`.

    Raises:
        UsageError: it is neither, or it is closed already.
    """
    if isinstance(websocket, tuple) and len(websocket) == 3:
        scope, receive, send = websocket
        kind = scope.get("type") if isinstance(scope, dict) else None
        if kind == "websocket":
            return DirectWebSocket(scope, receive, send)
        raise UsageError(
            "the transport needs the (scope, receive, send) of a websocket connection; this scope "
            f"has the type {kind!r}"
        )
    if not isinstance(websocket, WebSocket):
        raise UsageError(
            "the transport needs a starlette.websockets.WebSocket, or the (scope, receive, send) "
            f"of a websocket connection, not {type(websocket).__name__}"
        )
    states = (websocket.client_state, websocket.application_state)
    if WebSocketState.DISCONNECTED in states or WebSocketState.RESPONSE in states:
        raise UsageError("the websocket is closed already: a transport needs an open one")
    return websocket


class DirectWebSocket(WebSocket):
    """A Starlette websocket that keeps the server's own functions at hand.

    Starlette's `receive` and `send` look at the state of the connection before and after each
    message. Here that is known already, and to go past them saves a twentieth of an echo's CPU.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.server_receive = receive
        self.server_send = send


class AsgiSocket:
    """The four things that can be done with an ASGI websocket.

    One task may receive, one may send, and any may close.
    """

    __slots__ = ("_receive", "_send", "_told", "is_receiving", "websocket")

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        if isinstance(websocket, DirectWebSocket):
            self._receive, self._send = websocket.server_receive, websocket.server_send
        else:
            self._receive, self._send = websocket.receive, websocket.send
        self.is_receiving = False
        self._told = False

    @property
    def is_accepted(self) -> bool:
        """Whether the application has accepted the connection already."""
        return self.websocket.application_state is not WebSocketState.CONNECTING

    async def accept(self) -> None:
        """Finish the handshake.

        Raises:
            PeerGoneError: the peer left before.
        """
        try:
            await self.websocket.accept()
        except Exception as exc:
            raise PeerGoneError(LOST) from exc

    def receive(self) -> Awaitable[Message]:
        """The next event, for `message`. What is to be awaited is the server's.

        While it is awaited, `is_receiving` has to be set.

        Raises:
            Exception: the server fails to receive; see `gone`.
        """
        return self._receive()

    def message(self, event: Message) -> str | bytes:
        """The message of an event.

        Raises:
            PeerGoneError: it says that there will be none; `receive` must not be called again.
            DecodeError: it is no message.
        """
        if event["type"] != "websocket.receive":
            self._end(event)
        data = event.get("bytes")
        if data is None:
            data = event.get("text")
        if isinstance(data, str | bytes):
            return data
        if isinstance(data, bytearray | memoryview):
            return bytes(data)
        raise DecodeError("the server handed over a message with neither text nor bytes")

    def gone(self, exc: Exception) -> PeerGoneError:
        """What it means that `receive` or `message` has raised this, and no `DecodeError`."""
        if isinstance(exc, PeerGoneError):
            return exc
        logger.warning("the server failed to receive: %s", describe(exc))
        self._told = True
        return PeerGoneError(LOST)

    def _end(self, event: Message) -> NoReturn:
        self._told = True
        self.websocket.client_state = WebSocketState.DISCONNECTED
        if event["type"] != "websocket.disconnect":
            logger.warning("the server handed over an event that has no place here")
            raise PeerGoneError(LOST)
        code, reason = event.get("code"), event.get("reason")
        raise PeerGoneError(
            code if isinstance(code, int) else NO_CODE, reason if isinstance(reason, str) else ""
        )

    def send(self, data: str | bytes) -> Awaitable[None]:
        """Send a message: `str` as text, `bytes` as binary. What is to be awaited is the server's.

        Raises:
            Exception: the server says that the message cannot be delivered, and each has a class
                of its own for that. Its silence is no proof of the contrary.
        """
        key = "text" if isinstance(data, str) else "bytes"
        return self._send({"type": "websocket.send", key: data})

    async def close(self, code: int, reason: str, timeout_s: float) -> None:
        """Close the connection, before or after it was accepted. Silent, whatever happens.

        Cancelling does not stop it; but where the caller has a deadline of its own that is nearer
        than the timeout, that one holds.
        """
        left_s = anyio.current_effective_deadline() - anyio.current_time()
        if left_s > 0:  # else the caller is cancelled already, and wants it closed all the same
            timeout_s = min(timeout_s, _SHARE * left_s)
        reason = reason.encode(errors="replace")[:_MAX_REASON_BYTES].decode(errors="ignore")
        accepted = self.is_accepted
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._cut_later, timeout_s + _CUT_GRACE_S)
                with anyio.move_on_after(timeout_s):
                    try:
                        await self.websocket.close(code, reason)
                        if accepted:
                            await self._discard()
                    except Exception as exc:
                        logger.debug("closing the socket failed: %s", describe(exc))
                tasks.cancel_scope.cancel()

    async def cut(self) -> None:
        """Break the connection, past the server, for a send that cannot be cancelled.

        It does nothing where the socket cannot be found; see `wsframes.transport.cut`.
        """
        await anyio.to_thread.run_sync(cut_connection, self.websocket.scope)

    async def _cut_later(self, delay_s: float) -> None:
        await anyio.sleep(delay_s)
        await self.cut()

    async def _discard(self) -> None:
        """Receive what nobody reads any more, until the server says that the peer is gone."""
        while not (self.is_receiving or self._told):
            event = await self.websocket.receive()
            self._told = event["type"] == "websocket.disconnect"


# A close that can be cancelled is, before its connection is cut.
_CUT_GRACE_S = 0.25

# Of what the caller has left, so that it comes to its own end before its deadline.
_SHARE = 0.9
