"""Counts the instructions of Python that each module executes while uvicorn serves an echo.

A count does not depend on what else the machine does, or on how fast it is. What it leaves out is
the work of C: of the kernel's sockets, and of what is called in extension modules.
"""

import importlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from benchmarks.contest import BenchmarkFailed
from benchmarks.serve import listening

__all__ = ["count"]

_ROOT = Path(__file__).parents[1]
_SESSIONS = 4
_UNCOUNTED = 60
_PATIENCE_S = "60"


def count(app: str, messages: int, client: str) -> dict[str, float]:
    """Instructions for each message, by what file and function they stand in.

    Args:
        app: `MODULE:APP`.
        messages: over how many.
        client: the Python to run the clients with.

    Returns:
        By `file:function`.
    """
    import uvicorn

    counter = _Counter(messages)
    module, _, name = app.partition(":")
    counted = counter.around(getattr(importlib.import_module(module), name))
    with listening() as sock, _clients(sock.getsockname()[1], client):
        config = uvicorn.Config(
            counted, http="h11", ws="websockets-sansio", lifespan="off", log_level="error"
        )
        counter.server = server = uvicorn.Server(config)
        # Python 3.12 counts instructions only where somebody asked before it began to trace.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(counter.trace)
        try:
            server.run(sockets=[sock])
        finally:
            sys.settrace(None)
    if counter.seen < _UNCOUNTED + messages:
        raise BenchmarkFailed(f"{app}: only {counter.seen} messages came back")
    return {
        f"{code.co_filename}:{code.co_qualname}": number / messages
        for code, number in counter.instructions.items()
        if code.co_filename != __file__
    }


@contextmanager
def _clients(port: int, python: str) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = [str(port), str(os.getpid()), "--steps", str(_SESSIONS), "--settle", _PATIENCE_S]
    command = [python, "-m", "benchmarks.ramp", *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stderr=subprocess.DEVNULL) as clients:
        try:
            yield clients
        finally:
            clients.kill()


class _Counter:
    """Counts between two messages, and stops the server then."""

    def __init__(self, messages: int) -> None:
        self._until = _UNCOUNTED + messages
        self._counting = False
        self.seen = 0
        self.instructions: Counter[CodeType] = Counter()
        self.server: Any = None

    def around(self, app: Any) -> Any:
        async def counted(scope: Any, receive: Any, send: Any) -> None:
            async def send_counted(message: Any) -> None:
                await send(message)
                if message["type"] == "websocket.send":
                    self._see()

            await app(scope, receive, send_counted)

        return counted

    def _see(self) -> None:
        self.seen += 1
        self._counting = _UNCOUNTED <= self.seen < self._until
        if self.seen >= self._until:
            self.server.should_exit = True
            self.server.force_exit = True

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if not self._counting:
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._trace_local

    def _trace_local(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "opcode":
            self.instructions[frame.f_code] += 1
        return self._trace_local
