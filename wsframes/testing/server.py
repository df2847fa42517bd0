"""The app's end of an in-memory websocket connection: ``scope``, ``receive``, ``send``.

Behaves as an ASGI server does towards an application, with the habits of a
`ServerProfile`. An application that breaks the protocol gets an exception here, as it
would from a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from .connection import Connection, Phase
from .wire import Event

if TYPE_CHECKING:
    from .app_run import Message
    from .profiles import Reaction
    from .wire import Data

__all__ = ["ClientDisconnected", "Counters", "MemoryServer", "UnexpectedMessage"]

#: A peer in the same process can only read when the app lets it, so an app that sends
#: without a pause is made to pause after as much as this.
_UNYIELDED_LIMIT_BYTES = 65536
_MESSAGE_OVERHEAD_BYTES = 64


class ClientDisconnected(OSError):
    """The app sent to a peer that has gone, on a server that raises an OSError then."""


class UnexpectedMessage(Exception):
    """The app sent what it may not send now, on a server whose exception for that is
    neither an OSError nor a RuntimeError."""


class _Signal:
    """Wakes everyone who waits for the next change."""

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def notify(self) -> None:
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()


@dataclass
class Counters:
    """See `peer.PeerStatistics`."""

    sends_after_close: int = 0
    receives_after_close: int = 0
    blocked_sends: int = 0


class MemoryServer:
    """``receive`` and ``send`` for one app. Both may be called at once, and ``send`` by
    several tasks."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.counters = Counters()
        self.over = False
        self._signal = _Signal()
        self._app_over = False
        self._told = False
        self._repeats = 0.0
        self._unyielded_bytes = 0

    def advance(self) -> None:
        """Bring the connection to now, unless it is over for good."""
        if not self.over:
            self.connection.advance(anyio.current_time())

    def changed(self) -> None:
        """To be called after each change of the connection."""
        self.advance()
        self._signal.notify()

    def cut(self) -> None:
        """The connection is lost, now."""
        self.advance()
        self.connection.cut(flush=False)
        self.changed()

    def app_ended(self) -> None:
        """The app is over. Sends of tasks that outlive it wait no longer, in any phase:
        one that can't be cancelled would keep them alive for as long as the peer stalls."""
        self.advance()
        self._app_over = True
        self.connection.app_ended()
        self.changed()

    async def pause(self) -> None:
        """Wait until something has changed, by someone's action or by time."""
        with anyio.CancelScope(deadline=self.connection.next_change_s()):
            await self._signal.wait()
        self.advance()

    # --- receive

    async def receive(self) -> Message:
        """ASGI receive. Cancelled: nothing was received."""
        self.advance()
        if self._told:
            return await self._receive_after_disconnect()
        if self.connection.profile.always_yields:
            await anyio.lowlevel.checkpoint()
        while not self.connection.inbox:
            await self.pause()
        item = self.connection.inbox.take()
        self._signal.notify()
        if isinstance(item, Event):
            if item.message["type"] == "websocket.disconnect" and not item.lie:
                self._remember_disconnect()
            return item.message
        return self._receive_event(item)

    def _receive_event(self, data: Data) -> Message:
        key, other = ("text", "bytes") if isinstance(data, str) else ("bytes", "text")
        event: Message = {"type": "websocket.receive", key: data}
        if self.connection.profile.both_keys:
            event[other] = None
        return event

    def _remember_disconnect(self) -> None:
        profile = self.connection.profile
        clean = self.connection.clean or self.connection.own_close is not None
        events = profile.disconnects_after_close if clean else profile.disconnects_after_loss
        self._told = True
        self._repeats = events - 1

    async def _receive_after_disconnect(self) -> Message:
        self.counters.receives_after_close += 1
        while self.connection.phase is not Phase.ENDED:
            await self.pause()
        if self._repeats < 1:
            await anyio.sleep_forever()
        self._repeats -= 1
        await anyio.lowlevel.checkpoint()
        return {"type": "websocket.disconnect", "code": 1005}

    # --- send

    async def send(self, message: Message) -> None:
        """ASGI send. What cancelling a waiting one does is the profile's."""
        await self._yield()
        self.advance()
        kind: str = message["type"]
        phase = self.connection.phase
        if phase in (Phase.CONNECTING, Phase.DENYING):
            self._answer(kind, message)
        elif phase is not Phase.OPEN:
            self._refuse(kind)
        elif kind == "websocket.send":
            await self._write(kind, _payload(message))
        elif kind == "websocket.close":
            await self._close(message.get("code", 1000), message.get("reason") or "")
        else:
            raise _unexpected(kind, "websocket.send", "websocket.close")

    def _answer(self, kind: str, message: Message) -> None:
        connection = self.connection
        if connection.phase is Phase.DENYING:
            if kind != "websocket.http.response.body":
                raise _unexpected(kind, "websocket.http.response.body")
            connection.add_denial(message.get("body", b""), message.get("more_body", False))
        elif kind == "websocket.accept":
            connection.accept(message.get("subprotocol"), list(message.get("headers", ())))
        elif kind == "websocket.close":
            connection.deny(403)
        elif kind == "websocket.http.response.start":
            connection.begin_denial(message["status"], list(message.get("headers", ())))
        else:
            raise _unexpected(
                kind, "websocket.accept", "websocket.close", "websocket.http.response.start"
            )
        self.changed()

    async def _write(self, kind: str, data: Data) -> None:
        connection = self.connection
        if connection.profile.waits_before_write:
            await self._until_room()
            if connection.phase is not Phase.OPEN:
                self._react(self._reaction(kind), kind)
                return
        connection.put(data)
        self._unyielded_bytes += len(data) + _MESSAGE_OVERHEAD_BYTES
        self.changed()
        if not connection.profile.waits_before_write and connection.congested:
            await self._until_room()
            if connection.phase is Phase.ENDED:
                self._react(connection.profile.send_when_gone, kind)

    async def _close(self, code: int, reason: str) -> None:
        connection, profile = self.connection, self.connection.profile
        if profile.waits_before_write:
            await self._until_room()
            if connection.phase is not Phase.OPEN:
                self._react(self._reaction("websocket.close"), "websocket.close")
                return
        connection.close(code, reason)
        if profile.close_waits:
            connection.expect_answer(anyio.current_time())
        self.changed()
        await self._until_room()
        connection.expect_answer(anyio.current_time())
        while profile.close_waits and connection.phase is Phase.CLOSING:
            await self.pause()

    @property
    def _must_wait(self) -> bool:
        return self.connection.congested and not self._app_over

    async def _until_room(self) -> None:
        if not self._must_wait:
            return
        self.counters.blocked_sends += 1
        try:
            with anyio.CancelScope(shield=self.connection.profile.shields_send):
                while self._must_wait:
                    await self.pause()
        finally:
            self.counters.blocked_sends -= 1

    def _refuse(self, kind: str) -> None:
        self.counters.sends_after_close += 1
        self._react(self._reaction(kind), kind)

    def _reaction(self, kind: str) -> Reaction:
        connection, profile = self.connection, self.connection.profile
        if connection.handshake.denied_status is not None:
            return "runtime_error"
        if connection.phase is Phase.CLOSING:
            return profile.send_after_own_close
        if self._told or connection.own_close is not None:
            return profile.send_after_disconnect
        return profile.close_when_gone if kind == "websocket.close" else profile.send_when_gone

    def _react(self, reaction: Reaction, kind: str) -> None:
        if reaction == "oserror":
            raise ClientDisconnected
        after = f"ASGI message {kind!r} after the connection was closed"
        if reaction == "runtime_error":
            raise RuntimeError(after)
        if reaction == "exception":
            raise UnexpectedMessage(after)

    async def _yield(self) -> None:
        if self.connection.profile.always_yields or self._unyielded_bytes > _UNYIELDED_LIMIT_BYTES:
            self._unyielded_bytes = 0
            await anyio.lowlevel.checkpoint()


def _payload(message: Message) -> Data:
    data, text = message.get("bytes"), message.get("text")
    if (data is None) == (text is None):
        msg = "'websocket.send' needs exactly one of 'bytes' and 'text'"
        raise RuntimeError(msg)
    if isinstance(text, str):
        return text
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    msg = f"'websocket.send' with 'bytes' of {type(data)} and 'text' of {type(text)}"
    raise TypeError(msg)


def _unexpected(kind: str, *expected: str) -> RuntimeError:
    return RuntimeError(f"unexpected ASGI message {kind!r}; expected one of {expected}")
