"""What a test ends with: an error, or what pytest raises for a failure, a skip and its like."""

from __future__ import annotations

import anyio

__all__ = ["is_outcome"]


def is_outcome(exc: BaseException) -> bool:
    """Whether it can be kept until a task group is over, which would wrap it in a group.

    It need not be an `Exception`: what `pytest.fail` and `pytest.skip` raise is none.

    False: the task is being cancelled, or a generator is being closed; raise it again.
    """
    passing = anyio.get_cancelled_exc_class(), GeneratorExit
    if isinstance(exc, BaseExceptionGroup):
        return exc.subgroup(passing) is None
    return not isinstance(exc, passing)
