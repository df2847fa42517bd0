"""The one owner of the socket: nothing else receives, sends or closes."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import msgspec
from starlette.websockets import WebSocket

from wsframes.exceptions import ClosedByUsError, DecodeError, PeerGoneError, UsageError
from wsframes.frames import StartFrame
from wsframes.graph.clock import loop_clock
from wsframes.transport.asgi import LOST, AsgiSocket, as_websocket
from wsframes.transport.params import WebsocketCallbacks
from wsframes.transport.session import Connection, ConnectionEvent, ConnectionState
from wsframes.transport.tasks.waiting import Turns

__all__ = ["ClientStatistics", "WebsocketClient"]

_BYTES_PER_SECOND = 64 * 1024


class ClientStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What went over the socket.

    Attributes:
        received: messages.
        received_bytes: their payload; text counts its characters.
        malformed: what the server handed over that was no message.
        sent: messages that the server took.
        sent_bytes: their payload.
        unsent: messages that were not sent, by reason.
    """

    received: int
    received_bytes: int
    malformed: int
    sent: int
    sent_bytes: int
    unsent: dict[str, int]


class WebsocketClient:
    """One connection, for its whole life.

    Input and output share it: each calls `setup` when it starts and `disconnect` when it is done,
    and the socket is closed when as many have let go as have taken hold. One that has ended cannot
    be set up again.

    Args:
        websocket: a Starlette `WebSocket` or a bare `(scope, receive, send)`, accepted or not.
        is_binary: whether the serializer makes binary messages; for information, since what is
            sent and received says itself what it is.
        callbacks: told by the `trigger_*` methods.
        write_timeout: what `write_deadline_s` allows a message, in seconds.
        close_timeout: what closing may take, in seconds.

    Raises:
        UsageError: the websocket is none, or is closed already.
    """

    def __init__(
        self,
        websocket: Any,
        is_binary: bool,
        callbacks: WebsocketCallbacks,
        *,
        write_timeout: float = 5.0,
        close_timeout: float = 0.5,
    ) -> None:
        self.is_binary = is_binary
        self._socket = AsgiSocket(as_websocket(websocket))
        self._callbacks = callbacks
        self._close_timeout_s = close_timeout
        accepted = self._socket.is_accepted
        self._connection = Connection(
            ConnectionState.OPEN if accepted else ConnectionState.CONNECTING
        )
        self._holders = 0
        self._accepting = Turns()
        self._traffic = _Traffic(write_timeout)
        self.when_gone: Callable[[], None] | None = None
        """Called once, when the server says that the peer is gone, unless that was known."""
        self.when_failed: Callable[[], None] | None = None
        """Called once, when the server has not taken a message and has not said why."""

    @property
    def websocket(self) -> WebSocket:
        return self._socket.websocket

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return self._connection.state is ConnectionState.OPEN

    @property
    def is_closing(self) -> bool:
        """Whether this side is closing the connection or has closed it."""
        return self._connection.state in (ConnectionState.CLOSING, ConnectionState.CLOSED)

    @property
    def is_gone(self) -> bool:
        """Whether the peer has ended the connection, was lost, or was given up."""
        return self._connection.state in (ConnectionState.GONE, ConnectionState.GIVEN_UP)

    @property
    def close_code(self) -> int | None:
        """The code with which the peer or this side ended the connection, once it is known."""
        return self._connection.close_code

    @property
    def received(self) -> int:
        """Messages until now."""
        return self._traffic.received

    @property
    def write_deadline_s(self) -> float | None:
        """When the write that is under way is too slow; None while there is none.

        Time of `anyio.current_time()`: the write timeout and a second for each 64 KiB. `send` does
        not look at it: the session does, for all writes by one timer. Who sends without a session
        puts a deadline around `send`.
        """
        return self._traffic.deadline_s

    async def setup(self, frame: StartFrame) -> None:
        """Take hold of the connection, and accept it if nobody has.

        Raises:
            PeerGoneError: the peer left, maybe before it was accepted.
            ClosedByUsError: this side has closed it; a new connection needs a new client.
        """
        self._holders += 1
        self._traffic.clock = loop_clock()
        async with self._accepting:
            if self._connection.state is ConnectionState.CONNECTING:
                try:
                    await self._socket.accept()
                except PeerGoneError as exc:
                    self._lost(exc)
                    raise
                self._connection.on(ConnectionEvent.ACCEPTED)
        if self.is_gone:
            raise PeerGoneError(self._connection.close_code or LOST, self._connection.close_reason)
        if self.is_closing:
            raise ClosedByUsError("the connection is closed: a client serves one connection")

    def receive(self) -> AsyncIterator[str | bytes]:
        """The messages of the peer, until the connection is over.

        One reader at a time, and after `setup`; otherwise it raises a `UsageError`. Cancelling the
        wait for a message loses none.
        """
        return _Messages(self)

    async def send(self, data: str | bytes) -> bool:
        """Send a message: `str` as text, `bytes` as binary; True when the server has taken it.

        Messages go out one at a time, in the order of the calls. False: the connection is over,
        and the message was counted as unsent.

        Cancelling: nothing of the message was sent, or all of it; the server does not say. On some
        servers a blocked send cannot be cancelled; `abort` ends it.
        """
        traffic, connection = self._traffic, self._connection
        turns = traffic.turns
        if turns.taken:
            await turns.take()
        else:
            turns.taken = True
        try:
            if connection.state is not _OPEN:
                traffic.unsent[connection.state.name.lower()] += 1
                return False
            size = len(data)
            traffic.deadline_s = traffic.clock() + traffic.timeout_s + size / _BYTES_PER_SECOND
            await self._socket.send(data)
        except Exception:  # every server has its own
            traffic.unsent["failed"] += 1
            if connection.on(ConnectionEvent.SEND_FAILED) and self.when_failed is not None:
                self.when_failed()
            return False
        except BaseException:
            traffic.unsent["cancelled"] += 1
            raise
        else:
            traffic.sent += 1
            traffic.sent_bytes += size
            return True
        finally:
            traffic.deadline_s = None
            turns.give()

    async def disconnect(self, code: int = 1000, reason: str = "") -> None:
        """Let go of the connection; whoever lets go last closes it, within `close_timeout`.

        Silent, whatever the peer and the server do. Cancelling does not stop it.
        """
        self._holders = max(0, self._holders - 1)
        if self._holders == 0 and self._connection.close(code, reason):
            await self._socket.close(code, reason, self._close_timeout_s)
            self._connection.on(ConnectionEvent.CLOSE_DONE)

    def give_up(self, code: int = LOST, reason: str = "") -> bool:
        """Take the peer for gone; False if the connection was over already."""
        return self._connection.without_peer(ConnectionEvent.GIVE_UP, code, reason)

    async def abort(self) -> None:
        """Break the connection if a write is under way, which some servers shield; see `send`."""
        if self._traffic.deadline_s is not None:
            await self._socket.cut()

    async def trigger_client_connected(self) -> None:
        """Call `on_client_connected`."""
        await self._callbacks.on_client_connected(self.websocket)

    async def trigger_client_disconnected(self) -> None:
        """Call `on_client_disconnected`."""
        await self._callbacks.on_client_disconnected(self.websocket)

    async def trigger_client_timeout(self) -> None:
        """Call `on_session_timeout`."""
        await self._callbacks.on_session_timeout(self.websocket)

    def statistics(self) -> ClientStatistics:
        return self._traffic.statistics()

    def _lost(self, exc: PeerGoneError) -> None:
        told = self._connection.without_peer(ConnectionEvent.LOST, exc.code, exc.reason)
        if told and self.when_gone is not None:
            self.when_gone()


