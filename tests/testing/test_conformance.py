"""Every rule for processors is broken on purpose, and the check names it.

wsframes.testing.conformance, and wsframes.testing.probation below it.
"""

import asyncio
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.to_thread
import pytest
import sniffio
import trio

from wsframes import (
    CancelFrame,
    EndFrame,
    EndReason,
    ErrorFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    HeartbeatFrame,
    InterruptionFrame,
    ParallelPipeline,
    Pipeline,
    StartFrame,
    StopFrame,
    SystemFrame,
    TextFrame,
)
from wsframes.exceptions import UsageError
from wsframes.processors import IdentityFilter, NullFilter
from wsframes.testing import PROCESSOR_RULES, check_processor

DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM

TEXT = TextFrame("a")


class Good(FrameProcessor):
    """Has a lane, works for a while on text, counts what it drops, and uses all hooks."""

    def __init__(self) -> None:
        super().__init__(name="good")
        self.dropped: Counter[str] = Counter()

    async def start(self, frame: StartFrame) -> None:
        await anyio.to_thread.run_sync(lambda: None)
        self.start_soon(anyio.sleep_forever)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            await anyio.sleep(2)
            self.dropped["text"] += 1
        else:
            await self.push_frame(frame, direction)

    async def stop(self, frame: EndFrame) -> None:
        await anyio.sleep(1)

    async def cancel(self, frame: CancelFrame) -> None:
        await anyio.sleep(0.1)

    async def cleanup(self) -> None:
        await anyio.sleep(0.1)


