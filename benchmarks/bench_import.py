"""How long does `import wsframes` take, and what does it load?

Each time in a fresh interpreter, with everything compiled before: the package, its transport, the
packages that it cannot do without, and Pipecat's pipeline. What took longest is in the JSON.
"""

import sys

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.processes import python_json, run_python

__all__ = ["benchmark"]

_ROUNDS = {"full": 7, "quick": 3, "smoke": 1}

_SLOWEST = 10
_BASE = "anyio, msgspec, pydantic.main"

_PROBE = """
import json, sys, time
before = set(sys.modules)
wall_s, cpu_s = time.perf_counter(), time.process_time()
import {modules}
wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
loaded = len(set(sys.modules) - before)
print(json.dumps(dict(wall_ms=1e3 * wall_s, cpu_ms=1e3 * cpu_s, modules=loaded)))
"""


def benchmark(options: Options) -> Benchmark:
    contenders = [
        Contender(_BASE, load, {"modules": _BASE}),
        Contender("wsframes", load, {"modules": "wsframes"}, against=_BASE),
        Contender("wsframes.transport", load, {"modules": "wsframes.transport"}, against=_BASE),
    ]
    if options.pipecat is not None:
        arguments = {"modules": "pipecat.pipeline.worker", "python": options.pipecat}
        contenders.append(Contender("pipecat.pipeline.worker", load, arguments, against="wsframes"))
    bars = (Bar("wsframes", "wall_ms", 100.0),)
    return Benchmark("import", __doc__, _ROUNDS[options.scale], tuple(contenders), bars)


def load(modules: str, python: str = sys.executable) -> Measurement:
    figures = python_json(["-c", _PROBE.format(modules=modules)], python=python)
    return Measurement(figures, details={"slowest": _slowest(modules, python)})


def _slowest(modules: str, python: str) -> list[dict[str, object]]:
    """The modules that took longest, by the time in themselves."""
    report = run_python(["-X", "importtime", "-c", f"import {modules}"], python=python).stderr
    times = []
    for line in report.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if len(columns) == 3 and columns[0].strip().isdecimal():
            own_us, all_us, module = (column.strip() for column in columns)
            times.append({"module": module, "self_us": int(own_us), "with_imports_us": int(all_us)})
    return sorted(times, key=lambda each: -int(str(each["self_us"])))[:_SLOWEST]
