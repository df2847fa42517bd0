"""Does the cost grow with the work, and no faster?

The same work in several sizes, and a straight line through what they cost: `more_...` is its slope,
what one more costs, and `off_line_percent` how far the farthest size is from it.

A frame through 1 to 100 processors, one at a time: functions, lanes, and Pipecat's processors, to
compare ours against. Bursts of 1,000 to 10,000 frames through ten lanes. 10 to 200 sessions of 50
messages a second through five processors, in memory, by the clock of `core_clock`, as far as they
fill less than nine tenths of a core.
"""

from typing import Any

from benchmarks import apps
from benchmarks.bench_hops import Kind, hop_busy_lanes, hop_one_by_one
from benchmarks.compare import pipecat_server
from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.lines import line_through
from benchmarks.throng import Throng, live_in_memory

__all__ = ["benchmark"]

_ROUNDS = {"full": 2, "quick": 1, "smoke": 1}

_PROCESSORS = {"full": [1, 2, 5, 10, 20, 50, 100], "quick": [1, 10, 50, 100], "smoke": [1, 3]}
_ONE_BY_ONE = {"full": 500, "quick": 200, "smoke": 3}
_LANES = 10
_BURSTS = {
    "full": [1_000, 2_500, 5_000, 7_500, 10_000],
    "quick": [1_000, 5_000, 10_000],
    "smoke": [10, 20],
}
_SESSIONS = {"full": [10, 50, 100, 150, 200], "quick": [10, 50, 100], "smoke": [1, 2]}
_SECONDS = {"full": 3.0, "quick": 2.0, "smoke": 0.3}

_OFF_PERCENT = 10.0
_FULL_SHARE = 0.9


def benchmark(options: Options) -> Benchmark:
    scale = options.scale
    row: dict[str, Any] = {"processors": _PROCESSORS[scale], "frames": _ONE_BY_ONE[scale]}
    crowd = {"sessions": _SESSIONS[scale], "seconds": _SECONDS[scale]}
    contenders = []
    for backend in ("asyncio", "trio"):
        on = {"backend": backend}
        contenders += [
            Contender(f"functions, {backend}", lengthen, row | on | {"kind": "function"}),
            Contender(f"lanes, {backend}", lengthen, row | on | {"kind": "lane"}),
            Contender(f"frames, {backend}", burst, {"frames": _BURSTS[scale]} | on),
            Contender(f"sessions, {backend}", crowd_up, crowd | on),
        ]
    bars = [Bar(each.name, "off_line_percent", _OFF_PERCENT) for each in contenders]
    if options.pipecat is not None:
        contenders.append(
            Contender(
                "pipecat's processors",
                pipecat_server.lengthen,
                row,
                against="functions, asyncio",
                foreign=True,
            )
        )
    return Benchmark("scale", __doc__, _ROUNDS[scale], tuple(contenders), tuple(bars))


def lengthen(kind: Kind, processors: list[int], frames: int, backend: str) -> Measurement:
    costs_us = [hop_one_by_one(kind, number, frames, backend) * number for number in processors]
    return _measurement("processor_us", processors, costs_us)


def burst(frames: list[int], backend: str) -> Measurement:
    costs_us = [
        hop_busy_lanes(_LANES, number, backend).figures["hop_us"] * _LANES * number
        for number in frames
    ]
    return _measurement("frame_us", frames, costs_us)


def crowd_up(sessions: list[int], seconds: float, backend: str) -> Measurement:
    app: Any = apps.crowd
    shares = [
        live_in_memory(app, Throng(number, seconds=seconds), backend)["cpu_share"]
        for number in sessions
    ]
    straight = [
        number for number, share in zip(sessions, shares, strict=True) if share < _FULL_SHARE
    ]
    return _measurement("session_percent", straight, [100 * each for each in shares])


def _measurement(unit: str, sizes: list[int], costs: list[float]) -> Measurement:
    costs = costs[: len(sizes)]
    line = line_through(sizes, costs)
    return Measurement(
        {f"more_{unit}": line.slope, "off_line_percent": line.off_percent},
        details={"sizes": sizes, "costs": costs, "unit": unit},
    )
