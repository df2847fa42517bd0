"""A websocket client that writes its frames by itself, right or wrong (RFC 6455, section 5.2)."""

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUE",
    "PING",
    "PONG",
    "TEXT",
    "RawClient",
    "close",
    "frame",
    "raw",
]

CONTINUE, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_MASK = b"\x11\x22\x33\x44"
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """One frame, as a client sends it, of less than 64 KiB."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    size, mask = len(payload), masked << 7
    if size < 126:
        head += bytes([mask | size])
    else:
        head += bytes([mask | 126]) + struct.pack("!H", size)
    if not masked:
        return head + payload
    turned = bytes(byte ^ _MASK[at % 4] for at, byte in enumerate(payload))
    return head + _MASK + turned


def close(code: int | None, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class RawClient:
    """One connection whose handshake is done."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._buffer = BufferedByteReceiveStream(stream)

    async def handshake(self, path: str) -> None:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await self.stream.send(request.encode())
        answer = await self._buffer.receive_until(b"\r\n\r\n", 65536)
        assert answer.startswith(b"HTTP/1.1 101"), answer

    async def send(self, *frames: bytes) -> None:
        """Send bytes; silent if the server has hung up."""
        with suppress(*_BROKEN):
            for each in frames:
                await self.stream.send(each)

    async def receive(self) -> tuple[int, bytes]:
        """The next frame of the server's, of less than 64 KiB: opcode and payload."""
        first, size = await self._buffer.receive_exactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self._buffer.receive_exactly(2))
        return first & 0x0F, await self._buffer.receive_exactly(size)

    async def fate(self, grace_s: float = 0.2) -> str:
        """What has become of the connection: `alive`, `closed CODE` by the server, or `lost`.

        Args:
            grace_s: how long after a pong the server may still close: it answers pings by itself,
                while a message waits for the application.
        """
        await self.send(frame(PING, b"probe"))
        with anyio.CancelScope() as grace:
            try:
                while True:
                    opcode, payload = await self.receive()
                    if (opcode, payload) == (PONG, b"probe"):
                        grace.deadline = anyio.current_time() + grace_s
                    elif opcode == CLOSE:
                        code = struct.unpack("!H", payload[:2])[0] if payload else None
                        return f"closed {code}"
            except (*_BROKEN, anyio.EndOfStream, anyio.IncompleteRead):
                return "lost"
        return "alive"

    async def reset(self) -> None:
        """Break the connection (RST)."""
        sock = self.stream.extra(SocketAttribute.raw_socket)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.stream.aclose()


@asynccontextmanager
async def raw(port: int, path: str) -> AsyncIterator[RawClient]:
    """Connect and shake hands."""
    with anyio.fail_after(30):
        # `connect_tcp` cancels a part of itself: on Python 3.11 what follows is then not traced.
        connected = socket.create_connection(("127.0.0.1", port))
        async with await SocketStream.from_socket(connected) as stream:
            client = RawClient(stream)
            await client.handshake(path)
            yield client
