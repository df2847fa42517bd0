"""The clock and the events of the event loop, at hand."""

from collections.abc import Callable

import anyio
import anyio.lowlevel

__all__ = ["loop_clock", "loop_event"]


def loop_clock() -> Callable[[], float]:
    """What `anyio.current_time` says in the event loop that runs, without the search for it.

    It has to look at each call in which loop it is: on asyncio with Python 3.11 two system calls,
    0.5 us where all is hot and 3 us in a server that has slept. What is done for every message
    uses this.
    """
    token = anyio.lowlevel.current_token()
    # A loop of asyncio has its clock on itself; the backend would look for the loop again.
    time = getattr(token.native_token, "time", None)
    clock: Callable[[], float] = token.backend_class.current_time if time is None else time
    return clock


def loop_event() -> Callable[[], anyio.Event]:
    """What `anyio.Event` makes in the event loop that runs, without the search for it.

    That is more than half of what an event costs, and a lane that falls asleep needs a new one.
    """
    create: Callable[[], anyio.Event] = anyio.lowlevel.current_token().backend_class.create_event
    return create
