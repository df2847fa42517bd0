"""The one owner of the socket: nothing else receives, sends or closes."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import msgspec
from starlette.websockets import WebSocket

from wsframes.exceptions import DecodeError, PeerGoneError, UsageError
from wsframes.frames import StartFrame
from wsframes.transport.asgi import LOST, AsgiSocket, as_websocket
from wsframes.transport.params import WebsocketCallbacks
from wsframes.transport.session import Connection, ConnectionEvent, ConnectionState

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
    and the socket is closed when as many have let go as have taken hold.

    Args:
        websocket: a Starlette `WebSocket` or a bare `(scope, receive, send)`, accepted or not.
        is_binary: whether the serializer makes binary messages; for information, since what is
            sent and received says itself what it is.
        callbacks: told by the `trigger_*` methods.
        write_timeout: what `write_deadline_s` allows a message, in seconds.
        close_timeout: what closing may take, in seconds.
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
        self.websocket: WebSocket = as_websocket(websocket)
        self.is_binary = is_binary
        self._socket = AsgiSocket(self.websocket)
        self._callbacks = callbacks
        self._write_timeout_s = write_timeout
        self._close_timeout_s = close_timeout
        accepted = self._socket.is_accepted
        self._connection = Connection(
            ConnectionState.OPEN if accepted else ConnectionState.CONNECTING
        )
        self._holders = 0
        self._reading = False
        self.when_gone: Callable[[], None] | None = None
        """Called once, when the peer has closed the connection or was lost."""
        self._traffic = _Traffic()

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return self._connection.state is ConnectionState.OPEN

    @property
    def is_closing(self) -> bool:
        """Whether this side is closing the connection or has closed it."""
        return self._connection.state in (ConnectionState.CLOSING, ConnectionState.CLOSED)

    @property
    def has_failed(self) -> bool:
        """Whether a send has failed and the reader does not know why yet."""
        return self._connection.state is ConnectionState.FAILING

    @property
    def close_code(self) -> int | None:
        """The code with which the peer or this side closed, once it is known."""
        return self._connection.close_code

    @property
    def write_deadline_s(self) -> float | None:
        """When the write that is under way is too slow; None while there is none.

        Time of `anyio.current_time()`: the write timeout and a second for each 64 KiB.
        """
        begun_s = self._traffic.begun_s
        if begun_s is None:
            return None
        return begun_s + self._write_timeout_s + self._traffic.size / _BYTES_PER_SECOND

    async def setup(self, frame: StartFrame) -> None:
        """Take hold of the connection, and accept it if nobody has.

        Raises:
            PeerGoneError: the peer left before it was accepted.
        """
        self._holders += 1
        if self._connection.state is not ConnectionState.CONNECTING:
            return
        try:
            await self._socket.accept()
        except PeerGoneError as exc:
            self.lost(exc.code)
            raise
        self._connection.on(ConnectionEvent.ACCEPTED)

    def receive(self) -> AsyncIterator[str | bytes]:
        """The messages of the peer, until the connection is over.

        One reader at a time: a second one gets a `UsageError`. Cancelling the wait for a message
        loses none.
        """
        return _Messages(self)

    async def send(self, data: str | bytes) -> bool:
        """Send a message: `str` as text, `bytes` as binary; True when the server has taken it.

        Messages go out one at a time, in the order of the calls. False: the connection is over,
        and the message was counted as unsent.

        Cancelling: nothing of the message was sent, or all of it, or the server did not say.
        """
        traffic = self._traffic
        async with traffic.lock:
            if self._connection.state is not ConnectionState.OPEN:
                traffic.unsent[self._connection.state.name.lower()] += 1
                return False
            traffic.begin(len(data))
            try:
                await self._socket.send(data)
            except PeerGoneError:
                self._connection.on(ConnectionEvent.SEND_FAILED)
                traffic.unsent["failed"] += 1
                return False
            except BaseException:
                traffic.unsent["cancelled"] += 1
                raise
            finally:
                traffic.begun_s = None
            traffic.sent += 1
            traffic.sent_bytes += len(data)
            return True

    async def disconnect(self, code: int = 1000, reason: str = "") -> None:
        """Let go of the connection; whoever lets go last closes it, within `close_timeout`.

        Silent, whatever the peer and the server do. Cancelling does not stop it.
        """
        self._holders -= 1
        if self._holders > 0 or not self._connection.on(ConnectionEvent.CLOSE):
            return
        self._connection.close_code = code
        self._connection.close_reason = reason
        await self._socket.close(code, reason, self._close_timeout_s)
        self._connection.on(ConnectionEvent.CLOSE_DONE)

    def lost(self, code: int = LOST, reason: str = "") -> None:
        """The peer is gone, or has to be taken for it."""
        if self._connection.lost(code, reason) and self.when_gone is not None:
            self.when_gone()

    async def trigger_client_connected(self) -> None:
        await self._callbacks.on_client_connected(self.websocket)

    async def trigger_client_disconnected(self) -> None:
        await self._callbacks.on_client_disconnected(self.websocket)

    async def trigger_client_timeout(self) -> None:
        await self._callbacks.on_session_timeout(self.websocket)

    def statistics(self) -> ClientStatistics:
        traffic = self._traffic
        return ClientStatistics(
            received=traffic.received,
            received_bytes=traffic.received_bytes,
            malformed=traffic.malformed,
            sent=traffic.sent,
            sent_bytes=traffic.sent_bytes,
            unsent=dict(traffic.unsent),
        )


class _Traffic:
    """The lock for writing, the write under way, and the counters."""

    __slots__ = ("begun_s", "lock", "malformed", "received", "received_bytes", "sent", "sent_bytes", "size",
                 "unsent")  # fmt: skip

    def __init__(self) -> None:
        self.lock = anyio.Lock(fast_acquire=True)
        self.begun_s: float | None = None
        self.size = 0
        self.malformed = 0
        self.received = 0
        self.received_bytes = 0
        self.sent = 0
        self.sent_bytes = 0
        self.unsent: Counter[str] = Counter()

    def begin(self, size: int) -> None:
        self.begun_s = anyio.current_time()
        self.size = size


class _Messages:
    """Iterates over the messages, and notes how the connection ended."""

    __slots__ = ("_client",)

    def __init__(self, client: WebsocketClient) -> None:
        self._client = client

    def __aiter__(self) -> "_Messages":
        return self

    async def __anext__(self) -> str | bytes:
        client = self._client
        if client._reading:
            raise UsageError("the messages are being read already: one reader at a time")
        client._reading = True
        try:
            while client._connection.state not in _OVER:
                try:
                    data = await client._socket.receive()
                except DecodeError:
                    client._traffic.malformed += 1
                except PeerGoneError as exc:
                    client.lost(exc.code, exc.reason)
                else:
                    client._traffic.received += 1
                    client._traffic.received_bytes += len(data)
                    return data
        finally:
            client._reading = False
        raise StopAsyncIteration


_OVER = (ConnectionState.GONE, ConnectionState.CLOSED)