class Slow(FrameProcessor):
    """Passes everything, each frame after most of the time that nothing may move."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not (frame.lifecycle and direction is DOWNSTREAM):
            await anyio.sleep(4)
        await self.push_frame(frame, direction)


class Named(FrameProcessor):
    """The base of those that break a rule: passes everything."""

    def __init__(self) -> None:
        super().__init__(name="bad")

    def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
        self.push_frame_nowait(frame, direction)


async def broken(factory: Any, rule: str, *frames: Frame) -> str:
    with pytest.raises(AssertionError) as caught:
        await check_processor(factory, frames=frames)
    text = str(caught.value)
    assert text.startswith(f"{rule}: ")
    assert text.endswith(PROCESSOR_RULES[rule])
    return text


@pytest.mark.parametrize(
    "factory",
    [
        Good,
        Slow,
        IdentityFilter,
        NullFilter,
        lambda: Pipeline([Good(), NullFilter(), IdentityFilter()]),
        lambda: ParallelPipeline([IdentityFilter()], [NullFilter()], []),
    ],
)
async def test_good_processors_pass(factory: Any) -> None:
    await check_processor(factory, frames=[TEXT, TEXT])


@pytest.mark.socket
async def test_it_works_in_real_time_too() -> None:
    await check_processor(IdentityFilter, frames=[TEXT])


async def test_what_is_no_processor_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot stand in a pipeline"):
        await check_processor(lambda: 1)  # type: ignore[arg-type, return-value]


# --- start, end, cleanup


async def test_start_that_hangs() -> None:
    class Bad(Named):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep_forever()

    assert "bad is stuck" in await broken(Bad, "start")


async def test_start_that_raises() -> None:
    class Bad(Named):
        def start(self, frame: StartFrame) -> None:
            raise LookupError("no key")

    assert "the run ended as error, LookupError('no key')" in await broken(Bad, "start")


async def test_end_that_hangs() -> None:
    class Bad(Named):
        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep_forever()

    assert "bad is stuck" in await broken(Bad, "end")


async def test_end_that_comes_too_early() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                self.end_run(EndReason.CANCELLED)

        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep(1)

    text = await broken(Bad, "end", TEXT)
    assert "the run ended as cancelled, and not as ended" in text


async def test_cleanup_that_hangs() -> None:
    class Bad(Named):
        async def cleanup(self) -> None:
            await anyio.sleep_forever()

    assert "bad is stuck" in await broken(Bad, "cleanup")


async def test_cleanup_that_raises() -> None:
    class Bad(Named):
        def cleanup(self) -> None:
            raise LookupError("no file")

    assert "it failed: LookupError('no file')" in await broken(Bad, "cleanup")


# --- passes, order, accounting


class Dropping(Named):
    drops: ClassVar[tuple[type[Frame], ...]]

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not isinstance(frame, self.drops):
            self.push_frame_nowait(frame, direction)


async def test_frames_lost_silently() -> None:
    class Bad(Dropping):
        drops = (SystemFrame,)

    text = await broken(Bad, "passes")
    assert "_System#" in text
    assert "did not come out downstream, and `dropped` counts 0" in text


async def test_frames_that_move_upstream_lost_silently() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if direction is DOWNSTREAM or frame.lifecycle:
                self.push_frame_nowait(frame, direction)

    assert "did not come out upstream" in await broken(Bad, "passes")


async def test_requests_to_the_run_swallowed() -> None:
    class Bad(Dropping):
        drops = (EndFrame,)

    assert "an EndFrame pushed upstream" in await broken(Bad, "passes")


async def test_heartbeats_dropped() -> None:
    class Bad(Named):
        def __init__(self) -> None:
            super().__init__()
            self.dropped: Counter[str] = Counter()

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, HeartbeatFrame):
                self.dropped["beat"] += 0
            else:
                self.push_frame_nowait(frame, direction)

    assert "a HeartbeatFrame did not come out" in await broken(Bad, "passes")


async def test_frames_doubled() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            self.push_frame_nowait(frame, direction)
            self.push_frame_nowait(frame, direction)

    assert "came out downstream 2 times" in await broken(Bad, "passes")


async def test_frames_copied_under_another_id() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if not frame.lifecycle and not isinstance(frame, HeartbeatFrame):
                frame = frame.replace(id=0)
            self.push_frame_nowait(frame, direction)

    assert "did not come out downstream" in await broken(Bad, "passes")


async def test_order_lost() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if type(frame).__name__ == "_Data":
                self.start_soon(self.push_later, frame, direction)
            else:
                self.push_frame_nowait(frame, direction)

        async def push_later(self, frame: Frame, direction: FrameDirection) -> None:
            await anyio.sleep((frame.id * 7 % 5) / 1000)
            self.push_frame_nowait(frame, direction)

        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep(1)

    assert "DataFrames came out as [" in await broken(Bad, "order")


async def test_counts_that_are_too_high() -> None:
    class Bad(Named):
        def __init__(self) -> None:
            super().__init__()
            self.dropped: Counter[str] = Counter()

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            self.dropped["some"] += 1
            self.push_frame_nowait(frame, direction)

    assert "but 0 did not come out" in await broken(Bad, "accounting")


async def test_counts_of_the_lane_meddled_with() -> None:
    class Bad(Named):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                self._wired().counts.dropped["text"] += 1

    assert "bad has QueueStatistics(" in await broken(Bad, "accounting", TEXT)


# --- raises, errors, interruption, resume


async def test_unknown_frames_raised_on() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if not frame.lifecycle:
                raise LookupError("unknown")

    assert "bad failed on _Data#" in await broken(Bad, "raises")


async def test_known_frames_raised_on() -> None:
    class Bad(Named):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                raise LookupError("no text")
            self.push_frame_nowait(frame, direction)

    await check_processor(Bad)
    assert "bad failed on TextFrame#" in await broken(Bad, "raises", TEXT)


async def test_a_hook_that_raises() -> None:
    class Bad(Named):
        def stop(self, frame: EndFrame) -> None:
            raise LookupError("not yet")

    assert "bad failed on EndFrame#" in await broken(Bad, "raises")


async def test_errors_of_others_swallowed() -> None:
    class Bad(Dropping):
        drops = (ErrorFrame,)

    assert "an ErrorFrame of a processor below it" in await broken(Bad, "errors")


async def test_dead_after_an_interruption() -> None:
    class Bad(Named):
        interrupted = False

        def interrupt(self, frame: InterruptionFrame) -> None:
            self.interrupted = True

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if not self.interrupted:
                self.push_frame_nowait(frame, direction)

    assert "did not come out downstream" in await broken(Bad, "interruption")


async def test_uninterruptible_frames_lost_in_an_interruption() -> None:
    class Bad(Named):
        def __init__(self) -> None:
            super().__init__()
            self.held: list[Frame] = []

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if type(frame).__name__ == "_Uninterruptible" and direction is DOWNSTREAM:
                self.held.append(frame)
            else:
                self.push_frame_nowait(frame, direction)

        def interrupt(self, frame: InterruptionFrame) -> None:
            self.held.clear()

        def stop(self, frame: EndFrame) -> None:
            for held in self.held:
                self.push_frame_nowait(held)

    assert "_Uninterruptible#" in await broken(Bad, "interruption")


async def test_an_interruption_that_raises() -> None:
    class Bad(Named):
        def interrupt(self, frame: InterruptionFrame) -> None:
            raise LookupError("nothing to interrupt")

    assert "bad failed on InterruptionFrame#" in await broken(Bad, "raises")


async def test_a_stop_that_hangs() -> None:
    class Bad(Named):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, StopFrame):
                await anyio.sleep_forever()
            self.push_frame_nowait(frame, direction)

    assert "bad is stuck" in await broken(Bad, "resume")


class StartsOnce(Named):
    starts = 0

    async def start(self, frame: StartFrame) -> None:
        self.starts += 1
        if self.starts > 1:
            await self.start_again()

    async def start_again(self) -> None:
        raise LookupError("started already")


async def test_a_second_start_that_raises() -> None:
    text = await broken(StartsOnce, "resume")
    assert "the run ended as error, LookupError('started already')" in text


async def test_a_second_start_that_hangs() -> None:
    class Bad(StartsOnce):
        async def start_again(self) -> None:
            await anyio.sleep_forever()

    assert "bad is stuck" in await broken(Bad, "resume")


async def test_dead_after_a_stop() -> None:
    class Bad(Named):
        stopped = False

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, StopFrame):
                self.stopped = True
            elif not self.stopped:
                self.push_frame_nowait(frame, direction)

    assert "did not come out downstream" in await broken(Bad, "resume")


# --- cancel, alive


async def test_a_cancel_that_hangs() -> None:
    class Bad(Named):
        async def cancel(self, frame: CancelFrame) -> None:
            await anyio.sleep_forever()

    assert "bad is stuck" in await broken(Bad, "cancel")


async def test_work_that_cannot_be_cancelled() -> None:
    class Bad(Named):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(3)
            self.push_frame_nowait(frame, direction)

    await check_processor(Bad)
    assert "bad is stuck: the run ended as cancelled" in await broken(Bad, "cancel", TEXT)


async def test_work_that_cannot_be_cancelled_from_outside() -> None:
    class Bad(Named):
        """Is told of every end but that of the caller's cancellation.

        Whether `run_result` is decided when its work is cancelled is chance on trio, which
        runs the tasks of a batch in any order.
        """

        told = False

        async def start(self, frame: StartFrame) -> None:
            self.told = False
            self.start_soon(self.work)

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            self.told = isinstance(frame, EndFrame | StopFrame | CancelFrame)
            self.push_frame_nowait(frame, direction)

        async def work(self) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                if not self.told:
                    with anyio.CancelScope(shield=True):
                        await anyio.sleep(3)

    assert "the run was over 3 s after it was cancelled" in await broken(Bad, "cancel")


async def test_tasks_left_alive() -> None:
    release = anyio.Event()
    left: list[asyncio.Task[Any]] = []

    class Bad(Named):
        def start(self, frame: StartFrame) -> None:
            if sniffio.current_async_library() == "trio":
                trio.lowlevel.spawn_system_task(release.wait, name="stray")
            else:
                left.append(asyncio.get_running_loop().create_task(release.wait(), name="stray"))

    assert "task stray left" in await broken(Bad, "alive")
    release.set()
    await asyncio.gather(*left) if left else await anyio.lowlevel.checkpoint()


async def test_threads_left_alive() -> None:
    release = threading.Event()
    left: list[threading.Thread] = []

    class Bad(Named):
        def start(self, frame: StartFrame) -> None:
            thread = threading.Thread(target=release.wait, name="stray")
            left.append(thread)
            thread.start()

    assert "thread stray left" in await broken(Bad, "alive")
    release.set()
    for thread in left:
        thread.join()


async def test_a_processor_for_a_factory_is_named() -> None:
    with pytest.raises(TypeError, match=r"factory has to make a fresh .* `lambda: Good\(\.\.\.\)`"):
        await check_processor(Good())  # type: ignore[arg-type]


def test_every_rule_has_a_violation_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"await broken\(\w+, \"(\w+)\"", source)) == set(PROCESSOR_RULES)
