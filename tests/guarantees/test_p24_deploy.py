"""P24: SIGTERM with many live and some stuck sessions, and then a second one, on real servers.

uvicorn would close everything at the signal: `handle_signals` comes before it. hypercorn and
anycorn run the application in a worker, and tell it of nothing: it hears of signals that are sent
to all of the server's processes, as a terminal and systemd do it. Of a signal to the parent alone
it learns when `--graceful-timeout` is over and it is cancelled, as the bare application beside it
shows.
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
from tests.servers.client import Client, client_of
from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess

pytestmark = [
    pytest.mark.socket,
    pytest.mark.parametrize("anyio_backend", [pytest.param(("asyncio", {}), id="client")]),
]

LIVE = scaled(40, 200)
STUCK = scaled(8, 20)

GRACEFUL_S = 2
PROMISED_S = 1.0
SLOW_MACHINE_S = 1.0

# One of each kind that matters here: who tells, who cancels, who cannot even cancel.
WITH_WORKERS = [facts for facts in SERVERS if facts.package in ("hypercorn", "anycorn")]
LETTING_GO = [facts for facts in WITH_WORKERS if facts.lets_go]
DEPLOYED = [
    *(facts for facts in SERVERS if facts.__name__ == "uvicorn-websockets-sansio-uvloop"),
    *WITH_WORKERS,
]

# hypercorn on asyncio waits for peers that do not read: there the worker dies of the signal, and it
# is luck whether its parent sees that before it exits itself.
EXIT_CODES = {"hypercorn-asyncio": {0, 256 - signal.SIGTERM}}


async def connect_stuck(
    stack: AsyncExitStack, process: ServerProcess, count: int, kind: str
) -> list[Client]:
    """Half of them hang in a processor, half wait for a peer that does not read."""
    query = {"stuck": 1} if kind == "processor" else {}
    clients = []
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
        clients.append(client)
        if kind == "processor":
            await client.connection.send(bytes(640))
        else:
            await client.tell("flood")
    return clients


async def connect_live(stack: AsyncExitStack, process: ServerProcess, count: int) -> list[Client]:
    live = [client_of(process, "deployed", ping_interval=None) for _ in range(count)]
    clients = [await stack.enter_async_context(client) for client in live]
    for client in clients:
        await client.tell("hello")
        assert await client.connection.recv() == '"hello"'
    return clients


@pytest.mark.parametrize("facts", DEPLOYED)
async def test_a_server_goes_away_under_load(
    facts: Server, tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """P24: the live ones are told 1001, the second signal ends the rest, and the exit code is 0."""
    patience = ("--graceful-timeout", "20") if facts in WITH_WORKERS else ()
    process = ServerProcess(facts.serving("deployed", *patience), tmp_path)
    try:
        await anyio.to_thread.run_sync(lambda: process.port)
        async with AsyncExitStack() as stack:
            stuck = await connect_stuck(stack, process, STUCK // 2, "processor")
            stuck += await connect_stuck(stack, process, STUCK - STUCK // 2, "peer")
            clients = await connect_live(stack, process, LIVE)

            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM, workers=True)
            codes: Counter[int | None] = Counter()
            for client in clients:
                code, _ = await client.closed()
                codes[code] += 1
            live_s = time.monotonic() - begun_s
            assert codes == {1001: LIVE}

            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM, workers=True)
            reports = [await client.report() for client in stuck]
            stuck_s = max(report.over_at_s for report in reports) - begun_s
            assert {(report.reason, report.close_code) for report in reports} == {
                ("cancelled", 1001)
            }
            exit_code = await anyio.to_thread.run_sync(process.wait)
            gone_s = time.monotonic() - begun_s
    finally:
        process.stop(signal.SIGKILL)
    figure(
        "P24",
        f"{facts.__name__}: {LIVE} live sessions told 1001 in {live_s:.1f} s, {STUCK} stuck ones "
        f"over {stuck_s:.2f} s after a second SIGTERM, the server gone after {gone_s:.1f} s, exit "
        f"code {exit_code}",
    )
    assert exit_code in EXIT_CODES.get(facts.__name__, {0}), process.log()
    assert live_s < SLOW_MACHINE_S
    assert 0 < stuck_s < PROMISED_S + SLOW_MACHINE_S


async def tell_the_parent(process: ServerProcess) -> dict[str, float]:
    """Send two signals to the parent alone: when each session was over, from the first one."""
    try:
        await anyio.to_thread.run_sync(lambda: process.port)
        async with (
            client_of(process, "plain", ping_interval=None) as bare,
            client_of(process, "deployed", ping_interval=None) as live,
            AsyncExitStack() as stack,
        ):
            (processor,) = await connect_stuck(stack, process, 1, "processor")
            (peer,) = await connect_stuck(stack, process, 1, "peer")
            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            await anyio.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            await anyio.sleep(0.5)
            await live.tell("hello")  # it has been told nothing yet
            assert await live.connection.recv() == '"hello"'
            sessions = {"bare": bare, "live": live, "processor": processor, "peer": peer}
            reports = {name: await client.report() for name, client in sessions.items()}
            exit_code = await anyio.to_thread.run_sync(process.wait)
    finally:
        process.stop(signal.SIGKILL)
    assert exit_code == 0, process.log()
    assert "Cancel" in str(reports["bare"].raised)
    assert {report.close_code for name, report in reports.items() if name != "bare"} == {1001}
    return {name: report.over_at_s - begun_s for name, report in reports.items()}


async def test_a_parent_tells_its_workers_nothing(
    tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """P24: sessions cannot end before the server cancels them, and then they do in a second."""
    over_s: dict[str, dict[str, float]] = {}

    async def measure(facts: Server) -> None:
        directory = tmp_path / facts.__name__
        directory.mkdir()
        command = facts.serving("deployed", "--graceful-timeout", str(GRACEFUL_S))
        over_s[facts.__name__] = await tell_the_parent(ServerProcess(command, directory))

    async with anyio.create_task_group() as tasks:
        for facts in LETTING_GO:
            tasks.start_soon(measure, facts)
    reached = []
    for name, sessions in over_s.items():
        bare_s = sessions.pop("bare")
        last_s = max(sessions.values())
        reached.append(f"{name} {bare_s:.2f} s, ours {last_s:.2f} s")
        assert bare_s >= GRACEFUL_S
        assert min(sessions.values()) >= GRACEFUL_S
        assert last_s < GRACEFUL_S + PROMISED_S + SLOW_MACHINE_S
    figure(
        "P24",
        f"two signals to the parent alone, --graceful-timeout {GRACEFUL_S}: a bare application is "
        f"cancelled, and the last session of ours over, after: {'; '.join(reached)}",
    )
