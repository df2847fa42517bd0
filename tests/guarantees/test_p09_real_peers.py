"""P5, P9, P20: peers on real sockets that do what real peers do, on all servers at once."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from anyio.abc import SocketAttribute
from websockets.exceptions import ConnectionClosed

from tests.guarantees.real_servers import KINDS, Fleet
from tests.guarantees.scale import scaled
from tests.servers.client import SPEECH, client_of
from tests.servers.matrix import Server
from tests.servers.process import ServerProcess
from tests.servers.raw import BINARY, CONTINUE, PING, TEXT, close, frame, raw
from wsframes.testing import FaultProxy

pytestmark = [
    pytest.mark.socket,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anyio_backend", [pytest.param(("asyncio", {}), id="client")]),
]

Figure = Callable[[str, str], None]

MIB = 1 << 20


async def test_a_byte_a_second(servers: Fleet, figure: Figure) -> None:
    """P9: a peer that reads, but so slowly, is called slow."""
    took_s: dict[str, float] = {}

    async def ask(facts: Server, process: ServerProcess) -> None:
        async with FaultProxy(process.port) as proxy:
            async with raw(proxy.port, "/app?session=drip&write_timeout=0.5") as client:
                proxy.to_client.bytes_per_s = 1
                proxy.to_client.slice_bytes = 1
                begun_s = time.monotonic()
                await client.send(frame(TEXT, b'"flood"'))
                report = await process.report("drip")
                took_s[facts.__name__] = report.over_at_s - begun_s
        assert (report.reason, report.close_code) == ("slow_client", 1013)
        assert report.events == ["connected", "disconnected", "finished"]

    await servers.each(ask)
    assert max(took_s.values()) < 20
    figure("P9", f"a peer that reads a byte a second: over after {max(took_s.values()):.1f} s")


MESSAGES = {
    "audio": frame(BINARY, bytes(640)),
    "text": frame(TEXT, b'"' + b"x" * 300 + b'"'),
    "fragment": frame(BINARY, bytes(320), fin=False) + frame(CONTINUE, bytes(320)),
    "ping": frame(PING, bytes(100)),
    "close": close(1000, b"goodbye"),
}


@pytest.mark.parametrize("how", ["rst", "fin"])
async def test_broken_in_the_middle_of_each_kind_of_message(
    servers: Fleet, how: str, figure: Figure
) -> None:
    """P5: the session is over within a second, and is told that the peer was lost."""
    late_s: list[float] = []

    async def ask(facts: Server, process: ServerProcess) -> None:
        for kind, message in MESSAGES.items():
            for size in {1, 2, 5, len(message) // 2, len(message) - 1}:
                session = f"{how}-{kind}-{size}"
                async with raw(process.port, f"/app?session={session}") as client:
                    await client.send(frame(TEXT, b'"hello"'))
                    assert await client.receive() == (TEXT, b'"hello"')
                    await client.send(message[:size])
                    begun_s = time.monotonic()
                    if how == "rst":
                        await client.reset()
                    else:
                        await client.stream.send_eof()
                    report = await process.report(session)
                assert (report.reason, report.close_code) == ("client_lost", facts.lost_code)
                assert report.events == ["connected", "disconnected", "finished"]
                assert report.received == 1
                late_s.append(report.over_at_s - begun_s)

    await servers.each(ask)
    assert max(late_s) < 5
    worst = sorted(late_s)[round(0.95 * len(late_s))]
    figure("P5", f"{how} within {len(late_s)} messages: over after {1000 * worst:.0f} ms (p95)")


async def test_a_reset_while_the_last_words_are_played(servers: Fleet, figure: Figure) -> None:
    """P5: in the drain too."""
    late_s: list[float] = []

    async def ask(facts: Server, process: ServerProcess) -> None:
        async with raw(process.port, "/app?session=drain&lead_ms=0") as client:
            for start in range(0, len(SPEECH), 16_000):
                await client.send(frame(BINARY, SPEECH[start : start + 16_000]))
            await client.send(frame(TEXT, b'"end"'))
            await client.receive()
            begun_s = time.monotonic()
            await client.reset()
            report = await process.report("drain")
        late_s.append(report.over_at_s - begun_s)
        assert report.reason == "client_lost"
        assert report.events == ["connected", "disconnected", "finished"]

    await servers.each(ask)
    assert max(late_s) < 5
    figure("P5", f"a reset while the last words are played: over after {max(late_s):.2f} s")


async def test_a_connection_that_is_half_open(servers: Fleet, figure: Figure) -> None:
    """P20: a cable that was cut; no server's pings are needed to notice it."""
    took_s: list[float] = []

    async def ask(facts: Server, process: ServerProcess) -> None:
        async with FaultProxy(process.port) as proxy:
            async with raw(proxy.port, "/app?session=half-open&receive_timeout=1") as client:
                await client.send(frame(TEXT, b'"hello"'))
                await client.receive()
                begun_s = time.monotonic()
                proxy.hold()
                report = await process.report("half-open")
                took_s.append(report.over_at_s - begun_s)
        assert report.reason == "idle_timeout"
        assert report.events == ["connected", "finished"]

    await servers.each(ask)
    assert max(took_s) < 5
    figure("P20", f"half-open, with a timeout of 1 s: over after {max(took_s):.2f} s")


