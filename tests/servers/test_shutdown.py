"""SIGTERM while a session is live: it ends, and so does the server."""

import signal
from dataclasses import dataclass

import anyio
import anyio.to_thread
import pytest

from tests.servers.client import client_of
from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess
from tests.servers.report import Report

pytestmark = pytest.mark.socket


@dataclass(frozen=True)
class Shutdown:
    code: int | None
    exit_code: int
    report: Report
    log: str


async def _shut_down(
    facts: Server, process: ServerProcess, results: dict[Server, Shutdown]
) -> None:
    try:
        await anyio.to_thread.run_sync(lambda: process.port)
        async with client_of(process) as client:
            await client.tell("hello")
            assert await client.connection.recv() == '"hello"'
            exit_code = await anyio.to_thread.run_sync(process.stop, signal.SIGTERM)
            code, _ = await client.closed()
        report = await client.report()
    finally:
        process.stop()
    results[facts] = Shutdown(code, exit_code, report, process.log())


LEAVING = [facts for facts in SERVERS if facts.lets_go]


@pytest.fixture(scope="module")
def shutdowns(tmp_path_factory: pytest.TempPathFactory) -> dict[Server, Shutdown]:
    """All servers, shut down at the same time."""
    processes = {
        facts: ServerProcess(facts.command, tmp_path_factory.mktemp(facts.__name__))
        for facts in LEAVING
    }
    results: dict[Server, Shutdown] = {}

    async def shut_all_down() -> None:
        async with anyio.create_task_group() as tasks:
            for facts, process in processes.items():
                tasks.start_soon(_shut_down, facts, process, results)

    anyio.run(shut_all_down)
    return results


@pytest.mark.parametrize("facts", LEAVING)
def test_a_live_session_ends_with_the_server(
    facts: Server, shutdowns: dict[Server, Shutdown]
) -> None:
    shutdown = shutdowns[facts]
    assert (shutdown.code, shutdown.exit_code) == (facts.shutdown_code, facts.exit_code)
    report = shutdown.report
    assert (report.reason, report.close_code) == (facts.shutdown_reason, facts.shutdown_code)
    assert report.events[-1] == "finished"
    assert "wsframes" not in shutdown.log
    assert facts.complains_at_shutdown or "Traceback" not in shutdown.log, shutdown.log
