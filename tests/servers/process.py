"""A server in a process of its own: started, found, watched and stopped."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import anyio
import psutil

from tests.servers.report import REPORTS, Report, read_reports

__all__ = ["ServerProcess"]

_ROOT = Path(__file__).parents[2]
_POLL_S = 0.01

# uvicorn, hypercorn and anycorn agree on these words.
_RUNNING = re.compile(r"unning on http://127\.0\.0\.1:(\d+)")


class ServerProcess:
    """Runs a server until `stop`.

    Its port is one that the system picks: the server says which in its log, so that no other
    process can take it in between.

    Args:
        command: the server, told to listen on port 0 of 127.0.0.1.
        directory: for its log and the reports of `tests.servers.apps`.
        patience_s: how long it may take to start, to report and to stop.
    """

    def __init__(
        self, command: Sequence[str], directory: Path, *, patience_s: float = 15.0
    ) -> None:
        self.patience_s = patience_s
        self._reports = directory / "reports"
        self._log = directory / "log"
        self._reports.touch()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                env={**os.environ, REPORTS: str(self._reports)},
                stdout=log,
                stderr=log,
                start_new_session=True,  # it may have workers, which are to be killed with it
            )

    @cached_property
    def port(self) -> int:
        """Where it listens; waits until it does."""
        until_s = time.monotonic() + self.patience_s
        while time.monotonic() < until_s and self._process.poll() is None:
            if found := _RUNNING.search(self.log()):
                return int(found[1])
            time.sleep(_POLL_S)
        self.stop()
        raise AssertionError(f"it did not start:\n{self.log()}")

    @property
    def memory_bytes(self) -> int:
        """Resident, of all its processes."""
        return sum(process.memory_info().rss for process in self._processes())

    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    async def report(self, session: str) -> Report:
        """What became of a connection; waits for it to be over."""
        with anyio.move_on_after(self.patience_s):
            while True:
                await anyio.sleep(_POLL_S)
                if report := read_reports(self._reports).get(session):
                    return report
        raise AssertionError(f"{session} is not over:\n{self.log()}")

    async def let_go_of(self, port: int) -> None:
        """Wait until it holds no connection with the peer at this port, in whatever state."""
        with anyio.move_on_after(self.patience_s):
            held = {port}
            while port in held:
                await anyio.sleep(_POLL_S)
                held = self._peer_ports()
            return
        raise AssertionError(f"it holds on to a connection:\n{self.log()}")

    def send_signal(self, number: int, *, workers: bool = False) -> None:
        """Send a signal to it, or to all its processes as well, unless it has stopped."""
        if self._process.poll() is None:
            (os.killpg if workers else os.kill)(self._process.pid, number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it by a signal, and return its exit code. Once stopped, it stays so."""
        self.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has stopped, for its exit code."""
        try:
            return self._process.wait(self.patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        raise AssertionError(f"it did not stop:\n{self.log()}")

    def _peer_ports(self) -> set[int]:
        connections = [one for process in self._processes() for one in process.net_connections()]
        return {one.raddr.port for one in connections if one.raddr}

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]
