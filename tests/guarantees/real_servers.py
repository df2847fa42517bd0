"""The servers of `tests.servers`, one of each kind, for tests that ask all of them at once."""

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from tests.servers.matrix import SERVERS, Server
from tests.servers.process import ServerProcess

__all__ = ["KINDS", "Fleet", "fleet"]

# The loop of uvicorn makes no difference to its protocols.
KINDS = [server for server in SERVERS if "uvloop" not in server.options]


class Fleet:
    """Servers that run."""

    def __init__(self, processes: dict[Server, ServerProcess]) -> None:
        self.processes = processes

    async def each(self, ask: Callable[[Server, ServerProcess], Coroutine[Any, Any, None]]) -> None:
        """Do this with all of them, at the same time."""
        async with anyio.create_task_group() as tasks:
            for facts, process in self.processes.items():
                tasks.start_soon(ask, facts, process)


@contextmanager
def fleet(directory: Path) -> Iterator[Fleet]:
    """All of them, started together and stopped afterwards."""
    processes: dict[Server, ServerProcess] = {}
    for facts in KINDS:
        own = directory / facts.__name__
        own.mkdir()
        processes[facts] = ServerProcess(facts.command, own)
    try:
        for process in processes.values():
            process.patience_s = 40
            assert process.port  # waits
        yield Fleet(processes)
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.stop()
