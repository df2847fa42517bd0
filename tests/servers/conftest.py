"""Each server is started once, for all tests that need it, and a little before they do."""

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess

COMPLAINTS = ("Traceback", "never retrieved", "never awaited", "unclosed", "ResourceWarning")

Start = Callable[[Server], ServerProcess]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Gives a server that runs, and starts the next one: that takes a second each."""
    processes: dict[Server, ServerProcess] = {}

    def give(server: Server) -> ServerProcess:
        index = SERVERS.index(server)
        for each in SERVERS[index : index + 2]:
            if each not in processes:
                directory = tmp_path_factory.mktemp(each.__name__)
                processes[each] = ServerProcess(each.command, directory)
        return processes[server]

    yield give
    for process in processes.values():
        process.stop()


@pytest.fixture(scope="session", params=SERVERS)
def facts(request: pytest.FixtureRequest) -> Server:
    """What is known about the server."""
    server: Server = request.param
    return server


@pytest.fixture(scope="session")
def server(facts: Server, start: Start) -> Iterator[ServerProcess]:
    """The server, running. At the end of its tests it stops as it should, without complaints."""
    process = start(facts)
    process.port  # noqa: B018 (waits)
    yield process
    exit_code = process.stop(signal.SIGINT)
    log = process.log()
    assert exit_code == 0, log
    assert not any(word in log for word in COMPLAINTS), log
