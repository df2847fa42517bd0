"""Starts Python on a module of this package, so that nothing that was measured before is felt."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contest import BenchmarkFailed

__all__ = ["python_json", "run_python", "running_python"]

_ROOT = Path(__file__).parents[1]

# A set or dict that falls out differently must not pass for a change of speed.
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}

_LEAVE_S = 10.0


def run_python(
    arguments: Sequence[str], *, python: str = sys.executable, timeout_s: float = 600.0
) -> "subprocess.CompletedProcess[str]":
    """Run a Python to its end.

    Raises:
        BenchmarkFailed: it failed, or took longer than `timeout_s`.
    """
    command = [python, *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=_ROOT,
            env=os.environ | _ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as exc:
        raise BenchmarkFailed(f"{python}: {exc.strerror}") from exc
    except subprocess.TimeoutExpired:
        raise BenchmarkFailed(f"{_short(command)}: not done after {timeout_s:g} s") from None
    if done.returncode != 0:
        raise BenchmarkFailed(f"{_short(command)}: {_last_line(done.stderr)}")
    return done


def python_json(
    arguments: Sequence[str], *, python: str = sys.executable, timeout_s: float = 600.0
) -> Any:
    """Run a Python to its end; what it printed on its last line, as JSON.

    Raises:
        BenchmarkFailed: as in `run_python`.
    """
    return json.loads(
        run_python(arguments, python=python, timeout_s=timeout_s).stdout.splitlines()[-1]
    )


@contextmanager
def running_python(
    arguments: Sequence[str], *, python: str = sys.executable
) -> Iterator[tuple[int, Any]]:
    """Run a Python as long as the block; its process id, and its first line as JSON.

    Raises:
        BenchmarkFailed: it ended before that line.
    """
    command = [python, *arguments]
    # A file, since a pipe that nobody reads would stop a server that writes much.
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            cwd=_ROOT,
            env=os.environ | _ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                process.wait(_LEAVE_S)
                errors.seek(0)
                raise BenchmarkFailed(f"{_short(command)}: {_last_line(errors.read())}")
            yield process.pid, json.loads(line)
        finally:
            process.terminate()
            try:
                process.wait(_LEAVE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _short(command: Sequence[str]) -> str:
    # What is run, and not the code that is handed to `-c`.
    return " ".join([Path(command[0]).name, *(part for part in command[1:] if "\n" not in part)])


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
