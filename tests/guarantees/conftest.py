"""The figures that the promises reach, printed at the end of a test run."""

import logging
from collections.abc import Callable, Iterator

import pytest

from tests.guarantees.real_servers import Fleet, fleet

_FIGURES: dict[str, dict[str, str]] = {}


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Note what a promise has reached: `figure("P7", "RSS + 1.2 MiB")`."""

    def note(promise: str, reached: str) -> None:
        _FIGURES.setdefault(promise, {})[request.node.name] = reached

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for promise in sorted(_FIGURES, key=lambda name: int(name[1:])):
        for name, reached in _FIGURES[promise].items():
            terminalreporter.write_line(f"\n{promise} has reached: {reached}\n  {name}")


@pytest.fixture
def quiet() -> Iterator[None]:
    """Let nobody keep the log records of thousands of sessions, and what hangs on them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One of each kind of server, each in a process of its own."""
    with fleet(tmp_path_factory.mktemp("servers")) as running:
        yield running
