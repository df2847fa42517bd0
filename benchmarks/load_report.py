"""How do lateness, CPU and memory grow with the sessions? `python -m benchmarks.load_report`.

Sessions of 50 messages of audio a second, through five processors, on a real server with real
clients, against a bare ASGI echo on the same server. Prints a table, and draws it with `--png`.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import python_json, running_python
from benchmarks.serve import SERVERS

__all__ = ["main"]

_APPS = {"bare ASGI echo": "bare_echo", "wsframes": "crowd"}
_COLUMNS = ("app", "sessions", "late p50 ms", "late p99 ms", "CPU", "RSS MB", "lost")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_report", description=__doc__)
    parser.add_argument("--server", choices=sorted(SERVERS), default="uvicorn")
    parser.add_argument("--sessions", type=int, nargs="+", default=[20, 40, 80, 120, 160, 200])
    parser.add_argument("--seconds", type=float, default=10.0, help="that count, at each step")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw it there")
    asked = parser.parse_args(arguments)
    series = {
        title: [_measure(asked.server, app, number, asked.seconds) for number in asked.sessions]
        for title, app in _APPS.items()
    }
    print(_line(_COLUMNS))
    for title, steps in series.items():
        for step in steps:
            print(_line((title, *(f"{value:.3g}" for value in step.values()))))
    if asked.png is not None:
        _draw(series, asked.server, asked.png)
        print(f"drawn in {asked.png}", file=sys.stderr)
    return 0


def _measure(server: str, app: str, sessions: int, seconds: float) -> dict[str, float]:
    with running_python(["-m", "benchmarks.serve", server, f"benchmarks.apps:{app}"]) as (pid, at):
        crowd = ["-m", "benchmarks.crowd", str(at["port"]), str(pid)]
        figures: Any = python_json(
            [*crowd, "--sessions", str(sessions), "--seconds", str(seconds)],
            timeout_s=600.0 + seconds,
        )
    return {
        "sessions": sessions,
        "late_p50_ms": figures["late_p50_ms"],
        "late_p99_ms": figures["late_p99_ms"],
        "cpu_share": figures["cpu_share"],
        "rss_mb": max(size for _, size in figures["rss_bytes"]) / 1e6,
        "lost_messages": figures["lost_messages"],
    }


def _line(cells: Sequence[str]) -> str:
    return "  ".join(f"{cell:>14}" for cell in cells)


def _draw(series: dict[str, list[dict[str, float]]], server: str, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    panels = (
        ("late_p99_ms", "lateness p99, ms", "log"),
        ("cpu_share", "CPU, share of one core", "linear"),
        ("rss_mb", "memory, MB", "linear"),
    )
    figure, axes = pyplot.subplots(1, len(panels), figsize=(13, 4), layout="constrained")
    for axis, (name, label, scale) in zip(axes, panels, strict=True):
        for title, steps in series.items():
            values = [step[name] if step[name] > 0 else math.nan for step in steps]
            axis.plot([step["sessions"] for step in steps], values, marker="o", label=title)
        axis.set(xlabel="sessions", title=label, yscale=scale)
        axis.grid(alpha=0.3)
    axes[0].axhline(20, color="grey", linestyle="--", linewidth=1)
    axes[0].legend()
    figure.suptitle(f"50 messages of audio a second and session, echoed, on {server}")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
