"""`tests.servers.process`: a server that does not behave is told with what it has printed."""

import sys
from pathlib import Path

import pytest

from tests.servers.process import ServerProcess

pytestmark = pytest.mark.socket

RUNNING = "print('running on http://127.0.0.1:1', flush=True)"


def python(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


def test_it_does_not_start(tmp_path: Path) -> None:
    process = ServerProcess(python("print('no such host')"), tmp_path)
    with pytest.raises(AssertionError, match="it did not start:\nno such host"):
        process.port  # noqa: B018


def test_it_does_not_start_in_time(tmp_path: Path) -> None:
    process = ServerProcess(python("import time", "time.sleep(60)"), tmp_path, patience_s=1)
    with pytest.raises(AssertionError, match="it did not start:\n$"):
        process.port  # noqa: B018


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_does_not_report(tmp_path: Path) -> None:
    process = ServerProcess(python(RUNNING, "import time", "time.sleep(60)"), tmp_path)
    assert process.port == 1
    process.patience_s = 0.1
    with pytest.raises(AssertionError, match="nobody is not over:\nrunning"):
        await process.report("nobody")
    process.patience_s = 15
    assert process.stop() < 0


def test_it_does_not_stop(tmp_path: Path) -> None:
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    process = ServerProcess(python(ignore, RUNNING, "time.sleep(60)"), tmp_path)
    assert process.port == 1
    process.patience_s = 0.1
    with pytest.raises(AssertionError, match="it did not stop:\nrunning"):
        process.stop()
    assert process.stop() < 0