class _Traffic:
    """Whose turn it is to write, the write under way, whether one reads, and the counters."""

    __slots__ = (
        "clock",
        "deadline_s",
        "malformed",
        "received",
        "received_bytes",
        "sent",
        "sent_bytes",
        "timeout_s",
        "turns",
        "unsent",
    )

    def __init__(self, timeout_s: float) -> None:
        self.turns = Turns()
        self.timeout_s = timeout_s
        self.clock: Callable[[], float] = anyio.current_time
        self.deadline_s: float | None = None
        self.malformed = 0
        self.received = 0
        self.received_bytes = 0
        self.sent = 0
        self.sent_bytes = 0
        self.unsent: Counter[str] = Counter()

    def statistics(self) -> ClientStatistics:
        return ClientStatistics(
            received=self.received,
            received_bytes=self.received_bytes,
            malformed=self.malformed,
            sent=self.sent,
            sent_bytes=self.sent_bytes,
            unsent=dict(self.unsent),
        )


class _Messages:
    """Iterates over the messages, and notes how the connection ended."""

    __slots__ = ("_client",)

    def __init__(self, client: WebsocketClient) -> None:
        self._client = client

    def __aiter__(self) -> "_Messages":
        return self

    async def __anext__(self) -> str | bytes:
        client = self._client
        socket, connection, traffic = client._socket, client._connection, client._traffic
        if socket.is_receiving:
            raise UsageError("the messages are being read already: one reader at a time")
        if connection.state is ConnectionState.CONNECTING:
            raise UsageError("the connection is not accepted yet: call setup before receive")
        while connection.state not in _OVER:
            socket.is_receiving = True
            try:
                data = socket.message(await socket.receive())
            except DecodeError:
                traffic.malformed += 1
            except Exception as exc:
                client._lost(socket.gone(exc))
            else:
                traffic.received += 1
                traffic.received_bytes += len(data)
                return data
            finally:
                socket.is_receiving = False
        raise StopAsyncIteration


_OPEN = ConnectionState.OPEN
_OVER = (ConnectionState.GONE, ConnectionState.CLOSED)
