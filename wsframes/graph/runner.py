"""Several tasks in one process, and how to end all of them."""

import signal
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Literal, Self

import anyio

from wsframes.exceptions import UsageError
from wsframes.graph.outcome import RunResult
from wsframes.graph.task import PipelineTask

__all__ = ["PipelineRunner"]


class PipelineRunner:
    """Runs any number of tasks, each by its own `run`, and drains or cancels all of them.

    It leaves the process's signals alone unless it is asked to handle them: then it is used as
    `async with PipelineRunner(...) as runner`, and within that the first signal drains and the
    second one cancels. Without signals it needs no `async with`.

    Args:
        handle_sigint: handle SIGINT.
        handle_sigterm: handle SIGTERM.
        drain_timeout: seconds that a signal gives the tasks to end by themselves.
    """

    def __init__(
        self,
        *,
        handle_sigint: bool = False,
        handle_sigterm: bool = False,
        drain_timeout: float = 30.0,
    ) -> None:
        self._signals = [signal.SIGINT] * handle_sigint + [signal.SIGTERM] * handle_sigterm
        self._drain_timeout_s = drain_timeout
        self._state: Literal["open", "draining"] = "open"
        self._tasks: set[PipelineTask] = set()
        self._wait_for_none: list[anyio.Event] = []
        self._watch: AsyncExitStack | None = None

    async def __aenter__(self) -> Self:
        if self._signals:
            if threading.current_thread() is not threading.main_thread():
                raise UsageError("signals can be handled in the main thread only")
            async with AsyncExitStack() as watch:
                for number in self._signals:
                    before = signal.getsignal(number)
                    if _is_of_loop(before):
                        raise UsageError(
                            f"{number.name} has a handler of the event loop already, which could "
                            "not be put back: leave that signal to it, and let it call `drain`"
                        )
                    # asyncio leaves the default handler behind, and not the one that was there.
                    watch.callback(signal.signal, number, before)
                signals = watch.enter_context(anyio.open_signal_receiver(*self._signals))
                tasks = await watch.enter_async_context(anyio.create_task_group())
                watch.callback(tasks.cancel_scope.cancel)
                tasks.start_soon(self._watch_signals, signals, name="wsframes signals")
                self._watch = watch.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            # What the body raised goes on as it is, not as a part of a group.
            await watch.aclose()

    @property
    def is_draining(self) -> bool:
        """Whether new tasks are refused."""
        return self._state == "draining"

    @property
    def tasks(self) -> frozenset[PipelineTask]:
        """The tasks that run now."""
        return frozenset(self._tasks)

    async def run(self, task: PipelineTask) -> RunResult:
        """Run a task to its end; what `task.run()` returns or raises.

        Raises:
            UsageError: the runner is being drained, runs this task already, or is to handle signals
                and is not entered.
        """
        if self._state == "draining":
            raise UsageError(f"{task.name} is refused: the runner is being drained")
        if task in self._tasks:
            raise UsageError(f"{task.name} is running already")
        if self._signals and self._watch is None:
            raise UsageError(
                "signals are handled within `async with runner:`; call run in its body"
            )
        self._tasks.add(task)
        try:
            return await task.run()
        finally:
            self._tasks.discard(task)
            if not self._tasks:
                while self._wait_for_none:
                    self._wait_for_none.pop().set()

    async def stop_when_done(self) -> None:
        """End every task when what was queued in it has been delivered. Does not wait for that."""
        for task in self.tasks:
            await task.stop_when_done()

    async def cancel(self) -> None:
        """End every task now. Does not wait for it."""
        for task in self.tasks:
            await task.cancel()

    async def drain(self, timeout_s: float) -> int:
        """Refuse new tasks, end those that run, and cancel what is left at the deadline.

        Returns:
            How many tasks had to be cancelled.
        """
        self._state = "draining"
        with anyio.move_on_after(timeout_s):
            await self.stop_when_done()
            await self._wait_empty()
        left = len(self._tasks)
        await self.cancel()
        await self._wait_empty()
        return left

    async def _wait_empty(self) -> None:
        if self._tasks:
            is_empty = anyio.Event()
            self._wait_for_none.append(is_empty)
            await is_empty.wait()

    async def _watch_signals(self, signals: AsyncIterator[signal.Signals]) -> None:
        async with anyio.create_task_group() as tasks:
            async for _ in signals:
                if self._state == "open":
                    tasks.start_soon(self.drain, self._drain_timeout_s)
                else:
                    await self.cancel()


def _is_of_loop(handler: object) -> bool:
    # What the loops of asyncio leave in the place of a function that only they know.
    return "sighandler" in getattr(handler, "__name__", "")
