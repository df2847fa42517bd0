"""A producer that goes on after the end neither keeps the run alive nor the event loop busy."""

import anyio
import pytest

from wsframes import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    Pipeline,
    PipelineTask,
    SystemFrame,
    TextFrame,
)
from wsframes.testing import settle


class Late(FrameProcessor):
    """Lets nothing end before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = anyio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        pass

    async def stop(self, frame: EndFrame) -> None:
        await self.may_end.wait()

    async def cancel(self, frame: CancelFrame) -> None:
        await self.may_end.wait()


@pytest.mark.parametrize("end", [EndFrame(), CancelFrame()])
@pytest.mark.parametrize(
    "refused", [TextFrame("late"), InputAudioRawFrame(b"\0\0", 16000), SystemFrame()]
)
async def test_a_push_that_is_refused_lets_others_run(refused: Frame, end: Frame) -> None:
    """So a loop of pushes that is refused can be cancelled, and holds nobody else up."""
    if isinstance(refused, SystemFrame) and not refused.input_media and isinstance(end, EndFrame):
        return  # passes, so that the user can interrupt the last words
    producer, late = FrameProcessor(), Late()
    task = PipelineTask(Pipeline([producer, late]))
    ran = False

    async def other() -> None:
        nonlocal ran
        ran = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(task.run)
        await settle()
        await task.queue_frame(end.replace())
        await settle()
        tasks.start_soon(other)
        for _ in range(2):  # trio may let this task go first, once
            await producer.push_frame(refused)
        assert ran
        late.may_end.set()
    assert sum(task.statistics()[producer.name].refused.values()) == 2
