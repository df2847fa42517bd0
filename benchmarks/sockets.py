"""An echo on a real server with real clients, each in a process of its own and on its own CPU."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.processes import python_json, running_python

__all__ = ["measure_server"]


def measure_server(
    server: str,
    app: str,
    load: Sequence[str],
    *,
    python: str = sys.executable,
    trace: bool = False,
    pinned: bool = True,
    clients: str = "load",
) -> dict[str, Any]:
    """Start a server, put a load on it, and hand back what the load has measured.

    Args:
        server: one of those in `serve`.
        app: `MODULE:APP`.
        load: arguments of `clients`.
        python: the interpreter to run the server with.
        trace: trace the server's allocations.
        clients: the module that puts the load on it.
        pinned: give the server one CPU; else it has all, as one with worker threads needs.

    Raises:
        BenchmarkFailed: the server or the load did not run.
    """
    pins: tuple[list[str], list[str]] = _pins() if pinned else ([], [])
    serve = ["-m", "benchmarks.serve", server, app, *pins[0], *(["--trace"] if trace else [])]
    with running_python(serve, python=python) as (pid, ready):
        command = ["-m", f"benchmarks.{clients}", str(ready["port"]), str(pid), *load, *pins[1]]
        figures: dict[str, Any] = python_json(command)
    return figures


def _pins() -> tuple[list[str], list[str]]:
    """Arguments that keep the server and its clients off each other's CPU, where there are two."""
    if not hasattr(os, "sched_getaffinity"):
        return [], []
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return [], []
    return ["--cpu", str(cpus[-1])], ["--cpu", str(cpus[0])]
