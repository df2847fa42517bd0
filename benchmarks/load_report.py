"""How do lateness, CPU and memory grow with the sessions? `python -m benchmarks.load_report`.

Sessions of 50 messages of audio a second, through five processors, on a real server with thin
clients, against a bare ASGI echo on the same server. A message that does not come back ends the
report. Prints a table, and draws it with `--png`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench_capacity import climb
from benchmarks.charts import caption, draw_load
from benchmarks.contest import Benchmark, Contender, Options
from benchmarks.report import document, number
from benchmarks.runner import Contest
from benchmarks.serve import SERVERS

__all__ = ["main"]

_APPS = {"bare ASGI echo": "bare_echo", "wsframes, five\nprocessors": "crowd"}
_COLUMNS = {
    "sessions": "sessions",
    "late_p50_ms": "late p50 ms",
    "late_p99_ms": "late p99 ms",
    "cpu_share": "CPU",
    "message_us": "CPU us/message",
    "rss_mb": "RSS MB",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_report", description=__doc__)
    parser.add_argument("--server", choices=sorted(SERVERS), default="uvicorn")
    parser.add_argument("--sessions", type=int, nargs="+", default=[20, 40, 80, 120, 160, 200])
    parser.add_argument("--seconds", type=float, default=10.0, help="that count, at each step")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw it there")
    asked = parser.parse_args(arguments)
    schedule = {"steps": asked.sessions, "settle_s": 0.5, "seconds": asked.seconds}
    schedule["server"] = asked.server
    contenders = [Contender(label, climb, schedule | {"app": app}) for label, app in _APPS.items()]
    contest = Contest(Options(), tell=lambda what: None)
    outcomes = contest.run([Benchmark("load", str(__doc__), 1, tuple(contenders))])
    steps: dict[str, Any] = {
        label: outcomes[0].measured[label][0].details["steps"] for label in _APPS
    }
    print(_table(steps))
    if asked.png is not None:
        taken = caption(document(outcomes, contest.loops_us, None))
        draw_load(asked.png, steps, asked.server, taken)
        print(f"drawn in {asked.png}", file=sys.stderr)
    return 0


def _table(steps: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    rows = [("app", *_COLUMNS.values())] + [
        (label.replace("\n", " "), *(number(step[figure]) for figure in _COLUMNS))
        for label, each in steps.items()
        for step in each
    ]
    return "\n".join("  ".join(f"{cell:>25}" for cell in row) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
