"""What cannot be cancelled is broken: `abort` is called when it should have been over."""

import anyio
import pytest

from tests.graph.parts import Function, Lane, Word, running
from tests.graph.test_run import time_of
from wsframes.frames import Frame, FrameDirection, StartFrame
from wsframes.graph import EndReason, Pipeline, PipelineTask, RunResult
from wsframes.testing import settle


class Shields(Lane):
    """Waits for what only `abort` brings."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.broken = anyio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, Word):
            with anyio.CancelScope(shield=True):
                await self.broken.wait()
        await super().process_frame(frame, direction)

    async def abort(self) -> None:
        await anyio.sleep(0.1)
        self.broken.set()


class ShieldsBehind(Shields):
    """Does so in the background."""

    async def start(self, frame: StartFrame) -> None:
        self.start_soon(self.wait)

    async def wait(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.broken.wait()


@pytest.mark.parametrize(("cancelled_s", "over_s"), [(0.2, 0.2 + 0.6 + 0.1), (2.0, 1.0 + 0.1)])
async def test_cancelling_hurries_up_the_breaking(cancelled_s: float, over_s: float) -> None:
    """P2: an end that waits for who cannot be cancelled."""
    async with running(ShieldsBehind("it")) as session:
        begun_s = anyio.current_time()
        await session.task.stop_when_done()
        with anyio.move_on_after(cancelled_s):
            await session.over.wait()
        await session.task.cancel()
        await session.over.wait()
        assert anyio.current_time() - begun_s == pytest.approx(over_s)
        result = await session.wait()
    assert (result.reason, result.stuck) == (EndReason.ENDED, "it")


class FailsToAbort(Function):
    def abort(self) -> None:
        raise LookupError("nothing to break")


async def test_what_cannot_be_cancelled_can_be_broken(caplog: pytest.LogCaptureFixture) -> None:
    """P2: the nearest thing, where something below shields its waiting."""
    async with running(FailsToAbort("bad"), Shields("it")) as session:
        await session.send(Word())
        await session.task.cancel()
        assert await time_of(session.over.wait) == pytest.approx(0.6 + 0.1)
        result = await session.wait()
    assert (result.reason, result.stuck) == (EndReason.CANCELLED, "it")
    assert "bad failed in abort: LookupError('nothing to break')" in caplog.text


class Lingers(Function):
    """Does not let itself be cancelled, and takes a moment for its clean-up."""

    cleaned_up = False

    async def linger(self) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(7)

    async def cleanup(self) -> None:
        await anyio.sleep(0.1)
        self.cleaned_up = True


@pytest.mark.parametrize("by_the_caller", [False, True])
async def test_who_stays_takes_no_time_from_those_who_come_after(by_the_caller: bool) -> None:
    """P4: the end is told, and everything is cleaned up, however long one has held it up."""
    it = Lingers("it")
    task = PipelineTask(Pipeline([it]))
    told: list[RunResult] = []

    async def finished(_: PipelineTask, result: RunResult) -> None:
        await anyio.sleep(0.1)
        told.append(result)

    task.add_event_handler("on_pipeline_finished", finished)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(task.run)
        await settle()
        it.start_soon(it.linger)
        if by_the_caller:
            tasks.cancel_scope.cancel()
        else:
            await task.cancel()
    assert it.cleaned_up
    assert [result.stuck for result in told] == ["it"]
