"""What does a session hold while nothing happens in it?

Sessions that have exchanged a few messages and are silent then, on a real server: memory of the
process (`rss`), memory that Python knows of (`traced`, on a server of its own, since tracing takes
memory itself) and tasks, each per session. Against a bare ASGI echo on the same server, and against
Pipecat.
"""

import sys

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.sockets import measure_server

__all__ = ["benchmark"]

_SESSIONS = {"full": 100, "quick": 40, "smoke": 3}
_SETTLE_S = {"full": 1.0, "quick": 0.5, "smoke": 0.1}
_ROUNDS = {"full": 2, "quick": 1, "smoke": 1}


def benchmark(options: Options) -> Benchmark:
    contenders = []
    bars = []
    sessions = max(options.sessions, default=_SESSIONS[options.scale])
    for server in options.servers or ("uvicorn",):
        arguments = {
            "server": server,
            "sessions": sessions,
            "settle_s": _SETTLE_S[options.scale],
        }
        bare, ours = f"bare, {server}", f"wsframes, {server}"
        contenders += [
            Contender(bare, idle, arguments | {"app": "bare_echo"}),
            Contender(ours, idle, arguments | {"app": "pcm_echo"}, against=bare),
        ]
        bars += [
            Bar(ours, "rss_kib", 32.0, of="excess"),
            Bar(ours, "traced_kib", 32.0, of="excess"),
            Bar(ours, "tasks", 4.0, of="excess"),
        ]
        if options.pipecat is not None and server == "uvicorn":
            contenders.append(
                Contender(
                    f"pipecat, {server}",
                    idle_pipecat,
                    arguments | {"python": options.pipecat},
                    against=ours,
                )
            )
    rounds = _ROUNDS[options.scale]
    return Benchmark("memory", __doc__, rounds, tuple(contenders), tuple(bars))


def idle(server: str, app: str, sessions: int, settle_s: float) -> Measurement:
    return _idle(server, f"benchmarks.apps:{app}", sessions, settle_s, sys.executable)


def idle_pipecat(server: str, sessions: int, settle_s: float, python: str) -> Measurement:
    return _idle(server, "benchmarks.compare.pipecat_server:echo", sessions, settle_s, python)


def _idle(server: str, app: str, sessions: int, settle_s: float, python: str) -> Measurement:
    load = ["--sessions", str(sessions), "--settle", str(settle_s)]
    plain = measure_server(server, app, load, python=python)
    traced = measure_server(server, app, load, trace=True, python=python)
    return Measurement(
        {
            "rss_kib": plain["rss_bytes"] / 1024,
            "traced_kib": traced["traced_bytes"] / 1024,
            "tasks": plain["tasks"],
            "left_tasks": plain["left_tasks"],
        }
    )
