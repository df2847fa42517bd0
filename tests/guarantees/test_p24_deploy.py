"""P24: SIGTERM with many live and some stuck sessions, and then a second one, on real servers.

uvicorn would close everything at the signal: `handle_signals` comes before it. hypercorn does not
tell its workers of the signal at all: it gives them `--graceful-timeout`, and cancels then.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.guarantees.scale import scaled
from tests.servers.client import client_of
from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess

pytestmark = [
    pytest.mark.socket,
    pytest.mark.parametrize("anyio_backend", [pytest.param(("asyncio", {}), id="client")]),
]

LIVE = scaled(60, 200)
STUCK = scaled(10, 20)

# One of each kind that matters here: who tells, who cancels, who cannot even cancel.
DEPLOYED = [
    server
    for server in SERVERS
    if server.__name__
    in ("uvicorn-websockets-sansio-uvloop", "hypercorn-asyncio", "hypercorn-trio")
]


async def connect(stack: AsyncExitStack, process: ServerProcess, count: int, kind: str) -> None:
    query = {"stuck": 1} if kind == "processor" else {}
    for _ in range(count):
        client = await stack.enter_async_context(
            client_of(
                process,
                "deployed",
                query={**query, "write_timeout": 60},
                max_queue=1,
                close_timeout=0.1,
                ping_interval=None,
            )
        )
        if kind == "processor":
            await client.connection.send(bytes(640))
        else:
            await client.tell("flood")


@pytest.mark.parametrize("facts", DEPLOYED)
async def test_a_server_goes_away_under_load(
    facts: Server, tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """P24: the live ones are told 1001, the second signal ends the rest, and the exit code is 0."""
    process = ServerProcess(facts.serving("deployed"), tmp_path)
    try:
        await anyio.to_thread.run_sync(lambda: process.port)
        async with AsyncExitStack() as stack:
            await connect(stack, process, STUCK // 2, "processor")
            await connect(stack, process, STUCK - STUCK // 2, "peer")
            live = [client_of(process, "deployed", ping_interval=None) for _ in range(LIVE)]
            clients = [await stack.enter_async_context(client) for client in live]
            for client in clients:
                await client.tell("hello")
                assert await client.connection.recv() == '"hello"'

            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            codes: Counter[int | None] = Counter()
            for client in clients:
                code, _ = await client.closed()
                codes[code] += 1
            live_s = time.monotonic() - begun_s
            assert codes == {1001: LIVE}

            begun_s = time.monotonic()
            exit_code = await anyio.to_thread.run_sync(process.stop, signal.SIGTERM)
            rest_s = time.monotonic() - begun_s
        assert exit_code == 0, process.log()
        assert live_s < 10
        assert rest_s < 10
    finally:
        process.stop(signal.SIGKILL)
    figure(
        "P24",
        f"{facts.__name__}: {LIVE} live sessions told 1001 in {live_s:.1f} s, {STUCK} stuck ones "
        f"and the server gone {rest_s:.1f} s after a second SIGTERM, exit code {exit_code}",
    )
