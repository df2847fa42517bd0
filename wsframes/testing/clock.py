"""Virtual time on both backends: an hour of waiting costs no time at all.

When every task waits, nothing can happen before the next timer is due, so the
clock jumps to it. On asyncio a wrapped selector does that, on trio its own
``MockClock``. Rules that hold on both:

* Time stands still while anything can run, and moves only by jumps.
* While a worker thread runs a call that the backend waits for
  (``anyio.to_thread.run_sync``, on asyncio also ``run_in_executor``), time waits
  for it *really*: it stands still until the thread is done, or until the wait has
  lasted as long as the next timer would have taken. So a quick thread costs no
  virtual time, and a thread that hangs can't keep a deadline from passing, but
  that deadline then takes as long as it says. A thread that waits for one of the
  backend's timers waits in real time as well.
* A call that was cancelled with ``abandon_on_cancel=True`` no longer holds time on
  trio. On asyncio it does until its thread is done.
* Sockets, pipes and subprocesses don't hold time. Test them in real time:
  `real_backends`.

Never call ``anyio.wait_all_tasks_blocked`` here: on asyncio it polls with a timer
and so burns virtual time. `settle` burns none.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import math
import selectors
import threading
import time
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, TypeVarTuple

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
    from concurrent.futures import Executor
    from types import ModuleType

__all__ = [
    "Backend",
    "VirtualTimeLoop",
    "real_backends",
    "run_virtual",
    "settle",
    "virtual_backends",
    "with_deadline",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

#: A real wait is taken in parts of at most this, as epoll refuses weeks.
_LONGEST_WAIT_S = 3600.0

#: Longer than anything that is tested.
_DEADLOCK_S = 30 * 86400.0


class Backend(tuple[str, dict[str, Any]]):
    """A backend and its options, in the form that anyio's ``anyio_backend`` fixture
    returns. pytest shows it by its ``id``."""

    id: str

    def __new__(cls, name: str, options: dict[str, Any], id: str = "") -> Backend:
        self = super().__new__(cls, (name, options))
        self.id = id or name
        return self

    @property
    def __name__(self) -> str:  # what pytest makes a parameter's id from
        return self.id


def virtual_backends() -> list[Backend]:
    """asyncio and trio in virtual time, as parameters for ``anyio_backend``::

        @pytest.fixture(scope="module", params=virtual_backends())
        def anyio_backend(request):
            return request.param

    The clock is a new one that starts at 0 for each run: each test, and each
    example of a Hypothesis test (unless an async fixture keeps one run open for
    several). Each run of the trio one raises ImportError where trio is missing.
    """
    return [
        Backend("asyncio", {"loop_factory": VirtualTimeLoop}),
        Backend("trio", _TrioOptions()),
    ]


def real_backends() -> list[Backend]:
    """asyncio, asyncio on uvloop where that is installed, and trio, in real time."""
    backends = [Backend("asyncio", {"use_uvloop": False})]
    if importlib.util.find_spec("uvloop") is not None:
        backends.append(Backend("asyncio", {"use_uvloop": True}, "asyncio+uvloop"))
    backends.append(Backend("trio", {}))
    return backends


def run_virtual(
    async_fn: Callable[[*_Ts], Awaitable[_T]],
    *args: *_Ts,
    backend: Literal["asyncio", "trio"] = "asyncio",
    limit_s: float = _DEADLOCK_S,
) -> _T:
    """``anyio.run`` in virtual time, for scripts and for sync tests.

    Args:
        async_fn: called with ``args``; what it returns is returned.
        backend: where it runs.
        limit_s: virtual seconds it may take. If all tasks wait for each other this
            is the only timer left, so that a deadlock ends at once with an error. It
            ends by cancelling, so one behind a shield without a deadline never ends.

    Raises:
        TimeoutError: ``limit_s`` have passed, or nothing could ever happen again.
        ImportError: ``backend`` is trio, which is not installed.
    """

    options = dict(_TrioOptions()) if backend == "trio" else {"loop_factory": VirtualTimeLoop}
    limited = with_deadline(async_fn, limit_s)
    return anyio.run(limited, *args, backend=backend, backend_options=options)


def with_deadline(
    async_fn: Callable[_P, Awaitable[_T]], limit_s: float
) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """``async_fn``, but it raises TimeoutError after ``limit_s``.

    For a ``conftest.py``: around a test in virtual time this makes of a deadlock an
    error at once, as the deadline is the only timer left then.
    """

    @functools.wraps(async_fn)
    async def limited(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            with anyio.fail_after(limit_s) as scope:
                return await async_fn(*args, **kwargs)
        except TimeoutError as error:
            if scope.cancelled_caught:
                error.args = (f"still waiting after {limit_s:g} s; a deadlock?",)
            raise

    return limited


async def settle(rounds: int = 50) -> None:
    """Let the other tasks run until they wait, without any time passing.

    Takes ``rounds`` checkpoints, so it carries a chain of that many wake-ups.
    """
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()


class _ThreadHold:
    """Decides how long time has to be held, really, for threads that run.

    Counted from the moment at which the backend was first idle before one and the
    same timer, so that a thread which wakes the backend now and then can't put the
    timer off for ever.
    """

    def __init__(self) -> None:
        self._waiting_for = (0.0, 0.0)
        self._since_s: float | None = None

    def wait_s(self, busy: bool, now_s: float, next_timer_s: float) -> float:
        if not busy:
            self._since_s = None
            return 0.0
        real_s = time.perf_counter()
        if self._since_s is None or self._waiting_for != (now_s, next_timer_s):
            self._waiting_for = (now_s, next_timer_s)
            self._since_s = real_s
        return max(0.0, self._since_s + (next_timer_s - now_s) - real_s)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose ``time()`` starts at 0 and jumps from timer to
    timer; the module's docstring has the rules. With no timer left it waits for
    threads and signals as any loop does."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._hold = _ThreadHold()
        self._jobs = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now_s

    @property
    def _clock_resolution(self) -> float:
        # asyncio runs a timer that is due within the resolution of its clock, a nanosecond, and
        # time would stand still. Who finds that it came too early, and sleeps again for what is
        # left, would do so for ever.
        return math.ulp(self._now_s)

    @_clock_resolution.setter
    def _clock_resolution(self, value: float) -> None:
        """asyncio sets it to that of the real clock."""

    def real_wait_s(self) -> float:
        """What the idle loop has to wait really before the next timer. At 0 time has
        jumped to that timer. Only for the loop's selector."""
        # The timer's own time, and not now + timeout: that sum can be one bit off.
        timer_s: float = self._scheduled[0].when()  # type: ignore[attr-defined]
        wait_s = self._hold.wait_s(self._threads_run(), self._now_s, timer_s)
        if wait_s == 0.0:
            self._now_s = max(self._now_s, timer_s)
        return wait_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        future = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, *args: Any, **kwargs: Any) -> None:
        # It joins its threads in one more thread, under a timeout since Python 3.12.
        self._jobs += 1
        try:
            await super().shutdown_default_executor(*args, **kwargs)
        finally:
            self._jobs -= 1

    def _job_done(self, _: object) -> None:
        self._jobs -= 1

    def _threads_run(self) -> bool:
        if self._jobs:
            return True
        # anyio has no public count of its worker threads. They keep a list of the
        # idle ones among them, which only the loop's own thread changes.
        for thread in threading.enumerate():
            idle = getattr(thread, "idle_workers", None)
            if idle is not None and getattr(thread, "loop", None) is self and thread not in idle:
                return True
        return False


