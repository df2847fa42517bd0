"""Analyzers, made ready before the first audio comes."""

import anyio

from wsframes.transport.tasks.workers import place, run_slow
from wsframes.turn import BaseTurnAnalyzer
from wsframes.vad import VADAnalyzer

__all__ = ["make_ready"]

# Of one analyzer to load its model.
_PREPARE_S = 30.0


async def make_ready(analyzer: VADAnalyzer | BaseTurnAnalyzer) -> None:
    """Let an analyzer load what it needs, in a worker thread.

    Raises:
        RuntimeError: it cannot; the cause says why.
        TimeoutError: it takes more than 30 s.
    """
    what = f"{type(analyzer).__name__} could not be made ready"
    with anyio.move_on_after(_PREPARE_S) as scope:
        try:
            async with place():
                await run_slow(analyzer.prepare)
        except Exception as exc:
            raise RuntimeError(f"{what}: {exc!r}") from exc
    if scope.cancelled_caught:
        raise TimeoutError(f"{what} within {_PREPARE_S:g} s")
