"""Each server is started once, for all tests that need it."""

import signal
from collections.abc import Iterator

import pytest

from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess

COMPLAINTS = ("Traceback", "never retrieved", "never awaited", "unclosed", "ResourceWarning")


@pytest.fixture(scope="session", params=SERVERS)
def facts(request: pytest.FixtureRequest) -> Server:
    """What is known about the server."""
    server: Server = request.param
    return server


@pytest.fixture(scope="session")
def server(facts: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server, running. At the end of its tests it stops as it should, without complaints."""
    process = ServerProcess(facts.command, tmp_path_factory.mktemp(facts.__name__))
    try:
        yield process
    finally:
        exit_code = process.stop(signal.SIGINT)
    log = process.log()
    assert exit_code == 0, log
    assert not any(word in log for word in COMPLAINTS), log
