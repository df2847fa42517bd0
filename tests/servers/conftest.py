"""Each server is started once, for all tests that need it."""

from collections.abc import Iterator

import pytest

from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess


@pytest.fixture(scope="session", params=SERVERS)
def facts(request: pytest.FixtureRequest) -> Server:
    """What is known about the server."""
    server: Server = request.param
    return server


@pytest.fixture(scope="session")
def server(facts: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server, running. At the end of its tests it stops as it should and has nothing to say."""
    process = ServerProcess(facts.command, tmp_path_factory.mktemp(facts.__name__))
    try:
        yield process
    finally:
        exit_code = process.stop()
    assert exit_code == facts.exit_code, process.log()
    assert "Traceback" not in process.log(), process.log()
