"""P18 on real sockets: strangers who are refused, as fast as a server can refuse them."""

import functools
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.data import message_audio
from benchmarks.processes import python_json, running_python
from tests.guarantees.gate import OPEN, bare
from tests.guarantees.scale import scaled
from wsframes.testing import MemoryPeer, PeerDenied

pytestmark = [
    pytest.mark.socket,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("anyio_backend", [pytest.param(("asyncio", {}), id="client")]),
]

FIRST = scaled(200, 3000)
STRANGERS = scaled(400, 10_000)
STRANGERS_PER_S = 1000
PROMISED_BYTES = 5_000_000

SESSIONS = 3
RATE = 50
QUIET_S = scaled(0.2, 6.0)

STORM = "from tests.guarantees.storm import main; main()"

# The strangers and whoever listens share a core, and leave the server one of its own.
SERVER_CPU, STRANGERS_CPU = 0, 1 % (os.cpu_count() or 1)


class Refusal(NamedTuple):
    """What a storm has cost.

    Attributes:
        at_most: how many were refused a second, as fast as they came.
        per_s: how many came in the storm that counts.
        quiet_ms: p99 of how late an echo beside it is, before it.
        late_ms: the same, while it lasts.
        cpu_us: what one cost the server of its core; the echoes are in it.
        grown_bytes: what the server's memory has grown by.
    """

    at_most: float
    per_s: float
    quiet_ms: float
    late_ms: float
    cpu_us: float
    grown_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.at_most:.0f}/s at most; {STRANGERS} at {self.per_s:.0f}/s: "
            f"{self.cpu_us:.0f} us each, RSS {self.grown_bytes / 1e6:+.2f} MB, p99 of {SESSIONS} "
            f"echoes {self.quiet_ms:.1f} -> {self.late_ms:.1f} ms"
        )


async def storm(port: int, strangers: int, *options: str) -> float:
    """Let strangers come; how many were refused a second."""
    arguments = ["-c", STORM, str(port), "--strangers", str(strangers)]
    ask = functools.partial(python_json, [*arguments, "--cpu", str(STRANGERS_CPU), *options])
    report: Any = await anyio.to_thread.run_sync(ask)
    assert report["statuses"] == {"403": strangers}
    return float(strangers / report["seconds"])


class Echoes:
    """Sessions that send fifty messages a second, and note how late each comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._message = message_audio()
        self.late_ms: list[float] = []

    async def live(self) -> None:
        uri = f"ws://127.0.0.1:{self._port}{OPEN}"
        async with connect(uri, proxy=None, compression=None, ping_interval=None) as connection:
            begun_s = time.monotonic()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen, connection, begun_s)
                sent = 0
                while True:
                    await anyio.sleep(max(0, begun_s + sent / RATE - time.monotonic()))
                    await connection.send(self._message)
                    sent += 1

    async def _listen(self, connection: ClientConnection, begun_s: float) -> None:
        back = 0
        async for data in connection:
            assert len(data) == len(self._message)
            self.late_ms.append(1000 * (time.monotonic() - begun_s - back / RATE))
            back += 1

    def p99_ms(self) -> float:
        """Of those that have come since it was asked last."""
        late_ms, self.late_ms = sorted(self.late_ms), []
        assert len(late_ms) > SESSIONS
        return late_ms[len(late_ms) * 99 // 100]


async def refuse(server: str, application: str) -> Refusal:
    serve = ["-m", "benchmarks.serve", server, f"tests.guarantees.gate:{application}"]
    with running_python([*serve, "--cpu", str(SERVER_CPU), "--freeze"]) as (pid, at):
        port = at["port"]
        process = psutil.Process(pid)
        at_most = await storm(port, FIRST)
        echoes = Echoes(port)
        async with anyio.create_task_group() as tasks:
            for _ in range(SESSIONS):
                tasks.start_soon(echoes.live)
            await anyio.sleep(0.5)
            echoes.late_ms.clear()
            await anyio.sleep(QUIET_S)
            quiet_ms = echoes.p99_ms()
            before, before_s = process.memory_info().rss, sum(process.cpu_times()[:2])
            per_s = await storm(port, STRANGERS, "--rate", str(STRANGERS_PER_S))
            cpu_us = (sum(process.cpu_times()[:2]) - before_s) / STRANGERS * 1e6
            late_ms = echoes.p99_ms()
            grown = process.memory_info().rss - before
            tasks.cancel_scope.cancel()
    return Refusal(at_most, per_s, quiet_ms, late_ms, cpu_us, grown)


async def test_what_it_is_compared_with_does_the_same() -> None:
    async with MemoryPeer(bare, "/closed") as stranger:
        with pytest.raises(PeerDenied):
            await stranger.connect()
    async with MemoryPeer(bare, OPEN) as peer:
        await peer.send(b"hello")
        assert await peer.receive() == b"hello"


@pytest.mark.parametrize("application", scaled(["ours"], ["bare", "ours"]))
@pytest.mark.parametrize("server", ["uvicorn", "hypercorn-trio"])
async def test_a_storm_of_strangers_on_real_sockets(
    server: str, application: str, figure: Callable[[str, str], None]
) -> None:
    """P18: refusing leaves no memory behind; what it costs the others is what the server costs."""
    cost = await refuse(server, application)
    figure("P18", f"{server}, {application}: {cost}")
    assert cost.grown_bytes <= PROMISED_BYTES
