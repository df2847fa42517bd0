"""What a function returned that somebody would have to await, or iterate over, and nobody does."""

import inspect
from typing import Any

__all__ = ["is_unawaited", "refuse_generator"]


def is_unawaited(result: Any) -> bool:
    """Whether it is to be awaited; then it is not any more."""
    if not inspect.isawaitable(result):
        return False
    if inspect.iscoroutine(result):
        result.close()  # or Python warns that nobody did what we say nobody does
    return True


def refuse_generator(result: Any, name: str) -> None:
    """Raise where it is a generator: of what is written in that function nothing has run.

    Raises:
        TypeError: it is one.
    """
    if inspect.isasyncgen(result) or (
        inspect.isgenerator(result) and not inspect.isawaitable(result)
    ):
        raise TypeError(
            f"{name} returned a generator, which nobody iterates over: push frames by push_frame, "
            "not by `yield`, or write a function with @processor"
        )
