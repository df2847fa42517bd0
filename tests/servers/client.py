"""The peer of the matrix: a real websocket client with real speech."""

import itertools
import json
import socket
import struct
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.servers.process import ServerProcess
from tests.servers.report import Report

__all__ = ["BYTES_PER_SECOND", "SPEECH", "Client", "client_of", "messages_of"]

with wave.open(str(Path(__file__).with_name("speech.wav"))) as _wave:
    SPEECH = _wave.readframes(_wave.getnframes())

BYTES_PER_SECOND = 2 * 16000
_MESSAGE_BYTES = 640

_sessions = itertools.count()


def messages_of(audio: bytes) -> list[bytes]:
    """As a telephone sends it: 20 ms at a time, and a shorter rest."""
    starts = range(0, len(audio), _MESSAGE_BYTES)
    return [audio[start : start + _MESSAGE_BYTES] for start in starts]


class Client:
    """One connection, seen from the peer's side.

    Attributes:
        connection: the client of the `websockets` package.
        session: what the server's report calls it.
        arrivals: when each message was received, and how much audio had been before.
        over_s: when `hear` found the connection over.
    """

    def __init__(self, server: ServerProcess, connection: ClientConnection, session: str) -> None:
        self.connection = connection
        self.session = session
        self.arrivals: list[tuple[float, int]] = []
        self.over_s = 0.0
        self._server = server

    async def say(self, audio: bytes = SPEECH) -> None:
        """Send audio as fast as the server reads it."""
        for message in messages_of(audio):
            await self.connection.send(message)

    async def tell(self, message: Any) -> None:
        """Send a message to the application."""
        await self.connection.send(json.dumps(message))

    async def hear(self, audio_bytes: int) -> bytes:
        """The audio that comes, until there is so much of it, or the connection is over."""
        audio = bytearray()
        try:
            while len(audio) < audio_bytes:
                message = await self.connection.recv()
                assert isinstance(message, bytes)
                self.arrivals.append((time.monotonic(), len(audio)))
                audio += message
        except ConnectionClosed:
            self.over_s = time.monotonic()
        return bytes(audio)

    async def closed(self) -> tuple[int | None, str | None]:
        """How the connection was closed; waits for it."""
        await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason

    def vanish(self, *, reset: bool = True) -> float:
        """Break the connection, by TCP RST or FIN, without a close frame; says when."""
        transport = self.connection.transport
        if reset:
            linger = struct.pack("ii", 1, 0)
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        return time.monotonic()

    async def report(self) -> Report:
        """What the server's side says about it, when it is over there."""
        return await self._server.report(self.session)


@asynccontextmanager
async def client_of(
    server: ServerProcess,
    way: str = "app",
    *,
    query: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Client]:
    """Connect.

    Args:
        server: to what.
        way: the path: how the application is mounted.
        query: how the session is set up.
        options: of `websockets.connect`.
    """
    session = f"session-{next(_sessions)}"
    address = f"ws://127.0.0.1:{server.port}/{way}?"
    uri = address + urlencode({"session": session, **(query or {})})
    # By default there is no compression, as docs/servers.md recommends.
    connection = connect(uri, **{"proxy": None, "compression": None, **options})
    with anyio.fail_after(30):
        async with connection as open_connection:
            yield Client(server, open_connection, session)
