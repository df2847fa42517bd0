"""Whose work it is that runs: of which scope of a worker, if of any.

A processor may start tasks in its work by itself, in a task group of its own or by other means of
its event loop. They inherit this, as they do every context variable, so that what they push when
that work is interrupted is known to be old.
"""

from contextvars import ContextVar

import anyio

__all__ = ["at_work"]

at_work: ContextVar[anyio.CancelScope | None] = ContextVar("wsframes.at_work", default=None)
"""The scope that an interruption of the work cancels."""
