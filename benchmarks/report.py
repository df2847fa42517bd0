"""What has been measured, as a table and as a document."""

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contest import Bar, Benchmark, Contender, Measurement

__all__ = ["Outcome", "document", "noise_line", "number", "table"]

_PACKAGES = ("anyio", "hypercorn", "msgspec", "pydantic", "starlette", "trio", "uvicorn", "uvloop",
             "websockets")  # fmt: skip


@dataclass
class Outcome:
    """The measurements of a benchmark, by contender, one a round; in step with each other."""

    benchmark: Benchmark
    measured: dict[str, list[Measurement]] = field(default_factory=dict)

    def values(self, contender: str, figure: str) -> list[float]:
        return [each.figures[figure] for each in self.measured[contender]]

    def median(self, contender: str, figure: str) -> float:
        return statistics.median(self.values(contender, figure))

    def spread(self, contender: str, figure: str) -> float:
        """Half the way from the lowest to the highest, as a part of the median."""
        values = self.values(contender, figure)
        middle = statistics.median(values)
        return (max(values) - min(values)) / 2 / middle if middle else 0.0

    def ratio(self, contender: Contender, figure: str) -> float | None:
        """To the contender that it is compared with: the median of the rounds' ratios."""
        if contender.against is None or figure not in self.measured[contender.against][0].figures:
            return None
        return self._ratio(contender.name, contender.against, figure)

    def _ratio(self, ours: str, theirs: str, figure: str) -> float | None:
        pairs = zip(self.values(ours, figure), self.values(theirs, figure), strict=True)
        ratios = [one / other for one, other in pairs if other]
        return statistics.median(ratios) if ratios else None

    def reached(self, bar: Bar) -> tuple[float, bool]:
        """What counts for the bar, and whether that is good enough."""
        value = self.median(bar.contender, bar.figure)
        if bar.of != "value":
            against = self.against(bar)
            if bar.of == "ratio":
                ratio = self._ratio(bar.contender, against, bar.figure)
                assert ratio is not None
                value = ratio
            else:
                value -= self.median(against, bar.figure)
        return value, value >= bar.limit if bar.at_least else value <= bar.limit

    def against(self, bar: Bar) -> str:
        """The contender that a bar of a ratio or an excess compares with."""
        if bar.against is not None:
            return bar.against
        contender = next(each for each in self.benchmark.contenders if each.name == bar.contender)
        assert contender.against is not None
        return contender.against


def table(outcomes: Iterable[Outcome]) -> str:
    """One line a figure: its median, how far it varied, its ratio, its bar."""
    rows: list[Sequence[str]] = [
        ("benchmark", "contender", "figure", "median", "spread", "ratio", "bar")
    ]
    for outcome in outcomes:
        for contender in outcome.benchmark.contenders:
            rows += _rows(outcome, contender)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _rows(outcome: Outcome, contender: Contender) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for figure in outcome.measured[contender.name][0].figures:
        ratio = outcome.ratio(contender, figure)
        bars = [
            bar
            for bar in outcome.benchmark.bars
            if (bar.contender, bar.figure) == (contender.name, figure)
        ]
        rows.append(
            (
                outcome.benchmark.name,
                contender.name,
                figure,
                number(outcome.median(contender.name, figure)),
                f"{outcome.spread(contender.name, figure):.0%}",
                "" if ratio is None else f"{ratio:.2f} x {contender.against}",
                "; ".join(_verdict(outcome, bar) for bar in bars),
            )
        )
    return rows


def _verdict(outcome: Outcome, bar: Bar) -> str:
    value, met = outcome.reached(bar)
    what = {"value": "", "ratio": " x", "excess": " more"}[bar.of]
    if bar.against is not None:
        what += f" {bar.against}"
    verdict = "met" if met else "MISSED"
    sign = ">=" if bar.at_least else "<="
    return f"{verdict}: {number(value)}{what} {sign} {bar.limit:g}{what}"


def number(value: float) -> str:
    """As many digits as mean something."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if 3 <= column <= 4 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def noise_line(loops_us: Sequence[float]) -> str:
    """How quiet the machine was: a loop that always does the same, timed between the rounds."""
    middle = statistics.median(loops_us)
    worst = max(loops_us) / middle - 1
    return f"noise: the same loop took {middle / 1e3:.1f} ms, at worst {worst:.0%} more"


def document(
    outcomes: Iterable[Outcome], loops_us: Sequence[float], pipecat: str | None, **asked: Any
) -> dict[str, Any]:
    """Everything, with what it was measured on."""
    return {
        "asked": asked,
        "taken": time.strftime("%Y-%m-%d"),
        "machine": _machine(),
        "noise": {"loop_us": list(loops_us)},
        "versions": _versions(pipecat),
        "benchmarks": {outcome.benchmark.name: _outcome_document(outcome) for outcome in outcomes},
    }


def _outcome_document(outcome: Outcome) -> dict[str, Any]:
    return {
        "question": outcome.benchmark.question,
        "contenders": {
            contender.name: {
                "against": contender.against,
                "figures": {
                    figure: {
                        "median": outcome.median(contender.name, figure),
                        "ratio": outcome.ratio(contender, figure),
                        "rounds": outcome.values(contender.name, figure),
                    }
                    for figure in outcome.measured[contender.name][0].figures
                },
                "details": [each.details for each in outcome.measured[contender.name]],
            }
            for contender in outcome.benchmark.contenders
        },
        "bars": [
            {
                "contender": bar.contender,
                "figure": bar.figure,
                "of": bar.of,
                "against": None if bar.of == "value" else outcome.against(bar),
                "limit": bar.limit,
                "at_least": bar.at_least,
                "reached": outcome.reached(bar)[0],
                "met": outcome.reached(bar)[1],
            }
            for bar in outcome.benchmark.bars
        ],
    }


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "load": list(os.getloadavg()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _versions(pipecat: str | None) -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("wsframes", *_PACKAGES):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    if pipecat is not None:
        versions["pipecat-ai"] = pipecat
    return versions