async def test_single_bytes(servers: Fleet) -> None:
    """The handshake and all messages cut into packets of one byte."""

    async def ask(facts: Server, process: ServerProcess) -> None:
        async with FaultProxy(process.port) as proxy:
            proxy.to_server.slice_bytes = proxy.to_client.slice_bytes = 1
            async with raw(proxy.port, "/app?session=slices") as client:
                await client.send(frame(BINARY, SPEECH[:640]), frame(TEXT, b'"\xc3\xa4"'))
                audio = b""
                while len(audio) < 640:
                    opcode, payload = await client.receive()
                    assert opcode in (BINARY, TEXT)
                    audio += payload if opcode == BINARY else b""
                assert audio == SPEECH[:640]
                await client.send(close(1000))
            assert (await process.report("slices")).lost == {}

    await servers.each(ask)


async def test_reconnecting_again_and_again(servers: Fleet, figure: Figure) -> None:
    """P1, P5: by turns with a close, a FIN and a reset; nothing is left of any of them."""
    times = scaled(30, 100)
    reasons: Counter[str] = Counter()

    async def ask(facts: Server, process: ServerProcess) -> None:
        port = 0
        for number in range(times):
            async with raw(process.port, f"/app?session=again-{number}") as client:
                port = client.stream.extra(SocketAttribute.local_port)
                await client.send(frame(BINARY, bytes(640)))
                if number % 3 == 0:
                    await client.send(close(1000))
                    await client.fate(0)
                elif number % 3 == 1:
                    await client.reset()
        for number in range(times):
            report = await process.report(f"again-{number}")
            assert report.raised is None
            reasons[report.reason or "none"] += 1
        await process.let_go_of(port)

    await servers.each(ask)
    assert set(reasons) <= {"client_lost", "client_disconnected"}
    figure("P5", f"{times} connections one after the other on each server: {dict(reasons)}")


@pytest.mark.parametrize("facts", KINDS)
async def test_bombs(servers: Fleet, facts: Server, figure: Figure) -> None:
    """P16: 15 KB on the wire that are 15 MiB once inflated: 1009, and the memory comes back."""
    bombs = scaled(2, 20)
    process = servers.processes[facts]
    before = process.memory_bytes
    for _ in range(bombs):
        async with client_of(process, compression="deflate", close_timeout=5) as client:
            with suppress(ConnectionClosed):
                await client.connection.send(bytes(15 * MIB))
            code, _ = await client.closed()
            assert code == 1009
            assert (await client.report()).reason == "bad_input"
    grown = process.memory_bytes - before
    assert grown < 100 * MIB
    figure("P16", f"{bombs} deflate bombs on {facts.__name__}: RSS + {grown / MIB:.0f} MiB")
