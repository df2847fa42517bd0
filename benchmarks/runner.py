"""Measures the contenders of a benchmark, each round all of them, each in a process of its own."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.compare import pipecat_server
from benchmarks.contest import Benchmark, BenchmarkFailed, Contender, Measurement, Options
from benchmarks.processes import python_json
from benchmarks.report import Outcome

__all__ = ["Contest", "pipecat_version"]


class Contest:
    """One run of some benchmarks.

    Args:
        options: what was asked for.
        tell: told what is measured next.
    """

    def __init__(self, options: Options, tell: Callable[[str], None]) -> None:
        self._options = options
        self._tell = tell
        self.loops_us: list[float] = []
        """How long a loop took that always does the same, before each round."""

    def run(self, benchmarks: Iterable[Benchmark]) -> list[Outcome]:
        """Measure them all.

        Raises:
            BenchmarkFailed: one of them does not run.
        """
        return [self._run(benchmark) for benchmark in benchmarks]

    def _run(self, benchmark: Benchmark) -> Outcome:
        outcome = Outcome(benchmark)
        # In turn, so that a machine that gets slower or busier does so for all of them.
        for number in range(1, benchmark.rounds + 1):
            self.loops_us.append(_loop_us())
            for contender in benchmark.contenders:
                self._tell(f"{benchmark.name} {number}/{benchmark.rounds}: {contender.name}")
                measured = self._measure(contender)
                outcome.measured.setdefault(contender.name, []).append(measured)
        return outcome

    def _measure(self, contender: Contender) -> Measurement:
        if not contender.foreign:
            return _in_a_process(contender.measure, contender.arguments)
        assert self._options.pipecat is not None
        return _in_a_process(contender.measure, contender.arguments, python=self._options.pipecat)


def pipecat_version(python: str) -> str:
    """Which Pipecat an interpreter has.

    Raises:
        BenchmarkFailed: it has none, or is no interpreter.
    """
    try:
        version: str = _in_a_process(pipecat_server.version, {}, python=python).details
    except BenchmarkFailed as exc:
        raise BenchmarkFailed(f"no Pipecat with {python}: {exc}") from exc
    return version


def _in_a_process(
    measure: Callable[..., Measurement], arguments: dict[str, Any], *, python: str = sys.executable
) -> Measurement:
    names = [measure.__module__, measure.__qualname__]
    child = ["-m", "benchmarks.child", *names, json.dumps(arguments)]
    return Measurement(**python_json(child, python=python))


def _loop_us() -> float:
    begun_s = time.perf_counter()
    total = 0
    for number in range(300_000):
        total += number & 7
    return (time.perf_counter() - begun_s) * 1e6
