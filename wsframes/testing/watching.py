"""What a run only logs: what observers and cleanups raise. A test has to know of it."""

from __future__ import annotations

import inspect
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from wsframes.graph import BaseObserver
from wsframes.graph.failures import is_failure

from .outcomes import is_outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from wsframes.graph import FrameProcessor

__all__ = ["watched_cleanups", "watched_observer"]


def watched_observer(observer: BaseObserver, errors: list[BaseException]) -> BaseObserver:
    """One that does what another one does, by whose name it goes, and keeps what that raises."""
    tell = staticmethod(_watched(observer.on_push_frame, errors.append))
    kind: Any = type(type(observer).__name__, (BaseObserver,), {"on_push_frame": tell})
    watched: BaseObserver = kind()
    return watched


@contextmanager
def watched_cleanups(
    processors: Iterable[FrameProcessor], errors: list[tuple[str, BaseException]]
) -> Iterator[None]:
    """Keeps what their cleanups raise within the block, with the processor's name."""
    with ExitStack() as undo:
        for processor in processors:
            own = vars(processor)
            cleanup = own.get("cleanup")  # mostly it is the class's

            def keep(error: BaseException, name: str = processor.name) -> None:
                errors.append((name, error))

            own["cleanup"] = _watched(processor.cleanup, keep)
            if cleanup is None:
                undo.callback(own.pop, "cleanup")
            else:
                undo.callback(own.__setitem__, "cleanup", cleanup)
        yield


def _watched(func: Callable[..., Any], keep: Callable[[BaseException], object]) -> Any:
    """The function, with `def` or `async def` as it is; what it raises is kept, and raised."""

    async def finish(result: Awaitable[Any]) -> Any:
        with _kept(keep):
            return await result

    async def call_and_finish(*args: Any) -> Any:
        return await finish(func(*args))

    def call(*args: Any) -> Any:
        with _kept(keep):
            result = func(*args)
        return finish(result) if inspect.isawaitable(result) else result

    return call_and_finish if inspect.iscoroutinefunction(func) else call


@contextmanager
def _kept(keep: Callable[[BaseException], object]) -> Iterator[None]:
    try:
        yield
    except BaseException as exc:
        if is_outcome(exc) or is_failure(exc):
            keep(exc)
        raise
