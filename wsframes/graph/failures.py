"""What to do with the exceptions of code that is not ours: tell them from a cancellation, log them.

A cancellation exception is not always a cancellation. Code that waits for a future which somebody
cancelled raises one too, and if it were let through it would end a task of ours without a word.
"""

import logging
import traceback

import anyio

__all__ = ["FailureLog", "describe", "is_failure"]

logger = logging.getLogger("wsframes.graph")

_MAX_CHARS = 256
_MAX_CAUSES = 4
_LOG_PERIOD_S = 1.0


def is_failure(exc: BaseException) -> bool:
    """Whether what came out of somebody else's code is its own failure.

    False: the task is being cancelled, or the process ends; raise it again.
    """
    if isinstance(exc, Exception):
        return True
    if isinstance(exc, anyio.get_cancelled_exc_class()):
        return anyio.current_effective_deadline() > -float("inf")
    return False


def describe(thing: object) -> str:
    """The repr in at most 256 characters: an exception's may hold what a peer has sent."""
    try:
        text = repr(thing)
    except Exception:
        text = f"{type(thing).__name__}, whose repr fails"
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 1] + "\u2026"


class FailureLog:
    """Logs what failed, at most once a second for each place; what was left out is counted."""

    __slots__ = ("_logged",)

    def __init__(self) -> None:
        self._logged: dict[str, tuple[float, int]] = {}

    def error(self, place: str, text: str, exc: BaseException | None = None) -> None:
        """Log a failure with its tracebacks, but without messages of any length."""
        now_s = anyio.current_time()
        last_s, left_out = self._logged.get(place, (-float("inf"), 0))
        if now_s - last_s < _LOG_PERIOD_S:
            self._logged[place] = (last_s, left_out + 1)
            return
        self._logged[place] = (now_s, 0)
        if left_out:
            text = f"{text} ({left_out} more before it)"
        logger.error("%s%s", text, _origin(exc))


def _origin(exc: BaseException | None) -> str:
    """Where an exception, and what led to it, came from."""
    parts: list[str] = []
    while exc is not None and len(parts) < _MAX_CAUSES:
        frames = "".join(traceback.format_tb(exc.__traceback__))
        parts.append(f"\n{describe(exc)} from\n{frames}")
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    return "".join(parts)
