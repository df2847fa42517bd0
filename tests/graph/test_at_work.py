"""Whose work it is that pushes while an interruption is under way."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from tests.graph.parts import Lane, Note, Word, running
from wsframes.frames import Frame, InterruptionFrame
from wsframes.testing import settle


class Speaks(Lane):
    """The first word of `old` makes it work in tasks of its own, until it is interrupted."""

    def __init__(self, child: Callable[["Speaks"], Coroutine[Any, Any, None]]) -> None:
        super().__init__("it", self._work)
        self.child = child
        self.go_on = anyio.Event()

    async def _work(self, frame: Frame) -> None:
        if isinstance(frame, Word):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.child, self)
                await anyio.sleep_forever()


async def pushes(it: Speaks) -> None:
    await it.go_on.wait()
    await it.push_frame(Word("old"))


async def pushes_at_its_end(it: Speaks) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        it.push_frame_nowait(Word("old"))


async def pushes_from_a_grandchild(it: Speaks) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pushes_at_its_end, it)


async def pushes_from_a_shield(it: Speaks) -> None:
    with anyio.CancelScope(shield=True):
        await pushes(it)


@pytest.mark.parametrize(
    "child", [pushes, pushes_at_its_end, pushes_from_a_grandchild, pushes_from_a_shield]
)
async def test_what_a_child_of_interrupted_work_pushes_is_old(child: Any) -> None:
    it = Speaks(child)
    async with running(it) as session:
        for _ in range(2):  # the second time in a new scope
            await session.send(Word("say"))
            it.go_on.set()
            await session.task.queue_frame(InterruptionFrame())
            await settle()
            it.go_on = anyio.Event()
        await session.send(Note("kept"))
        assert session.texts() == ["kept"]
    assert session.task.statistics()["it"].dropped == {"interrupted": 4}


async def test_background_work_and_handlers_that_old_work_began_are_not_old() -> None:
    async def wait_and_push(text: str) -> None:
        await told.wait()
        it.push_frame_nowait(Word(text))

    async def begin(it: Speaks) -> None:
        it.start_soon(wait_and_push, "in the background")
        it.emit("on_begin")
        with anyio.CancelScope(shield=True):
            await anyio.sleep(10)

    async def handle(it: Any) -> None:
        await wait_and_push("in a handler")

    told = anyio.Event()
    it = Speaks(begin)
    it.register_event("on_begin")
    it.add_event_handler("on_begin", handle)
    async with running(it) as session:
        await session.send(Word("say"))
        await session.send(InterruptionFrame())
        told.set()
        await settle()
        assert sorted(session.texts()) == ["in a handler", "in the background"]
        await anyio.sleep(11)
    assert session.task.statistics()["it"].dropped == {"interrupted": 1}
