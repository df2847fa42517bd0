"""How many sessions does one core carry, and how late are they when it is nearly full?

Sessions of 50 messages of 640 bytes a second, echoed over real sockets by uvicorn on asyncio (or
the first of the servers asked for), more at each step, until more than one message in a hundred is
late by more than 20 ms. `sessions` is the largest number at which it was not so; `late_p99_80_ms`
the lateness at the step where the server takes nearest to 80 % of its core; `session_percent` what
one session more takes of the core below 90 % of it; and `knee_percent` how much more a message
costs at the fullest step of these than at half its sessions.

wsframes, with one processor and with five of which one has a lane, against a bare ASGI echo on the
same server with the same clients, and against Pipecat with one.
"""

from typing import Any

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.lines import line_through
from benchmarks.sockets import measure_server

__all__ = ["benchmark"]

_SECONDS = {"full": 1.2, "quick": 1.0, "smoke": 0.3}
_SETTLE_S = {"full": 0.3, "quick": 0.3, "smoke": 0.1}
_ROUNDS = {"full": 3, "quick": 1, "smoke": 1}
_LIMIT_MS = 20.0
_FULL_SHARE = 0.8
_LINE_SHARE = 0.9

_WIDE = {
    "full": [10, 20, 40, 60, 80, *range(100, 601, 20)],
    "quick": [10, 40, 80, *range(120, 601, 40)],
    "smoke": [1, 2],
}
_NARROW = {
    "full": [5, 10, 20, 30, *range(35, 200, 5)],
    "quick": [10, 30, *range(40, 200, 10)],
    "smoke": [1, 2],
}


def benchmark(options: Options) -> Benchmark:
    scale = options.scale
    schedule = {"settle_s": _SETTLE_S[scale], "seconds": _SECONDS[scale]}
    wide: dict[str, Any] = schedule | {"steps": list(options.sessions) or _WIDE[scale]}
    (server,) = options.servers[:1] or ("uvicorn",)
    wide["server"] = server
    contenders = [
        Contender("bare", climb, wide | {"app": "bare_echo"}),
        Contender("wsframes", climb, wide | {"app": "pcm_echo"}, against="bare"),
        Contender("wsframes, five processors", climb, wide | {"app": "crowd"}, against="bare"),
    ]
    bars = [
        Bar("wsframes", "late_p99_80_ms", 2.0),
        Bar("wsframes", "knee_percent", 10.0),
    ]
    if options.pipecat is not None:
        narrow: dict[str, Any] = schedule | {"steps": list(options.sessions) or _NARROW[scale]}
        narrow["python"] = options.pipecat
        contenders.append(Contender("pipecat", climb_pipecat, narrow, against="wsframes"))
        more = Bar("wsframes", "sessions", 4.5, of="ratio", at_least=True, against="pipecat")
        bars.append(more)
    return Benchmark("capacity", __doc__, _ROUNDS[scale], tuple(contenders), tuple(bars))


def climb(app: str, **schedule: Any) -> Measurement:
    return _climb(f"benchmarks.apps:{app}", **schedule)


def climb_pipecat(python: str, **schedule: Any) -> Measurement:
    return _climb("benchmarks.compare.pipecat_server:echo", **schedule, python=python)


def _climb(
    app: str,
    steps: list[int],
    settle_s: float,
    seconds: float,
    server: str = "uvicorn",
    **run: Any,
) -> Measurement:
    load = [
        *("--steps", *map(str, steps), "--settle", str(settle_s)),
        *("--seconds", str(seconds), "--limit", str(_LIMIT_MS)),
    ]
    climbed = measure_server(server, app, load, clients="ramp", **run)
    measured: list[dict[str, float]] = climbed["steps"]
    on_time = [step for step in measured if step["late_p99_ms"] <= _LIMIT_MS]
    straight = [step for step in on_time if step["cpu_share"] <= _LINE_SHARE] or measured[:1]
    full = min(measured, key=lambda step: abs(step["cpu_share"] - _FULL_SHARE))
    half = min(straight, key=lambda step: abs(step["sessions"] - straight[-1]["sessions"] / 2))
    return Measurement(
        {
            "sessions": on_time[-1]["sessions"] if on_time else 0,
            "late_p99_80_ms": full["late_p99_ms"],
            "session_percent": 100 * _slope(straight),
            "knee_percent": 100 * _more(straight[-1]["message_us"], half["message_us"]),
        },
        details=climbed,
    )


def _slope(steps: list[dict[str, float]]) -> float:
    sessions = [step["sessions"] for step in steps]
    shares = [step["cpu_share"] for step in steps]
    return line_through(sessions, shares).slope if len(steps) > 1 else shares[0] / sessions[0]


def _more(cost: float, than: float) -> float:
    # The kernel counts the CPU time of others in hundredths of a second: it may be none.
    return cost / than - 1 if than else 0.0
