"""A place of the graph made by hand, for what stands between places."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.dispatcher import Receive, Target
from wsframes.graph.events import EventQueue
from wsframes.graph.links import Links, Neighbour
from wsframes.graph.mailbox import Counts


@asynccontextmanager
async def a_run() -> AsyncIterator[RunContext]:
    """A run that nothing has been started in."""
    async with anyio.create_task_group() as tasks:
        yield RunContext(tasks, EventQueue(tasks, 5.0, lambda *_: None))


class Spot:
    """Notes what gets to it and what is pushed from it, and passes nothing on."""

    call: Receive | None = None
    put: Receive | None = None

    def __init__(self, context: RunContext, name: str, prev: "Spot | None" = None) -> None:
        self.context = context
        self.name = name
        self.taken = 0
        self.counts = Counts()
        self.links = Links(context, self)
        self.down: Target = self
        self.received: list[Frame] = []
        self.moved: list[Frame] = []
        self.pushed: list[Frame] = []
        self.failed: list[tuple[Frame, Neighbour | None]] = []
        if prev is not None:
            self.links.prev = prev
            prev.links.next = self

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        self.received.append(frame)

    def lifecycle(self, frame: Frame, direction: FrameDirection) -> None:
        self.moved.append(frame)

    def push(self, frame: Frame, direction: FrameDirection) -> None:
        self.pushed.append(frame)

    def refuse(self, reason: str) -> None:
        self.taken += 1
        self.counts.refused[reason] += 1

    def returned(self, result: Any) -> None:
        raise AssertionError("nothing is called here")

    def fail(self, frame: Frame, direction: FrameDirection, exc: BaseException) -> None:
        raise AssertionError("a gate knows who pushed")

    def drop_failed(self, frame: Frame, exc: BaseException, pusher: Neighbour | None) -> None:
        self.failed.append((frame, pusher))
