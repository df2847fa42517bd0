"""`python -m benchmarks`: measures, and prints one table."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks import (
    bench_capacity,
    bench_codec,
    bench_company,
    bench_echo,
    bench_frames,
    bench_hops,
    bench_import,
    bench_layers,
    bench_memory,
    bench_resample,
    bench_scale,
    bench_sessions,
    bench_telephony,
    bench_vad,
    bench_video,
    bench_visits,
)
from benchmarks.charts import draw_all
from benchmarks.contest import BenchmarkFailed, Options
from benchmarks.report import document, noise_line, table
from benchmarks.runner import Contest, pipecat_version
from benchmarks.serve import SERVERS

__all__ = ["BENCHMARKS", "main"]

BENCHMARKS = {
    "frames": bench_frames,
    "hops": bench_hops,
    "codec": bench_codec,
    "telephony": bench_telephony,
    "echo": bench_echo,
    "resample": bench_resample,
    "import": bench_import,
    "memory": bench_memory,
    "visits": bench_visits,
    "scale": bench_scale,
    "company": bench_company,
    "layers": bench_layers,
    "sessions": bench_sessions,
    "capacity": bench_capacity,
    "vad": bench_vad,
    "video": bench_video,
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}: there are {', '.join(BENCHMARKS)}")
    if asked.json is not None and not asked.json.resolve().parent.is_dir():
        parser.error(f"--json: there is no directory {asked.json.resolve().parent}")
    if asked.charts is not None and not asked.charts.is_dir():
        parser.error(f"--charts: there is no directory {asked.charts}")
    try:
        pipecat = None if asked.pipecat is None else pipecat_version(asked.pipecat)
    except BenchmarkFailed as exc:
        parser.error(f"--pipecat: {exc}")
    options = Options(
        scale="quick" if asked.quick else "full",
        pipecat=asked.pipecat,
        servers=tuple(asked.server or ()),
        sessions=tuple(asked.sessions or ()),
    )
    names = asked.names or list(BENCHMARKS)
    contest = Contest(options, _tell)
    outcomes = []
    failed = False
    for name in names:
        try:
            outcomes += contest.run([BENCHMARKS[name].benchmark(options)])
        except BenchmarkFailed as exc:
            failed = True
            print(f"benchmarks: {name}: {exc}", file=sys.stderr)
    print(table(outcomes))
    print(noise_line(contest.loops_us))
    found = document(outcomes, contest.loops_us, pipecat, scale=options.scale)
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    if asked.charts is not None:
        for path in draw_all(found, asked.charts):
            _tell(f"drawn: {path}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    questions = "\n".join(
        f"  {name:9} {(module.__doc__ or '').partition(chr(10))[0]}"
        for name, module in BENCHMARKS.items()
    )
    parser = _Parser(
        prog="python -m benchmarks",
        description="Measures wsframes, each contender in a process of its own.",
        epilog=f"benchmarks (all by default):\n{questions}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure")
    parser.add_argument("--quick", action="store_true", help="a look, not figures to publish")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    parser.add_argument(
        "--charts", type=Path, metavar="DIR", help="draw what there is to draw there"
    )
    parser.add_argument(
        "--pipecat", metavar="PYTHON", help="an interpreter with pipecat-ai, to compare with"
    )
    parser.add_argument(
        "--server",
        action="append",
        choices=sorted(SERVERS),
        help="for memory, sessions, capacity and video; may be repeated (default: as each has it)",
    )
    parser.add_argument(
        "--sessions",
        action="append",
        type=_positive,
        metavar="N",
        help="how many at once, for memory and sessions; may be repeated",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _tell(what: str) -> None:
    print(f"{time.strftime('%X')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
