"""What to do with the exceptions of code that is not ours: tell them from a cancellation, log them.

A cancellation exception is not always a cancellation. Code that waits for a future which somebody
cancelled raises one too, and if it were let through it would end a task of ours without a word.
"""

import logging
import sys
import traceback
from collections.abc import Callable

import anyio

__all__ = ["FailureLog", "clip", "describe", "ends_task", "forget_way", "is_failure"]

logger = logging.getLogger("wsframes.graph")

_MAX_BYTES = 256
_MAX_CAUSES = 4
_LEAST_BYTES = 16
_LOG_PERIOD_S = 1.0


def is_failure(exc: BaseException) -> bool:
    """Whether what came out of somebody else's code is its own failure.

    False: the task is being cancelled, or the process ends; raise it again.
    """
    if isinstance(exc, Exception):
        return True
    cancelled = anyio.get_cancelled_exc_class()
    if isinstance(exc, BaseExceptionGroup):
        # On trio a group of tasks that is cancelled raises the cancellations beside what failed.
        return isinstance(exc.split(cancelled)[1], Exception)
    if isinstance(exc, cancelled):
        return anyio.current_effective_deadline() > -float("inf")
    return False


def ends_task(exc: BaseException) -> bool:
    """Whether it is here because somebody cancelled this very task, past all scopes.

    Only asyncio can do that, by `Task.cancel`; when its loop is closed it does so to every task.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not isinstance(exc, anyio.get_cancelled_exc_class()):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio runs
        return False
    return task is not None and task.cancelling() > 0


def describe(thing: object) -> str:
    """The repr, clipped: an exception's may hold what a peer has sent."""
    try:
        text = repr(thing)
    except Exception:
        text = f"{type(thing).__name__}, whose repr fails"
    return clip(text)


def clip(text: str, most_bytes: int = _MAX_BYTES) -> str:
    """At most so much of a text, in UTF-8, on one line, and nothing in it that acts on a terminal.

    What is not printable, line ends and marks that turn the writing around among it, is escaped.

    Args:
        text: anything.
        most_bytes: at least 3.
    """
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text[: most_bytes + 1]
    )
    encoded = shown.encode()
    if len(encoded) <= most_bytes:
        return shown
    end = "\u2026".encode()
    return (encoded[: most_bytes - len(end)] + end).decode(errors="ignore")


class FailureLog:
    """Logs what failed, at most once a second for each place; what was left out is counted.

    A line holds at most 256 bytes of texts that may be the peer's, the exceptions' included, and of
    these the types and where they came from.

    Args:
        to: the logger.
        clock: says what `anyio.current_time` does; see `loop_clock`.
    """

    __slots__ = ("_clock", "_logged", "_to")

    def __init__(
        self, to: logging.Logger = logger, clock: Callable[[], float] = anyio.current_time
    ) -> None:
        self._clock = clock
        self._logged: dict[str, tuple[float, int]] = {}
        self._to = to

    def error(self, place: str, text: str, exc: BaseException | None = None) -> None:
        """Log a failure."""
        now_s = self._clock()
        last_s, left_out = self._logged.get(place, (-float("inf"), 0))
        if now_s - last_s < _LOG_PERIOD_S:
            self._logged[place] = (last_s, left_out + 1)
            return
        self._logged[place] = (now_s, 0)
        text = clip(text)
        more = f" ({left_out} more before it)" if left_out else ""
        self._to.error("%s%s%s", text, more, _origin(exc, text))


def _origin(exc: BaseException | None, text: str) -> str:
    """Where an exception, and what led to it, came from; what they say as far as there is room."""
    left_bytes = _MAX_BYTES - len(text.encode())
    parts: list[str] = []
    while exc is not None and len(parts) < _MAX_CAUSES:
        title, says = type(exc).__name__, describe(exc)
        if says not in text and left_bytes > _LEAST_BYTES:
            says = clip(says, left_bytes // 2)  # the other half is for what led to it
            left_bytes -= len(says.encode())
            title = says if says.startswith(title) else f"{title} {says}"
        frames = "".join(traceback.format_tb(exc.__traceback__))
        parts.append(f"\n{title} from\n{frames}")
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    return "".join(parts)


def forget_way(exc: BaseException) -> None:
    """Let a cancellation hold on to nothing that it has come through, nor to its context.

    On trio that may be an exception of the task that cancels, whose frames are at work.
    """
    if isinstance(exc, anyio.get_cancelled_exc_class()):
        exc.__traceback__ = exc.__context__ = None
