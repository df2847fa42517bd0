"""What do the start and the end of a session cost?

Sessions in which one message is echoed. `start_us` is the CPU from the call of the application
until the answer is out; `end_us` from the peer's leaving until the session is gone. In memory, each
session by itself, with a peer that is no more than four events; and on uvicorn with real clients,
where it is what the server process takes, opening and closing handshake included. Against a bare
ASGI echo each time, and against Pipecat.
"""

import statistics
import sys
import time
from typing import Any

import anyio
import anyio.lowlevel

from benchmarks import apps
from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.data import message_audio
from benchmarks.sockets import measure_server

__all__ = ["benchmark"]

_IN_MEMORY = {"full": 300, "quick": 200, "smoke": 3}
_ON_UVICORN = {"full": 100, "quick": 40, "smoke": 3}
_ROUNDS = {"full": 5, "quick": 2, "smoke": 1}

_LIMIT_US = 1000.0


def benchmark(options: Options) -> Benchmark:
    scale = options.scale
    contenders = []
    bars = []
    for where, measure, sessions in (
        ("asyncio", visit_in_memory, _IN_MEMORY[scale]),
        ("trio", visit_in_memory, _IN_MEMORY[scale]),
        ("uvicorn", visit_server, _ON_UVICORN[scale]),
    ):
        arguments = {"where": where, "sessions": sessions}
        bare, ours = f"bare, {where}", f"wsframes, {where}"
        contenders += [
            Contender(bare, measure, arguments | {"app": "bare_echo"}),
            Contender(ours, measure, arguments | {"app": "pcm_echo"}, against=bare),
        ]
        bars += [Bar(ours, figure, _LIMIT_US, of="excess") for figure in ("start_us", "end_us")]
    if options.pipecat is not None:
        arguments = {"python": options.pipecat, "sessions": _ON_UVICORN[scale]}
        contenders.append(
            Contender("pipecat, uvicorn", visit_pipecat, arguments, against="wsframes, uvicorn")
        )
    return Benchmark("visits", __doc__, _ROUNDS[scale], tuple(contenders), tuple(bars))


def visit_server(app: str, where: str, sessions: int) -> Measurement:
    return _visit_server(where, f"benchmarks.apps:{app}", sessions, sys.executable)


def visit_pipecat(python: str, sessions: int) -> Measurement:
    app = "benchmarks.compare.pipecat_server:echo"
    return _visit_server("uvicorn", app, sessions, python)


def _visit_server(server: str, app: str, sessions: int, python: str) -> Measurement:
    load = ["--sessions", str(sessions)]
    return Measurement(measure_server(server, app, load, python=python, clients="visits"))


def visit_in_memory(app: str, where: str, sessions: int) -> Measurement:
    visited: Any = getattr(apps, app)
    start_us, end_us = [], []

    async def main() -> None:
        for _ in range(sessions + 1):
            visitor = _Visitor()
            scope = {"type": "websocket", "headers": []}
            begun_s = time.process_time()
            await visited(scope, visitor.receive, visitor.send)
            ended_s = time.process_time()
            start_us.append((visitor.answered_s - begun_s) * 1e6)
            end_us.append((ended_s - visitor.left_s) * 1e6)

    anyio.run(main, backend=where)
    return Measurement(
        {
            "start_us": statistics.median(start_us[1:]),
            "end_us": statistics.median(end_us[1:]),
        }
    )


class _Visitor:
    """Connects, says one thing, waits for the answer, is silent for a while, and leaves."""

    def __init__(self) -> None:
        self._answered = anyio.Event()
        self._events: list[dict[str, Any]] = [
            {"type": "websocket.receive", "bytes": message_audio()},
            {"type": "websocket.connect"},
        ]
        self.answered_s = 0.0
        self.left_s = 0.0

    async def receive(self) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        if self._events:
            return self._events.pop()
        await self._answered.wait()
        await anyio.sleep(0.002)  # so that what follows the answer is over
        self.left_s = time.process_time()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: dict[str, Any]) -> None:
        if message.get("bytes"):
            self.answered_s = time.process_time()
            self._answered.set()
