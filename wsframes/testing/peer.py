"""A websocket peer in memory, for an ASGI app: behaves, and misbehaves, as real ones do.

No sockets and no tasks of its own; works on asyncio and trio, in real and in virtual
time. The parts: `profiles` (how servers differ), `wire` (bytes on their way),
`connection` (the state of it all), `server` (the app's end), and here the peer's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import anyio
import anyio.lowlevel

from .app_run import AppRun, ASGIApp, websocket_scope
from .connection import Closed, Connection, Handshake, Log, Phase, Received
from .profiles import UVICORN_SANSIO, ServerProfile
from .server import ClientDisconnected, MemoryServer
from .wire import Data, Event, FlowStatistics, Inbox, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

__all__ = ["MemoryPeer", "PeerClosed", "PeerDenied", "PeerStatistics"]


class PeerClosed(Exception):
    """The connection is over for the peer: the app has closed it, or it was lost (1006)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class PeerDenied(Exception):
    """The app has refused the handshake."""

    def __init__(self, handshake: Handshake) -> None:
        super().__init__(handshake.denied_status, handshake.denied_body)
        self.status = handshake.denied_status
        self.headers = handshake.headers
        self.body = handshake.denied_body


@dataclass(frozen=True)
class PeerStatistics:
    """What has passed. ``to_app``: sent by the peer, delivered by the app's
    ``receive()``. ``to_peer``: put on the wire by the app's ``send()``, delivered when
    the peer has read it.

    ``sends_after_close`` and ``receives_after_close`` count what the app began after it
    had closed, was told of the end, or after the connection had gone.
    ``blocked_sends`` is how many of the app's sends wait for room at this moment.
    """

    to_app: FlowStatistics
    to_peer: FlowStatistics
    sends_after_close: int
    receives_after_close: int
    blocked_sends: int


