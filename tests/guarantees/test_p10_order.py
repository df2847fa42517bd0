"""P10: within a lane order is kept, whatever the frames and the parts of the pipeline are."""

import random
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest

from tests.guarantees.scale import scaled
from wsframes import (
    ControlFrame,
    DataFrame,
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    Pipeline,
    PipelineTask,
    SystemFrame,
    UninterruptibleFrame,
)
from wsframes.frames import Lane
from wsframes.testing import run_virtual

MIXES = scaled(2_000, 1_000_000)
FRAMES = 8
MIXES_PER_RUN = 500


class Data(DataFrame):
    number: int = 0


class Kept(DataFrame, UninterruptibleFrame):
    number: int = 0


class Control(ControlFrame):
    number: int = 0


class System(SystemFrame):
    number: int = 0


KINDS: tuple[Callable[[int], Frame], ...] = (Data, Kept, Control, System)


class Function(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.push_frame_nowait(frame, direction)


class Slow(FrameProcessor):
    """A lane that waits before some frames."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.id % 7 == 0:
            await anyio.lowlevel.checkpoint()
        await self.push_frame(frame, direction)


class Declining(FrameProcessor):
    """Takes some frames at once, and queues the others."""

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        if frame.id % 3:
            return False
        self.push_frame_nowait(frame, direction)
        return True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)


PARTS = (Function, Slow, Declining)


class Sink(FrameProcessor):
    """Counts what comes out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.inversions = 0
        self.seen = 0
        self._last = dict.fromkeys(Lane, -1)

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, Data | Kept | Control | System):
            self.seen += 1
            self.inversions += frame.number <= self._last[frame.lane]
            self._last[frame.lane] = frame.number


async def play(chance: random.Random, mixes: int) -> Sink:
    """Random frames into random parts: some pushed one by one, some in a burst."""
    sink = Sink()
    parts = [chance.choice(PARTS)() for _ in range(chance.randint(1, 4))]
    task = PipelineTask(Pipeline([*parts, sink]))
    numbers = iter(range(mixes * FRAMES))

    async def feed() -> None:
        for _ in range(mixes):
            frames = [chance.choice(KINDS)(next(numbers)) for _ in range(FRAMES)]
            if chance.random() < 0.5:
                await task.queue_frames(frames)
                continue
            for frame in frames:
                await task.queue_frame(frame)
                if chance.random() < 0.2:
                    await anyio.lowlevel.checkpoint()
        await task.queue_frame(EndFrame())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feed)
        await task.run()
    return sink


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_p10_nothing_overtakes_in_a_million_random_mixes(
    backend: str, figure: Callable[[str, str], None]
) -> None:
    chance = random.Random(0)
    seen = inversions = 0
    for _ in range(MIXES // 2 // MIXES_PER_RUN):  # the other half is the other backend's
        sink = run_virtual(play, chance, MIXES_PER_RUN, backend=backend)  # type: ignore[arg-type]
        seen += sink.seen
        inversions += sink.inversions
    figure("P10", f"{inversions} inversions in {MIXES // 2:,} mixes of {FRAMES} on {backend}")
    assert seen == MIXES // 2 * FRAMES
    assert inversions == 0
