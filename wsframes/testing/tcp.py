"""A TCP proxy with the habits of a bad network, for tests on real sockets.

`MemoryPeer` needs no sockets and no waiting, and is the better tool for most tests. This one is for
what only a real server can show: put it between the server and any client, and change what it does
while they talk.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Self

import anyio
from anyio.abc import SocketAttribute

from wsframes.transport.tasks.waiting import Signal

from .outcomes import is_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from anyio.abc import Listener, SocketStream, TaskGroup

__all__ = ["FaultProxy", "Faults"]

_READ_BYTES = 65536
_RATE_STEP_S = 0.05
_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Faults:
    """What happens to the bytes of one direction. Change it whenever you like: it is felt within a
    twentieth of a second, except by the latency of what is on its way.

    Attributes:
        latency_s: how much later they arrive.
        jitter_s: and up to this much later still, by chance; their order is kept.
        bytes_per_s: how many of them pass in a second.
        slice_bytes: they arrive in pieces of at most this size, each in a packet of its own.
        cut_after_bytes: so many of each connection pass, and then it is cut.
        cut: how: "reset" breaks both directions (RST); "fin" ends this one (FIN), and the other one
            goes on.

    Raises:
        ValueError: no byte would ever pass; also when it is changed.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = inf
    slice_bytes: int | None = None
    cut_after_bytes: int | None = None
    cut: Literal["reset", "fin"] = "reset"

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "bytes_per_s" and not value > 0:
            raise ValueError(f"a rate of {value} bytes/s: FaultProxy.hold() lets nothing pass")
        if name == "slice_bytes" and value is not None and value < 1:
            raise ValueError(f"slice_bytes is {value}: a piece has at least 1 byte")
        super().__setattr__(name, value)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The data as it arrives."""
        while data:
            size = len(data) if self.slice_bytes is None else self.slice_bytes
            if (step_bytes := self.bytes_per_s * _RATE_STEP_S) < size:
                size = max(1, int(step_bytes))
            yield data[:size]
            data = data[size:]

    def room(self, passed_bytes: int) -> int | None:
        """How many more bytes pass before the cut, if there is to be one."""
        if self.cut_after_bytes is None:
            return None
        return max(0, self.cut_after_bytes - passed_bytes)

    async def take_time(self, size_bytes: float) -> None:
        """Wait as long as so many bytes take, at the rate of each moment."""
        while size_bytes > 0:
            rate = self.bytes_per_s
            step_s = min(size_bytes / rate, _RATE_STEP_S)
            await anyio.sleep(step_s)
            size_bytes = 0 if step_s < _RATE_STEP_S else size_bytes - step_s * rate


class FaultProxy:
    """Listens on a port of its own and passes what comes on to another one::

        async with FaultProxy(server_port) as proxy:
            proxy.to_client.bytes_per_s = 1000
            client = await connect("127.0.0.1", proxy.port)
            proxy.hold()  # from now on the connection is dead, and nobody is told

    What it cannot pass on it does not read, beyond ``buffer_bytes``: so a sender feels a slow or
    held direction as it would feel a slow or dead peer. An end or a reset of one side is passed on
    to the other one.

    Args:
        port: where to.
        host: likewise.
        buffer_bytes: what it holds at most, for each direction of each connection.
        seed: of the jitter.

    Attributes:
        to_server: the faults of what clients send.
        to_client: the faults of what the server sends.
        port: where it listens, on 127.0.0.1, within the block.
        connections: how many there were.
    """

    def __init__(
        self, port: int, host: str = "127.0.0.1", *, buffer_bytes: int = 65536, seed: int = 0
    ) -> None:
        self.to_server = Faults()
        self.to_client = Faults()
        self.port = 0
        self.connections = 0
        self._target = (host, port)
        self._buffer_bytes = buffer_bytes
        self._random = Random(seed)
        self._held = False
        self._live: set[_Link] = set()
        self._tasks: TaskGroup

    async def __aenter__(self) -> Self:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self.port = listener.extra(SocketAttribute.local_port)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._listen, listener)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        if exc is not None and is_outcome(exc):
            await self._tasks.__aexit__(None, None, None)  # which would wrap it in a group
            return None
        return await self._tasks.__aexit__(exc_type, exc, traceback)

    def hold(self) -> None:
        """Pass nothing on from now on, either way, and tell nobody: a cable that was cut."""
        self._held = True

    def release(self) -> None:
        """Go on after `hold`, with all that was sent in the meantime."""
        self._held = False
        for link in self._live:
            link.wake()

    def reset(self) -> None:
        """Break all connections (RST), on both sides."""
        for link in self._live:
            link.reset()

    def finish(self, direction: Literal["to_server", "to_client"]) -> None:
        """End this direction of all connections (FIN), behind what was sent before."""
        for link in self._live:
            link.finish(direction)

    async def _listen(self, listener: Listener[SocketStream]) -> None:
        async with listener:
            await listener.serve(self._serve)

    async def _serve(self, client: SocketStream) -> None:
        self.connections += 1
        async with client:
            try:
                server = await anyio.connect_tcp(*self._target)
            except OSError:
                _set_reset(client)
                return
            async with server:
                link = _Link(
                    _Pipe(client, server, self.to_server, self._random, self._buffer_bytes),
                    _Pipe(server, client, self.to_client, self._random, self._buffer_bytes),
                    lambda: self._held,
                )
                self._live.add(link)
                try:
                    await link.run()
                finally:
                    self._live.discard(link)


class _Pipe:
    """One direction of one connection: what has been read and not passed on yet."""

    def __init__(
        self,
        source: SocketStream,
        sink: SocketStream,
        faults: Faults,
        random: Random,
        buffer_bytes: int,
    ) -> None:
        self.source = source
        self.sink = sink
        self.faults = faults
        self.changed = Signal()
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.passed_bytes = 0
        self._waiting_bytes = 0
        self._random = random
        self._buffer_bytes = buffer_bytes

    @property
    def is_full(self) -> bool:
        return self._waiting_bytes >= self._buffer_bytes

    def put(self, data: bytes) -> None:
        """Take what was read; nothing is the end."""
        faults = self.faults
        due_s = anyio.current_time() + faults.latency_s + self._random.random() * faults.jitter_s
        if self.waiting:
            due_s = max(due_s, self.waiting[-1][0])
        self.waiting.append((due_s, data))
        self._waiting_bytes += len(data)
        self.changed.set()

    def take(self) -> bytes:
        _, data = self.waiting.popleft()
        self._waiting_bytes -= len(data)
        self.changed.set()
        return data


class _Link:
    """One connection through the proxy."""

    def __init__(self, to_server: _Pipe, to_client: _Pipe, held: Callable[[], bool]) -> None:
        self._pipes = {"to_server": to_server, "to_client": to_client}
        self._held = held
        self._scope = anyio.CancelScope()
        self._broken = False

    async def run(self) -> None:
        """Until both directions have ended, or it is reset."""
        streams = [pipe.sink for pipe in self._pipes.values()]
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    for pipe in self._pipes.values():
                        pipe.sink.extra(SocketAttribute.raw_socket).setsockopt(
                            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
                        )
                        tasks.start_soon(self._read, pipe)
                        tasks.start_soon(self._write, pipe)
        finally:
            for stream in streams:
                if self._broken:
                    _set_reset(stream)
                await anyio.aclose_forcefully(stream)

    def wake(self) -> None:
        for pipe in self._pipes.values():
            pipe.changed.set()

    def reset(self) -> None:
        self._broken = True
        self._scope.cancel()

    def finish(self, direction: str) -> None:
        self._pipes[direction].put(b"")

    async def _read(self, pipe: _Pipe) -> None:
        try:
            while True:
                while pipe.is_full or self._held():
                    await pipe.changed.wait()
                pipe.put(await pipe.source.receive(_READ_BYTES))
        except anyio.EndOfStream:
            pipe.put(b"")
        except _BROKEN:
            self.reset()

    async def _write(self, pipe: _Pipe) -> None:
        with suppress(*_BROKEN):  # who reads from that side finds it broken too, and resets
            while data := await self._next(pipe):
                for piece in pipe.faults.pieces(data):
                    while self._held():
                        await pipe.changed.wait()
                    if not await self._pass(pipe, piece):
                        return
            await pipe.sink.send_eof()

    async def _next(self, pipe: _Pipe) -> bytes:
        while not pipe.waiting or self._held():
            await pipe.changed.wait()
        await anyio.sleep_until(pipe.waiting[0][0])
        return pipe.take()

    async def _pass(self, pipe: _Pipe, piece: bytes) -> bool:
        """Pass a piece on, or what may pass of it; says whether there can be more."""
        faults = pipe.faults
        room = faults.room(pipe.passed_bytes)
        piece = piece[:room]
        if piece:
            await pipe.sink.send(piece)
            pipe.passed_bytes += len(piece)
            await faults.take_time(len(piece))
        if faults.room(pipe.passed_bytes) != 0:
            return True
        if faults.cut == "reset":
            self.reset()
        else:
            await pipe.sink.send_eof()
        return False


def _set_reset(stream: SocketStream) -> None:
    """Let its end be a reset, and what it has not sent be lost."""
    with suppress(OSError, ValueError):  # it is over already; uvloop says so by the latter
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