class MemoryPeer:
    """The peer of one websocket connection to ``app``::

        async with MemoryPeer(app, "/ws?token=1") as peer:
            await peer.send("hello")
            assert await peer.receive() == "hello"
            await peer.close()
        assert not peer.app.cancelled

    The app runs from the beginning of the block. At its end the peer closes with 1000,
    unless the connection is over, waits ``exit_timeout_s`` for the app, cancels it then
    (``app.cancelled``), and cuts the connection, which releases sends that can't be
    cancelled. A block that raises doesn't wait. Nothing runs on afterwards.

    An exception of the app goes to ``app.error``, and is raised at the end of the block,
    except ClientDisconnected, which servers take from an app without a word.
    ``PeerClosed`` and ``PeerDenied`` from the block become its cause; another exception
    from the block goes first and carries a note. ``raise_app_error=False`` keeps all in
    ``app.error`` only.

    A peer reads all the time and as fast as it can. What it has read is in `received`,
    and `receive` hands it out. `received` and `statistics` are there after the block too.

    Args:
        app: an ASGI application.
        path: may have a query string.
        headers: names are lowercased; ``host`` is added when it is not among them.
        subprotocols: offered to the app.
        query_string: without the question mark; instead of one in ``path``.
        profile: the server that is played.
        receive_buffer_messages: what the peer can have sent and the app not received.
            While it is full, `send` waits.
        receive_buffer_bytes: the same; a single message may be larger.
        send_buffer_bytes: what the app can have sent and the peer not read. While it
            holds more, the app's ``send()`` waits; so it holds at most this and one
            message for each sending task.
        answers_close: False: the peer reads the app's close and never answers it.
        exit_timeout_s: how long the app may live on after the block.
        raise_app_error: see above.
        keep_received: keep only so many of the latest messages in `received` and for
            `receive`, at least 1; None keeps all.
        scope: replaces items of the ASGI scope.
    """

    def __init__(
        self,
        app: ASGIApp,
        path: str = "/",
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        query_string: str = "",
        profile: ServerProfile = UVICORN_SANSIO,
        receive_buffer_messages: int = 16,
        receive_buffer_bytes: int = 65536,
        send_buffer_bytes: int = 65536,
        answers_close: bool = True,
        exit_timeout_s: float = 5.0,
        raise_app_error: bool = True,
        keep_received: int | None = None,
        scope: Mapping[str, Any] | None = None,
    ) -> None:
        if keep_received is not None and keep_received < 1:
            msg = f"keep_received is {keep_received}: at least 1, or None to keep all"
            raise ValueError(msg)
        self.app = AppRun(app)
        self.scope = websocket_scope(
            path,
            query_string=query_string,
            headers=headers,
            subprotocols=subprotocols,
            spec_version=profile.spec_version,
        )
        self.scope.update(scope or {})
        self._connection = Connection(
            profile,
            Inbox(receive_buffer_messages, receive_buffer_bytes),
            Wire(send_buffer_bytes),
            Log(keep_received),
            answers_close=answers_close,
        )
        self.handshake = self._connection.handshake
        self._server = MemoryServer(self._connection)
        self._next = 0
        self._left = ""
        self._block = self.app.running(
            self.scope,
            self._server.receive,
            self._server.send,
            leave=self._leave,
            cut=self._server.cut,
            ended=self._server.app_ended,
            patience_s=exit_timeout_s,
            kept=(ClientDisconnected if raise_app_error else Exception,),
            outranked=(PeerClosed, PeerDenied),
        )

    # --- the block

    async def __aenter__(self) -> Self:
        if self.app.begun:
            msg = "a MemoryPeer is one connection, and can't be entered again: make another one"
            raise RuntimeError(msg)
        await self._block.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Whatever it returns: what the block raised is never swallowed.
        try:
            await self._block.__aexit__(exc_type, exc, traceback)
        finally:
            self._server.over = True

    def _leave(self) -> None:
        if not self._connection.vanished:
            self.close()

    # --- the handshake

    @property
    def accepted(self) -> bool:
        return self.handshake.accepted

    @property
    def denied_status(self) -> int | None:
        return self.handshake.denied_status

    async def connect(self) -> None:
        """Wait until the app has accepted. The other methods that wait do it themselves.

        Raises:
            PeerDenied: it has refused.
            PeerClosed: the peer went away before the answer.
        """
        _check_begun(self.app)
        await anyio.lowlevel.checkpoint()
        connection = self._connection
        while connection.phase in (Phase.CONNECTING, Phase.DENYING) and connection.end is None:
            await self._server.pause()
        if connection.handshake.denied_status is not None:
            raise PeerDenied(connection.handshake)
        if not connection.handshake.accepted:
            raise PeerClosed(1006)

    # --- messages

    async def send(self, data: Data) -> None:
        """Send a message; waits while the app's receive buffer is full.

        What is sent to an app that has closed, and to no one after `vanish`, is lost and
        counted. Cancelled: not sent.

        Raises:
            PeerDenied: see `connect`.
            PeerClosed: the peer knows that the connection is over.
            RuntimeError: the peer has closed or cut the connection itself.
        """
        await self.connect()
        while self._may_send(data) and self._connection.crowded:
            await self._server.pause()
        self.send_nowait(data)

    def send_nowait(self, data: Data) -> None:
        """`send` without waiting.

        Raises:
            anyio.WouldBlock: the buffer is full, or the app has not accepted yet.
        """
        self._server.advance()
        self._may_send(data)
        if not self.accepted or self._connection.crowded:
            raise anyio.WouldBlock
        self._connection.offer(data)
        self._server.changed()

    def send_raw_event(self, event: dict[str, Any]) -> None:
        """Have the server hand this to the app as it is: events that are wrong, out of
        order or unknown. Not bounded and not counted."""
        self._connection.inbox.put_event(Event(event, lie=True))
        self._server.changed()

    async def receive(self) -> Data:
        """The next message, in order. Cancelled: it will be the next one again.

        Raises:
            PeerDenied: see `connect`.
            PeerClosed: there are no more.
        """
        await self.connect()
        self._server.advance()
        log = self._connection.log
        while self._next >= len(log):
            if self._connection.end is not None:
                raise PeerClosed(*self._connection.end)
            await self._server.pause()
        self._next = max(self._next, log.forgotten) + 1
        return log.messages[self._next - 1 - log.forgotten].data

    @property
    def received(self) -> Sequence[Received]:
        """All messages that the peer has read until now, each with the time at which it
        had read it."""
        self._server.advance()
        return self._connection.log.messages

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Data:
        try:
            return await self.receive()
        except PeerClosed:
            raise StopAsyncIteration from None

    async def wait_closed(self) -> Closed:
        """Wait until the peer sees the end: the app's close frame, or 1006 if there is
        none. A stalled peer doesn't see it."""
        _check_begun(self.app)
        await anyio.lowlevel.checkpoint()
        self._server.advance()
        while self._connection.end is None:
            await self._server.pause()
        return self._connection.end

    def statistics(self) -> PeerStatistics:
        self._server.advance()
        counters = self._server.counters
        return PeerStatistics(
            to_app=self._connection.inbox.statistics(),
            to_peer=self._connection.wire.statistics(),
            sends_after_close=counters.sends_after_close,
            receives_after_close=counters.receives_after_close,
            blocked_sends=counters.blocked_sends,
        )

    # --- faults

    def stall(self) -> None:
        """Stop reading. The app's sends go on until the buffer is full."""
        self._server.advance()
        self._connection.wire.stalled = True
        self._server.changed()

    def resume(self) -> None:
        """Read again after `stall`, at the rate it was."""
        _check_there(self._connection)
        self._server.advance()
        self._connection.wire.stalled = False
        self._server.changed()

    def read_rate(self, bytes_per_s: float) -> None:
        """Read as slowly as this from now on; ``math.inf`` for as fast as possible."""
        _check_there(self._connection)
        if not bytes_per_s > 0:
            msg = f"a rate of {bytes_per_s} bytes/s: use stall() to stop reading"
            raise ValueError(msg)
        self._server.advance()
        self._connection.wire.rate = bytes_per_s
        self._server.changed()

    def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Send a close frame, behind the messages sent so far. None: one without a code.
        The peer goes on reading what is on its way to it."""
        self._leaves("closed")
        self._connection.peer_close(code, reason)
        self._server.changed()

    def half_close(self) -> None:
        """Stop sending, without a close frame (TCP: FIN). Servers take that for the end.
        The peer goes on reading what is on its way to it."""
        self._leaves("half-closed")
        self._connection.cut(flush=True)
        self._server.changed()

    def reset(self) -> None:
        """Cut the connection (TCP: RST). What the peer has not read is lost; the app
        still receives what had arrived."""
        self._leaves("reset")
        self._connection.cut(flush=False)
        self._server.changed()

    def vanish(self) -> None:
        """Fall silent for ever, as behind a cable that was cut: nothing more arrives on
        either side, and the app is not told."""
        self._server.advance()
        self._connection.vanish()
        self._server.changed()

    # ---

    def _may_send(self, data: Data) -> bool:
        if not isinstance(data, str | bytes):
            msg = f"a message is str or bytes, not {type(data)}"
            raise TypeError(msg)
        if self._left:
            msg = f"this peer has {self._left} the connection"
            raise RuntimeError(msg)
        if self._connection.end is not None and not self._connection.vanished:
            raise PeerClosed(*self._connection.end)
        return True

    def _leaves(self, how: str) -> None:
        _check_there(self._connection)
        self._server.advance()
        self._left = self._left or how


def _check_begun(app: AppRun) -> None:
    if not app.begun:
        msg = "the app does not run yet: use the peer in its block, `async with MemoryPeer(app)`"
        raise RuntimeError(msg)


def _check_there(connection: Connection) -> None:
    if connection.vanished:
        msg = "this peer has vanished, and a vanished peer does nothing more"
        raise RuntimeError(msg)
