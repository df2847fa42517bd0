"""Processors and a running task, for the tests of the graph."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from wsframes.frames import (
    CancelFrame,
    DataFrame,
    EndFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StartFrame,
    SystemFrame,
    UninterruptibleFrame,
)
from wsframes.graph import (
    FrameProcessor,
    Pipeline,
    PipelineParams,
    PipelineTask,
    QueueStatistics,
    RunResult,
)
from wsframes.graph.pipeline import Section
from wsframes.testing import settle

DOWN = FrameDirection.DOWNSTREAM
UP = FrameDirection.UPSTREAM


class Word(DataFrame):
    """Ordered and interruptible."""

    text: str = ""


class Note(DataFrame, UninterruptibleFrame):
    """Ordered; survives an interruption."""

    text: str = ""


class Alert(SystemFrame):
    """Overtakes."""

    text: str = ""


class Media(SystemFrame):
    """A system frame that comes in bulk."""

    input_media = True

    data: bytes = b""

    @property
    def payload_bytes(self) -> int:
        return len(self.data)


class Function(FrameProcessor):
    """Notes everything, and passes it on."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.seen: list[Frame] = []
        self.calls: list[str] = []

    def start(self, frame: StartFrame) -> Any:
        self.calls.append("start")

    def stop(self, frame: EndFrame) -> Any:
        self.calls.append("stop")

    def cancel(self, frame: CancelFrame) -> Any:
        self.calls.append("cancel")

    def interrupt(self, frame: InterruptionFrame) -> None:
        self.calls.append("interrupt")

    def cleanup(self) -> Any:
        self.calls.append("cleanup")

    def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
        self.seen.append(frame)
        self.push_frame_nowait(frame, direction)

    def texts(self) -> list[str]:
        """The texts of the words, notes and alerts that came."""
        return texts(self.seen)


class Lane(Function):
    """The same in a lane; `handle` may wait before the frame is passed on."""

    def __init__(
        self, name: str | None = None, handle: Callable[[Frame], Any] | None = None
    ) -> None:
        super().__init__(name)
        self.handle = handle
        self.done: list[Frame] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.seen.append(frame)
        if self.handle is not None and not frame.lifecycle:
            await self.handle(frame)
        await self.push_frame(frame, direction)
        self.done.append(frame)


class Session:
    """A task that runs, and what came out of it."""

    def __init__(self, task: PipelineTask) -> None:
        self.task = task
        self.down: list[Frame] = []
        self.up: list[Frame] = []
        self.events: list[str] = []
        self.result: RunResult | None = None
        self.over = anyio.Event()
        task.add_event_handler("on_frame_reached_downstream", self._reached_down)
        task.add_event_handler("on_frame_reached_upstream", self._reached_up)
        for name in ("started", "ended", "stopped", "cancelled", "finished"):
            task.add_event_handler(f"on_pipeline_{name}", self._teller(name))

    async def run(self) -> None:
        try:
            self.result = await self.task.run()
        finally:
            self.over.set()

    async def send(self, *frames: Frame) -> None:
        """Let frames in, and let the processors work until they wait."""
        for frame in frames:
            await self.task.queue_frame(frame)
        await settle()

    async def end(self) -> RunResult:
        """End it in order."""
        await self.task.stop_when_done()
        return await self.wait()

    async def wait(self) -> RunResult:
        await self.over.wait()
        assert self.result is not None
        return self.result

    def texts(self) -> list[str]:
        """The texts of what came out downstream."""
        return texts(self.down)

    def _reached_down(self, task: PipelineTask, frame: Frame) -> None:
        self.down.append(frame)

    def _reached_up(self, task: PipelineTask, frame: Frame) -> None:
        self.up.append(frame)

    def _teller(self, name: str) -> Callable[..., None]:
        def tell(*_: object) -> None:
            self.events.append(name)

        return tell


@asynccontextmanager
async def running(
    *sections: Section, params: PipelineParams | None = None, **options: Any
) -> AsyncIterator[Session]:
    """Run processors while the body is at work; what is left then is cancelled.

    At the end the accounts of every place must be exact.
    """
    task = PipelineTask(Pipeline(sections), params=params, **options)
    session = Session(task)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session.run)
        await settle()
        yield session
        await task.cancel()
    check_accounts(task)


def check_accounts(task: PipelineTask) -> None:
    """Nothing is lost silently: taken = delivered + dropped + refused, and nothing is left."""
    for name, counts in task.statistics().items():
        assert is_exact(counts), f"{name}: {counts}"
        assert counts.queued == 0, f"{name}: {counts}"


def is_exact(counts: QueueStatistics, at_work: int = 0) -> bool:
    gone = counts.delivered + sum(counts.dropped.values()) + sum(counts.refused.values())
    return counts.taken == gone + counts.queued + at_work


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, Word | Note | Alert)]


def words(count: int, prefix: str = "") -> list[Word]:
    return [Word(f"{prefix}{number}") for number in range(count)]
