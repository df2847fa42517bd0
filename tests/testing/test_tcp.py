"""`wsframes.testing.tcp`, between a client and a server that are both real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf, nan

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from wsframes.testing import FaultProxy, Faults

pytestmark = pytest.mark.socket


@asynccontextmanager
async def through(handle: Callable[[SocketStream], Awaitable[None]]) -> AsyncIterator[FaultProxy]:
    """A proxy in front of a server that handles its connections like this."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        async with FaultProxy(listener.extra(SocketAttribute.local_port)) as proxy:
            yield proxy
        tasks.cancel_scope.cancel()


class Server:
    """Echoes, and notes how each connection ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.received = b""
        self.over = anyio.Event()

    async def __call__(self, stream: SocketStream) -> None:
        async with stream:
            try:
                while True:
                    data = await stream.receive()
                    self.received += data
                    await stream.send(data)
            except anyio.EndOfStream:
                self.ends.append("fin")
            except anyio.BrokenResourceError:
                self.ends.append("reset")
            finally:
                self.over.set()


async def read(stream: SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive()
    return data


BULK = bytes(range(256)) * 4096


@pytest.mark.parametrize(
    "faults", [{}, {"jitter_s": 0.01}, {"slice_bytes": 1000}, {"latency_s": 0.01}]
)
async def test_what_is_sent_arrives_whole_and_in_order(faults: dict[str, float]) -> None:
    server = Server()
    async with through(server) as proxy:
        for name, value in faults.items():
            setattr(proxy.to_server, name, value)
            setattr(proxy.to_client, name, value)
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.send, BULK)
                assert await read(client, len(BULK)) == BULK
            await client.send_eof()
            with pytest.raises(anyio.EndOfStream):
                await client.receive()
        assert proxy.connections == 1
    assert server.ends == ["fin"]


def test_pieces_are_no_larger_than_asked_for() -> None:
    assert list(Faults().pieces(b"abcde")) == [b"abcde"]
    assert list(Faults(slice_bytes=2).pieces(b"abcde")) == [b"ab", b"cd", b"e"]
    assert list(Faults(slice_bytes=1).pieces(b"")) == []


def test_pieces_are_no_larger_than_what_passes_in_a_moment() -> None:
    faults = Faults(bytes_per_s=40)
    pieces = faults.pieces(b"abcdefghi")
    assert next(pieces) == b"ab"
    faults.bytes_per_s = 0.1
    assert next(pieces) == b"c"
    faults.bytes_per_s, faults.slice_bytes = 1e9, 3
    assert list(pieces) == [b"def", b"ghi"]


async def test_a_rate_takes_its_time_until_it_is_changed() -> None:
    faults = Faults(bytes_per_s=0.001)

    async def change() -> None:
        await anyio.sleep(0.02)
        faults.bytes_per_s = inf

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(change)
        await faults.take_time(1)  # a quarter of an hour, it seems
    faults.bytes_per_s = 100
    begun_s = anyio.current_time()
    await faults.take_time(12)
    assert anyio.current_time() - begun_s >= 0.119


@pytest.mark.parametrize(
    ("name", "value"), [("bytes_per_s", 0), ("bytes_per_s", nan), ("slice_bytes", 0)]
)
def test_faults_that_let_no_byte_pass_are_refused(name: str, value: float) -> None:
    faults = Faults()
    before = getattr(faults, name)
    with pytest.raises(ValueError, match=str(value)):
        setattr(faults, name, value)
    assert getattr(faults, name) is before


async def test_a_slow_direction_lets_no_burst_pass_and_feels_a_change() -> None:
    async with through(Server()) as proxy:
        proxy.to_client.bytes_per_s = 0.001
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            await client.send(b"abcdefghij")
            assert await client.receive() == b"a"
            proxy.to_client.bytes_per_s = inf
            assert await read(client, 9) == b"bcdefghij"


@pytest.mark.parametrize("kind", [AssertionError, pytest.skip.Exception])
async def test_what_the_block_raises_is_raised_as_it_is(kind: type[BaseException]) -> None:
    async def fail() -> None:
        async with FaultProxy(1):
            raise kind("as it was told")

    with pytest.raises(kind, match="as it was told"):
        await fail()


async def test_a_block_that_is_cancelled_is_left() -> None:
    with anyio.move_on_after(0.01) as scope:
        async with FaultProxy(1):
            await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_latency_and_a_narrow_band_take_their_time() -> None:
    async with through(Server()) as proxy:
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            proxy.to_server.latency_s = 0.1
            begun_s = anyio.current_time()
            await client.send(b"x")
            await read(client, 1)
            assert anyio.current_time() - begun_s >= 0.099
            proxy.to_server.latency_s = 0
            proxy.to_client.bytes_per_s = 10_000
            proxy.to_client.slice_bytes = 100
            begun_s = anyio.current_time()
            await client.send(bytes(2000))
            await read(client, 2000)
            assert anyio.current_time() - begun_s >= 0.18


async def test_a_direction_that_is_slow_is_felt_by_the_sender() -> None:
    async def pour(stream: SocketStream) -> None:
        async with stream:
            while True:
                with anyio.move_on_after(0.5) as patience:
                    await stream.send(bytes(65536))
                if patience.cancelled_caught:
                    blocked.set()
                    return

    blocked = anyio.Event()
    async with through(pour) as proxy:
        proxy.to_client.bytes_per_s = 1
        proxy.to_client.slice_bytes = 1
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            assert await client.receive() == b"\0"
            await blocked.wait()


async def test_a_held_connection_says_nothing_until_it_is_released() -> None:
    server = Server()
    async with through(server) as proxy:
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            await client.send(b"before")
            assert await read(client, 6) == b"before"
            proxy.hold()
            await client.send(b"held")
            with anyio.move_on_after(0.1) as scope:
                await client.receive()
            assert scope.cancelled_caught
            assert server.received == b"before"
            await client.send(b"back")
            proxy.release()
            assert await read(client, 8) == b"heldback"


async def test_it_is_held_in_the_middle_of_what_it_passes() -> None:
    async with through(Server()) as proxy:
        proxy.to_client.bytes_per_s = 100
        proxy.to_client.slice_bytes = 1
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            await client.send(bytes(50))
            await client.receive()
            proxy.hold()
            await anyio.sleep(0.05)
            with anyio.move_on_after(0.1) as scope:
                await read(client, 50)
            assert scope.cancelled_caught
            proxy.to_client.bytes_per_s = 1e9
            proxy.release()
            await client.receive()


async def test_a_reset_breaks_both_sides() -> None:
    server = Server()
    async with through(server) as proxy:
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            await client.send(b"x")
            await client.receive()
            proxy.reset()
            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()
            await server.over.wait()
    assert server.ends == ["reset"]


@pytest.mark.parametrize("side", ["client", "server"])
async def test_the_reset_of_one_side_is_passed_on(side: str) -> None:
    ends: list[str] = []
    over = anyio.Event()

    async def leave(stream: SocketStream) -> None:
        await stream.receive()
        if side == "server":
            await reset(stream)
        else:
            with pytest.raises(anyio.BrokenResourceError):
                await stream.receive()
            ends.append("reset")
            await stream.aclose()
        over.set()

    async with through(leave) as proxy:
        client = await anyio.connect_tcp("127.0.0.1", proxy.port)
        await client.send(b"x")
        if side == "client":
            await anyio.sleep(0.05)
            await reset(client)
            await over.wait()
            assert ends == ["reset"]
        else:
            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()
            await client.aclose()


async def reset(stream: SocketStream) -> None:
    from wsframes.testing import tcp

    tcp._set_reset(stream)
    await anyio.aclose_forcefully(stream)


async def test_one_direction_can_end_while_the_other_goes_on() -> None:
    ended = anyio.Event()

    async def answer(stream: SocketStream) -> None:
        async with stream:
            assert await stream.receive() == b"x"
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
            await stream.send(b"still here")
            ended.set()

    async with through(answer) as proxy:
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            await client.send(b"x")
            await anyio.sleep(0.05)
            proxy.finish("to_server")
            assert await read(client, 10) == b"still here"
            await ended.wait()


@pytest.mark.parametrize(("how", "end"), [("reset", "reset"), ("fin", "fin")])
@pytest.mark.parametrize("size", [0, 1, 99, 100])
async def test_it_cuts_after_so_many_bytes(how: str, end: str, size: int) -> None:
    server = Server()
    async with through(server) as proxy:
        proxy.to_server.cut_after_bytes = size
        proxy.to_server.cut = how  # type: ignore[assignment]
        async with await anyio.connect_tcp("127.0.0.1", proxy.port) as client:
            await client.send(bytes(100))
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await read(client, 1000)
            await server.over.wait()
    assert server.ends == [end]
    # What was on its way may be lost in a reset.
    assert len(server.received) == size or how == "reset"


async def test_without_a_server_the_client_is_reset() -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    await listener.aclose()
    async with FaultProxy(port) as proxy:
        client = await anyio.connect_tcp("127.0.0.1", proxy.port)
        with pytest.raises((anyio.BrokenResourceError, anyio.EndOfStream)):
            await client.receive()
        await client.aclose()
