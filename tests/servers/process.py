"""A server in a process of its own: started, found, watched and stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.servers.report import REPORTS
from tests.servers.matrix import Server
from tests.servers.report import Report, read_reports

__all__ = ["ServerProcess"]

T = TypeVar("T")

_ROOT = Path(__file__).parents[2]
_POLL_S = 0.01
_START_S = 20.0
_STOP_S = 10.0

# uvicorn, hypercorn and anycorn agree on these words.
_RUNNING = re.compile(r"unning on http://127\.0\.0\.1:(\d+)")


class ServerProcess:
    """Runs `tests.servers.apps` until `stop`.

    Its port is one that the system picks: the server says which in its log, so that no other
    process can take it in between.
    """

    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self._reports = directory / "reports"
        self._log = directory / "log"
        self._reports.touch()
        command = [sys.executable, "-m", server.package, *server.options, *server.address]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "tests.servers.apps:application"],
                cwd=_ROOT,
                env={**os.environ, REPORTS: str(self._reports)},
                stdout=log,
                stderr=log,
                start_new_session=True,  # it has workers, which are to be killed with it
            )
        self.port = int(self._wait(self._find_port, _START_S, "it did not start"))

    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    def report(self, session: str, within_s: float = 5.0) -> Report:
        """What became of a connection; waits for it to be over."""
        return self._wait(
            lambda: read_reports(self._reports).get(session), within_s, f"{session} is not over"
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it by a signal, and return its exit code. Once stopped, it stays so."""
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                raise AssertionError(f"it did not stop:\n{self.log()}") from None
        return self._process.returncode

    def _find_port(self) -> str | None:
        found = _RUNNING.search(self.log())
        return found and found[1]

    def _wait(self, get: Callable[[], T | None], within_s: float, problem: str) -> T:
        until_s = time.monotonic() + within_s
        while (value := get()) is None:
            if time.monotonic() > until_s or self._process.poll() is not None:
                raise AssertionError(f"{problem}:\n{self.log()}")
            time.sleep(_POLL_S)
        return value
