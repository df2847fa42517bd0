"""Draws what was measured: `python -m benchmarks.charts RESULTS.json DIRECTORY`.

So that a run on a quiet machine is drawn whenever it is wanted. A chart whose benchmark is not
among the results is left out.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.drawing import FAINT, Series, bare_axes, chart, draw_lines
from benchmarks.lines import line_through

__all__ = ["caption", "draw_all", "draw_load", "main"]

_LIMIT_MS = 20.0
_MOST_MS = 100.0  # what is later is drawn there
_PACKAGES = ("wsframes", "python", "uvicorn", "websockets", "anyio", "pipecat-ai")

_TITLES = {
    "bare": "bare ASGI echo",
    "wsframes": "wsframes",
    "wsframes, five processors": "wsframes, five\nprocessors",
    "pipecat": "Pipecat",
}
_LOAD = "50 messages of 640 bytes (20 ms of speech) a second and session, echoed by uvicorn"

_SHADES = ("#a0aec0", "#cbd5e0", "#2c7a7b", "#38b2ac", "#2b6cb0", "#63b3ed", "#6b46c1", "#d69e2e",
           "#edf2f7")  # fmt: skip

Steps = Mapping[str, Sequence[Mapping[str, float]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.charts", description=__doc__)
    parser.add_argument("results", type=Path, help="what --json of the benchmarks has written")
    parser.add_argument("directory", type=Path, help="where the PNGs go")
    asked = parser.parse_args(arguments)
    try:
        document = json.loads(asked.results.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        parser.error(f"{asked.results}: {exc}")
    if not asked.directory.is_dir():
        parser.error(f"there is no directory {asked.directory}")
    for path in draw_all(document, asked.directory):
        print(path)
    return 0


def draw_all(document: Mapping[str, Any], directory: Path) -> list[Path]:
    """Draw each chart that there are results for.

    Returns:
        The files.
    """
    drawn = []
    for name, draw in _CHARTS.items():
        benchmark = document["benchmarks"].get(draw.benchmark)
        if benchmark is not None:
            path = directory / f"{name}.png"
            draw.function(path, benchmark["contenders"], caption(document))
            drawn.append(path)
    return drawn


def caption(document: Mapping[str, Any]) -> str:
    """What it was measured on, in two lines."""
    machine, versions = document["machine"], document["versions"]
    packages = ", ".join(f"{name} {versions[name]}" for name in _PACKAGES if name in versions)
    scale = document["asked"].get("scale", "full")
    looked = "" if scale == "full" else "  A look only, not figures to publish."
    return (
        f"{machine['processor']}, {machine['cpus']} CPUs, {machine['system']}; server and clients "
        f"on a CPU each. {document['taken']}.{looked}\n{packages}."
    )


# --- how sessions add up


def _of_one_processor(contenders: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in contenders.items() if "five" not in name}


def steps_of(contenders: Mapping[str, Any]) -> dict[str, list[dict[str, float]]]:
    """Of each contender, the steps that half the rounds reached, each figure the median of them."""
    series = {}
    for name, contender in contenders.items():
        rounds = [each["steps"] for each in contender["details"]]
        by_sessions: dict[float, list[dict[str, float]]] = {}
        for step in chain(*rounds):
            by_sessions.setdefault(step["sessions"], []).append(step)
        series[_TITLES[name]] = [
            {figure: median(step[figure] for step in steps) for figure in steps[0]}
            for _, steps in sorted(by_sessions.items())
            if 2 * len(steps) >= len(rounds)
        ]
    return series


def _draw_lateness(path: Path, contenders: Mapping[str, Any], caption: str) -> None:
    contenders = _of_one_processor(contenders)
    with chart(path, "How late a message is, against sessions", _LOAD, caption) as (_, (axes,)):
        notes = {
            _TITLES[name]: f"{median(contender['figures']['sessions']['rounds']):.0f} on time"
            for name, contender in contenders.items()
        }
        _lateness(axes, steps_of(contenders), notes)


def _lateness(axes: Any, steps: Steps, notes: Mapping[str, str]) -> None:
    axes.set(
        xlabel="sessions on one core",
        ylabel=f"late, 99th percentile, ms (log, {_MOST_MS:g} and more)",
        yscale="log",
    )
    lines = [
        Series(label, [(x, min(y, _MOST_MS)) for x, y in points])
        for label, points, _ in _by_sessions(steps, "late_p99_ms", 1.0)
    ]
    axes.set_xlim(0, _most_sessions(lines))
    axes.set_ylim(min(0.5, *(y for each in lines for _, y in each.points)), _MOST_MS)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.axhline(_LIMIT_MS, color=FAINT, linestyle="--", linewidth=1)
    axes.text(0, _LIMIT_MS * 1.08, f" {_LIMIT_MS:g} ms", color=FAINT, va="bottom", fontsize=9)
    draw_lines(axes, lines, notes)


def _draw_cpu(path: Path, contenders: Mapping[str, Any], caption: str) -> None:
    contenders = _of_one_processor(contenders)
    with chart(path, "What sessions take of the core", _LOAD, caption) as (_, (axes,)):
        notes = {
            _TITLES[name]: f"{contender['figures']['session_percent']['median']:.2f} % each"
            for name, contender in contenders.items()
        }
        _cpu(axes, steps_of(contenders), notes)


def _cpu(axes: Any, steps: Steps, notes: Mapping[str, str]) -> None:
    axes.set(xlabel="sessions on one core", ylabel="CPU of the server, % of one core")
    lines = _by_sessions(_on_time(steps), "cpu_share", 100.0)
    _limits(axes, lines, high=105.0)
    draw_lines(axes, lines, notes)


def _draw_memory(path: Path, contenders: Mapping[str, Any], caption: str) -> None:
    contenders = _of_one_processor(contenders)
    subtitle = f"{_LOAD}, while they talk"
    with chart(path, "Memory of the server, against sessions", subtitle, caption) as (_, (axes,)):
        notes = {}
        for label, steps in _on_time(steps_of(contenders)).items():
            sessions = [step["sessions"] for step in steps]
            if len(steps) > 1:
                more_mb = line_through(sessions, [step["rss_mb"] for step in steps]).slope
                notes[label] = f"{more_mb * 1e6 / 1024:.0f} KiB each"
        _memory(axes, steps_of(contenders), notes)


def _memory(axes: Any, steps: Steps, notes: Mapping[str, str]) -> None:
    axes.set(xlabel="sessions on one core", ylabel="resident memory of the server, MB")
    lines = _by_sessions(_on_time(steps), "rss_mb", 1.0)
    _limits(axes, lines)
    draw_lines(axes, lines, notes)


def _on_time(steps: Steps) -> Steps:
    """The last step may be the one at which it did not do its work any more."""
    return {
        label: [step for step in each if step["late_p99_ms"] <= _LIMIT_MS] or each[:1]
        for label, each in steps.items()
    }


def _by_sessions(steps: Steps, figure: str, factor: float) -> list[Series]:
    return [
        Series(label, [(step["sessions"], step[figure] * factor) for step in each])
        for label, each in steps.items()
    ]


def _limits(axes: Any, lines: Sequence[Series], high: float = 0.0) -> None:
    axes.set_xlim(0, _most_sessions(lines))
    axes.set_ylim(0, max(high, *(y * 1.05 for each in lines for _, y in each.points)))


def _most_sessions(lines: Sequence[Series]) -> float:
    return max(x for each in lines for x, _ in each.points) * 1.02


def draw_load(path: Path, steps: Steps, server: str, caption: str) -> None:
    """Lateness, CPU and memory side by side.

    Args:
        path: of the PNG.
        steps: by the label of the line.
        server: what served.
        caption: what it was measured on.
    """
    subtitle = (
        "50 messages of 640 bytes a second and session, echoed by a bare ASGI application, and "
        f"through five processors of which one has a lane; on {server}"
    )
    with chart(
        path, "Load: lateness, CPU and memory", subtitle, caption, panels=3, size=(16.0, 5.2)
    ) as (_, axes):
        for each, draw in zip(axes, (_lateness, _cpu, _memory), strict=True):
            draw(each, steps, {})


def _draw_load_of(path: Path, contenders: Mapping[str, Any], caption: str) -> None:
    five = {name: contenders[name] for name in ("bare", "wsframes, five processors")}
    draw_load(path, steps_of(five), "uvicorn", caption)


# --- what one message costs


def _draw_length(path: Path, contenders: Mapping[str, Any], caption: str) -> None:
    labels = {
        "pipecat's processors": "Pipecat",
        "lanes, asyncio": "async def: lanes",
        "lanes, trio": "lanes on trio",
        "functions, asyncio": "def: functions",
        "functions, trio": "functions on trio",
    }
    subtitle = "one frame at a time through a row of processors, in memory, on asyncio and trio"
    with chart(path, "What a longer pipeline costs", subtitle, caption) as (_, (axes,)):
        lines, notes = [], {}
        for name, label in labels.items():
            if name in contenders:
                contender = contenders[name]
                costs = zip(*(each["costs"] for each in contender["details"]), strict=True)
                sizes = contender["details"][0]["sizes"]
                points = list(zip(sizes, (median(each) for each in costs), strict=True))
                lines.append(Series(label, points, dashed="trio" in name))
                more_us = contender["figures"]["more_processor_us"]["median"]
                notes[label] = f"+ {more_us:.2g} µs each"
        axes.set(
            xlabel="processors in the row (log)",
            ylabel="CPU for one frame, µs (log)",
            xscale="log",
            yscale="log",
        )
        axes.set_xlim(0.9, 110)
        axes.set_ylim(
            min(y for each in lines for _, y in each.points) * 0.7,
            max(y for each in lines for _, y in each.points) * 1.5,
        )
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        draw_lines(axes, lines, notes)


def _draw_layers(path: Path, contenders: Mapping[str, Any], caption: str) -> None:
    subtitle = "Python instructions executed for a message of 640 bytes; counted, not timed"
    title = "Where the work of an echoed message goes"
    method = "Counted by tracing opcodes by module; the work of C (sockets above all) is not in.\n"
    names = list(contenders)[::-1]
    layers = [name for name in contenders["wsframes"]["figures"] if name != "instructions"]
    sides = (1.4, 2.3)
    with chart(path, title, subtitle, method + caption, size=(11.5, 4.6), sides=sides) as (
        _,
        (axes,),
    ):
        bare_axes(axes)
        axes.grid(visible=False, axis="y")
        for row, name in enumerate(names):
            figures = contenders[name]["figures"]
            at = 0.0
            for shade, layer in zip(_SHADES, layers, strict=True):
                number = figures[layer]["median"]
                axes.barh(row, number, left=at, height=0.55, color=shade, edgecolor="white")
                at += number
            axes.text(at, row, f"  {at:,.0f}", va="center", weight="bold")
        axes.set_yticks(range(len(names)), [_TITLES[name] for name in names])
        axes.set_xlabel("instructions of Python for each message")
        most = max(contenders[name]["figures"]["instructions"]["median"] for name in names)
        axes.set_xlim(0, most * 1.1)
        patches = [axes.barh(0, 0, color=shade) for shade in _SHADES]
        axes.legend(
            patches, layers, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9
        )


class _Chart(NamedTuple):
    benchmark: str
    function: Any


_CHARTS = {
    "lateness": _Chart("capacity", _draw_lateness),
    "cpu": _Chart("capacity", _draw_cpu),
    "memory": _Chart("capacity", _draw_memory),
    "load": _Chart("capacity", _draw_load_of),
    "length": _Chart("scale", _draw_length),
    "layers": _Chart("layers", _draw_layers),
}


if __name__ == "__main__":
    sys.exit(main())