class _JumpingSelector(selectors.BaseSelector):
    """Lets the loop's time jump where the loop would have slept."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._inner = selectors.DefaultSelector()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return self._inner.select(None)
        ready = self._inner.select(0)
        if ready or timeout <= 0:
            return ready
        if wait_s := self._loop.real_wait_s():
            return self._inner.select(min(wait_s, _LONGEST_WAIT_S))
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


class _TrioOptions(dict[str, Any]):
    """Options for one trio run after the other, each with a clock of its own.

    anyio's pytest plugin keeps one options dict for a parameter and expands it with
    ``**`` for each run. A MockClock can't be set back, so it is made at that moment.
    An own ``__iter__`` is what makes ``**`` ask ``__getitem__``.
    """

    def __init__(self) -> None:
        super().__init__(clock=None, instruments=None)

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def __getitem__(self, key: str) -> Any:
        trio = _import_trio()
        if key == "clock":
            return trio.testing.MockClock(autojump_threshold=0)
        return [_TrioThreadHold(trio)]


class _TrioThreadHold:
    """A trio instrument that holds the run's MockClock while threads run.

    The clock jumps after its ``autojump_threshold`` of real idleness, so the
    threshold is set to what `_ThreadHold` asks for.
    """

    def __init__(self, trio: ModuleType) -> None:
        self._trio = trio
        self._hold = _ThreadHold()
        self._threshold_s = 0.0

    def before_io_wait(self, timeout: float) -> None:
        trio = self._trio
        busy = trio.testing.active_thread_count() > 0
        if not busy and not self._threshold_s:
            return
        now_s = trio.current_time()
        gap_s = trio.lowlevel.current_statistics().seconds_to_next_deadline
        wait_s = self._hold.wait_s(busy, now_s, now_s + gap_s)
        # Every wait begins anew with the full threshold, hence the corrections: not of
        # less than a millisecond, as each of them costs one more round.
        turns = (wait_s > 0.0) != (self._threshold_s > 0.0)
        if turns or abs(wait_s - self._threshold_s) > 1e-3:
            self._threshold_s = wait_s
            trio.lowlevel.current_clock().autojump_threshold = wait_s
            # The round that begins now has been planned with the old threshold. Any
            # event makes trio drop that plan.
            trio.lowlevel.current_trio_token().run_sync_soon(_nothing)


def _nothing() -> None:
    """Wakes a run."""


def _import_trio() -> ModuleType:
    try:
        import trio
        import trio.testing
    except ImportError as error:
        msg = 'the trio backend needs trio: pip install "wsframes[trio]"'
        raise ImportError(msg) from error
    return trio
