"""How many sessions keep their time on one core, and what does bad company cost them?

Sessions of 50 messages of audio a second through five processors, in memory, with peers that are no
more than a schedule. Lateness is by the clock of `core_clock`: as on a core that nobody else uses.

A crowd by itself; the same with one more that raises at each message, floods, reads nothing, or
clings to its cancellation, against the crowd by itself; and twice as many as there is room for, of
whom `max_lateness_ms` refuses those that come too late.
"""

import logging
from typing import Any

from benchmarks import apps
from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.throng import Throng, live_in_memory

__all__ = ["benchmark", "measure"]

_CROWD = {"full": 100, "quick": 50, "smoke": 3}
_MOST = {"full": 200, "quick": 100, "smoke": 5}
_SECONDS = {"full": 5.0, "quick": 2.0, "smoke": 0.5}

# So many as fill a core leave a queue behind when they come, which takes a while to be worked off.
_SETTLE_S = {"full": 4.0, "quick": 2.0, "smoke": 0.5}
_ROUNDS = {"full": 1, "quick": 1, "smoke": 1}

_BACKENDS = {"full": ("asyncio", "trio"), "quick": ("asyncio", "trio"), "smoke": ("trio",)}
_KINDS = {"full": 4, "quick": 4, "smoke": 1}
_BAD = ("raise", "flood", "stall", "cling")


def benchmark(options: Options) -> Benchmark:
    crowd, most = _CROWD[options.scale], _MOST[options.scale]
    seconds = _SECONDS[options.scale]
    contenders = []
    bars = []
    for backend in _BACKENDS[options.scale]:
        arguments = {"sessions": crowd, "seconds": seconds, "backend": backend}
        alone = f"{crowd}, {backend}"
        contenders.append(Contender(alone, measure, arguments))
        for bad in _BAD[: _KINDS[options.scale]]:
            name = f"{crowd} and one that {bad}s, {backend}"
            contenders.append(Contender(name, measure, arguments | {"bad": bad}, against=alone))
            bars.append(Bar(name, "late_p99_ms", 5.0, of="excess"))
        name, twice = f"{most}, {backend}", f"{2 * most} come, {backend}"
        full = arguments | {"sessions": most, "settle_s": _SETTLE_S[options.scale]}
        contenders.append(Contender(name, measure, full))
        bars.append(Bar(name, "late_p99_ms", 20.0))
        limited = arguments | {"sessions": 2 * most, "app": "crowd_limited"}
        contenders.append(Contender(twice, measure, limited))
        bars.append(Bar(twice, "late_p99_ms", 50.0))
    rounds = _ROUNDS[options.scale]
    return Benchmark("company", __doc__, rounds, tuple(contenders), tuple(bars))


def measure(
    sessions: int,
    seconds: float,
    backend: str,
    settle_s: float = 1.0,
    bad: str = "",
    app: str = "crowd",
) -> Measurement:
    logging.disable(logging.ERROR)  # of the one that raises
    throng = Throng(sessions, settle_s=settle_s, seconds=seconds, bad=bad)
    served: Any = getattr(apps, app)
    return Measurement(live_in_memory(served, throng, backend))
