"""The place of a processor that may wait, and its two workers."""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.graph.parts import (
    DOWN,
    UP,
    Alert,
    Function,
    Lane,
    Media,
    Note,
    Word,
    check_accounts,
    is_exact,
    running,
    texts,
    words,
)
from tests.graph.test_failures import stray_cancellation
from tests.graph.test_function import errors
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from wsframes.graph import (
    EndReason,
    FrameProcessor,
    ParallelPipeline,
    Pipeline,
    PipelineParams,
    PipelineTask,
    QueueLimits,
    RunResult,
)
from wsframes.testing import settle


class AsyncHooks(Lane):
    """Every hook may wait; one of them does, for a second."""

    def __init__(self, name: str, slow: str = "", wait: Callable[[], Any] | None = None) -> None:
        super().__init__(name)
        self.slow = slow
        self.wait = wait or (lambda: anyio.sleep(1))

    async def hook(self, name: str) -> None:
        if name == self.slow:
            await self.wait()

    async def start(self, frame: StartFrame) -> None:
        super().start(frame)
        await self.hook("start")

    async def stop(self, frame: EndFrame) -> None:
        super().stop(frame)
        await self.hook("stop")

    async def cancel(self, frame: CancelFrame) -> None:
        super().cancel(frame)
        await self.hook("cancel")


# What makes a lane of a processor.


async def test_one_async_hook_makes_a_lane_of_a_function() -> None:
    class Waits(Function):
        async def start(self, frame: StartFrame) -> None:
            super().start(frame)
            await anyio.sleep(1)

    it = Waits("it")
    async with running(it) as session:
        await session.send(Word("a"))
        assert it.seen == []
        await anyio.sleep(1.5)
        assert session.texts() == ["a"]
        await session.end()
    assert it.calls == ["start", "stop", "cleanup"]


async def test_a_lane_that_overrides_no_process_frame_passes_all_both_ways() -> None:
    class Waits(FrameProcessor):
        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep(1)

    async with running(Waits()) as session:
        await session.send(Word("a"), Alert("b"))
        await session.send(InterruptionFrame())
        session.task._send(Word("c"), UP)
        session.task._send(EndFrame(), UP)
        assert (await session.wait()).reason is EndReason.ENDED
        assert sorted(session.texts()) == ["a", "b"]
        assert texts(session.up) == ["c"]


# Start.


async def test_a_start_that_waits_holds_everything_back_but_the_cancellation() -> None:
    it, below = AsyncHooks("it", "start"), Function()
    async with running(it, below) as session:
        await session.send(Word("a"), Alert("b"))
        await session.task.stop_when_done()
        assert below.seen == []
        await session.wait()
        assert sorted(session.texts()) == ["a", "b"]
        assert isinstance(below.seen[0], StartFrame)


async def test_a_cancellation_during_the_start_cancels_it() -> None:
    it, below = AsyncHooks("it", "start", anyio.sleep_forever), Function()
    async with running(it, below) as session:
        await session.send(Word(), Alert())
        await session.task.cancel()
        assert (await session.wait()).reason is EndReason.CANCELLED
    assert it.calls == ["start", "cancel", "cleanup"]
    assert below.calls == ["cleanup"], "it was never started"
    assert session.task.statistics()["it"].dropped == {"cancelled": 2}


async def test_a_cancellation_before_the_start_has_begun_is_not_told() -> None:
    it = AsyncHooks("it")
    above = Function()

    def end_it(frame: StartFrame) -> None:
        above.end_run(EndReason.CANCELLED)

    above.start = end_it  # type: ignore[method-assign]
    async with running(above, it) as session:
        assert (await session.wait()).reason is EndReason.CANCELLED
    assert it.calls == ["cleanup"]


async def test_an_interruption_during_the_start_drops_what_waits_and_is_not_told() -> None:
    class Greets(AsyncHooks):
        async def start(self, frame: StartFrame) -> None:
            self.push_frame_nowait(Word("held"))
            self.push_frame_nowait(Note("kept"))
            await super().start(frame)

    it, below = Greets("it", "start"), Function()
    async with running(it, below) as session:
        await session.send(Word("queued"), Note("also kept"), Alert("urgent"))
        await session.send(InterruptionFrame())
        assert it.calls == ["start"]
        await session.end()
        assert sorted(session.texts()) == ["also kept", "kept", "urgent"]
    assert it.calls == ["start", "stop", "cleanup"]
    assert below.calls == ["start", "stop", "cleanup"]
    assert session.task.statistics()["it"].dropped == {"interrupted": 2}


async def test_frames_that_start_pushes_are_held_and_bounded() -> None:
    class Floods(AsyncHooks):
        async def start(self, frame: StartFrame) -> None:
            for word in words(1025):
                self.push_frame_nowait(word)
            await anyio.sleep(1)

    async with running(Floods("it")) as session:
        result = await session.wait()
    assert result.reason is EndReason.OVERLOAD
    assert result.error == "it pushed more than 1024 frames before its start was over"
    counts = session.task.statistics()["it"]
    assert counts.dropped == {"cancelled": 1024}
    assert counts.refused == {"overload": 1}


async def test_a_start_frame_that_is_pushed_by_habit_is_not_held() -> None:
    async with running(Lane("it")) as session:
        await session.send(Word())
        await session.end()
    assert session.task.statistics()["it"].taken == 2, "the word and the end"


@pytest.mark.parametrize("stray", [False, True])
async def test_a_start_that_raises_ends_the_run(stray: bool) -> None:
    error = await stray_cancellation() if stray else LookupError()

    async def fail() -> None:
        raise error

    async with running(AsyncHooks("it", "start", fail)) as session:
        result = await session.wait()
        assert len(errors(session.up)) == 1
    assert result.reason is EndReason.ERROR
    assert result.error is error


async def test_a_second_start_frame_means_nothing() -> None:
    it, below = Lane("it"), Function()
    async with running(Function(), it, below) as session:
        await session.send(StartFrame(), Word("a"))
        assert session.texts() == ["a"]
        await session.end()
        assert session.events == ["started", "ended", "finished"]
    assert it.calls == below.calls == ["start", "stop", "cleanup"]


# Errors.


@pytest.mark.parametrize("kind", [Word, Alert])
async def test_a_stray_cancellation_does_not_kill_a_lane(kind: type[Frame]) -> None:
    stray = await stray_cancellation()

    async def handle(frame: Frame) -> None:
        if isinstance(frame, kind):
            raise stray

    async with running(Lane("it", handle)) as session:
        await session.send(kind(), Note("goes on"))
        assert session.texts() == ["goes on"]
        assert len(errors(session.up)) == 1
    assert session.task.statistics()["it"].dropped == {"error": 1}


@pytest.mark.parametrize("kind", [Word, Alert, InterruptionFrame, EndFrame, StartFrame])
async def test_what_is_no_exception_comes_out_of_run_as_it_is(kind: type[Frame]) -> None:
    class Halt(BaseException):
        """As the end of the process is; but that one would end the event loop of the test."""

    class Halts(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, kind):
                raise Halt

    task = PipelineTask(Pipeline([Halts(), it := Function()]))
    finished: list[RunResult] = []
    task.add_event_handler("on_pipeline_finished", lambda task, result: finished.append(result))
    task.add_event_handler("on_pipeline_started", lambda task, frame: task.queue_frame(kind()))
    with pytest.raises(Halt) as caught:
        await task.run()
    assert task.has_finished()
    assert finished[0].reason is EndReason.ERROR
    assert finished[0].error is caught.value
    assert it.calls[-1] == "cleanup"
    check_accounts(task)


@pytest.mark.parametrize("hook", ["stop", "cancel"])
async def test_a_hook_that_raises_is_told_and_the_frame_goes_on(hook: str) -> None:
    async def fail() -> None:
        raise LookupError(hook)

    it, below = AsyncHooks("it", hook, fail), Function()
    async with running(it, below) as session:
        if hook == "cancel":
            await session.task.cancel()
        else:
            await session.task.stop_when_done()
        result = await session.wait()
    assert result.reason is (EndReason.ENDED if hook == "stop" else EndReason.CANCELLED)
    assert below.calls == ["start", hook, "cleanup"]


@pytest.mark.parametrize("wrong", ["raises", "waits"])
async def test_an_interrupt_hook_that_raises_or_waits_is_told(wrong: str) -> None:
    async def later() -> None:
        """Never runs."""

    def interrupt(frame: InterruptionFrame) -> Any:
        if wrong == "raises":
            raise LookupError
        return later()

    it = Lane("it")
    it.interrupt = interrupt  # type: ignore[method-assign]
    async with running(it) as session:
        await session.send(InterruptionFrame(), Word("goes on"))
        assert session.texts() == ["goes on"]
        assert len(errors(session.up)) == 1


async def test_what_ends_the_process_comes_out_of_an_interrupt_hook() -> None:
    def interrupt(frame: InterruptionFrame) -> Any:
        raise KeyboardInterrupt

    it = Lane("it")
    it.interrupt = interrupt  # type: ignore[method-assign]
    async with running(it) as session:
        with pytest.raises(KeyboardInterrupt):
            await session.task.queue_frame(InterruptionFrame())


async def test_a_frame_whose_size_cannot_be_told_is_an_error() -> None:
    class Broken(Word):
        @property
        def payload_bytes(self) -> int:
            raise LookupError

    async with running(Lane("it")) as session:
        await session.send(Broken(), Word("goes on"))
        assert session.texts() == ["goes on"]
        assert len(errors(session.up)) == 1
    assert session.task.statistics()["it"].dropped == {"error": 1}


# Interruption.


async def test_interruptions_that_come_faster_than_they_are_looked_at_are_all_acted_on() -> None:
    gate = anyio.Event()

    class Slow(Lane):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)
            if isinstance(frame, InterruptionFrame):
                await gate.wait()

    it, below = Slow("it"), Function()
    async with running(it, below) as session:
        await settle()
        for _ in range(30):
            await session.task.queue_frame(InterruptionFrame())
        await settle()
        assert it.calls.count("interrupt") == below.calls.count("interrupt") == 30
        gate.set()
        await settle()
        assert sum(isinstance(frame, InterruptionFrame) for frame in it.seen) == 16
    counts = session.task.statistics()["it"]
    assert counts.dropped == {"full": 14}
    assert is_exact(counts)


async def test_an_interruption_upstream_interrupts_what_is_above() -> None:
    lane = Lane("lane", lambda frame: anyio.sleep(10))
    above, below = Function(), Function()
    async with running(above, lane, below) as session:
        await session.send(Word(), Word())
        below.push_frame_nowait(InterruptionFrame(), UP)
        await settle()
        assert above.calls == ["start", "interrupt"]
        assert lane.calls == ["start", "interrupt"]
        assert below.calls == ["start"]
        assert any(isinstance(frame, InterruptionFrame) for frame in session.up)
    assert session.task.statistics()["lane"].dropped == {"interrupted": 2}


async def test_an_interruption_pushed_by_the_work_that_it_interrupts() -> None:
    class Barges(Lane):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                await self.push_frame(Alert(), UP)
                await self.push_frame(Word("old"))
                await anyio.lowlevel.checkpoint()
                raise AssertionError("it is cancelled here")
            await super().process_frame(frame, direction)

    class Reflects(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Alert):
                self.push_frame_nowait(InterruptionFrame())
            else:
                super().process_frame(frame, direction)

    async with running(Reflects(), Barges("it")) as session:
        await session.send(Word(), Note("next"))
        assert session.texts() == ["next"]
    assert session.task.statistics()["it"].dropped == {"interrupted": 2}


async def test_background_work_and_system_frames_push_through_an_interruption() -> None:
    class Works(Lane):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(10)
            await super().process_frame(frame, direction)

        async def work(self) -> None:
            await anyio.sleep(5)
            await self.push_frame(Word("new"))

    it = Works("it")
    async with running(it) as session:
        it.start_soon(it.work)
        await session.send(Word("old"))
        await session.send(InterruptionFrame(), Alert("beside it"))
        assert session.texts() == ["beside it"]
        await anyio.sleep(6)
        assert session.texts() == ["beside it", "new"]
        await anyio.sleep(6)
        assert session.texts() == ["beside it", "new"]
    assert session.task.statistics()["it"].dropped == {"interrupted": 1}
    assert session.task.statistics()["it"].delivered == 2, "the old word came to its end"


# The end.


async def test_an_end_waits_for_the_system_frames_before_it() -> None:
    it = Lane("it", lambda frame: anyio.sleep(1))
    async with running(it) as session:
        await session.send(Alert("a"), Alert("b"))
        await session.end()
        assert session.texts() == ["a", "b"]
        assert isinstance(session.down[-1], EndFrame)


async def test_a_system_frame_wakes_nobody_who_has_nothing_to_do() -> None:
    it = Lane("it")
    async with running(it) as session:
        await session.send(Word("ordered"))
        node: Any = it._node
        asleep = node._ordered.asleep
        await session.send(Alert("system"))
        assert session.texts() == ["ordered", "system"]
        assert asleep is not None
        assert node._ordered.asleep is asleep


async def test_what_comes_behind_the_end_goes_the_way_of_what_comes_after_it() -> None:
    it = AsyncHooks("it", "stop")
    above, below = Function("above"), Function()
    async with running(above, it, below, Lane("slow", lambda frame: anyio.sleep(3))) as session:
        await session.send(Word())
        await session.task.stop_when_done()
        await settle()
        below.push_frame_nowait(Note("queued, up"), UP)
        below.push_frame_nowait(Alert("urgent, up"), UP)
        it._node.receive(Word("queued, down"), DOWN)  # type: ignore[union-attr]
        await anyio.sleep(1)
        below.push_frame_nowait(Note("after, up"), UP)
        await session.wait()
        assert texts(session.up) == ["urgent, up", "queued, up", "after, up"]
    assert it.texts() == ["", "urgent, up"]
    counts = session.task.statistics()["it"]
    assert counts.dropped == {"ended": 1}


async def test_system_frames_that_the_end_overtook_pass_the_processor() -> None:
    async def handle(frame: Frame) -> None:
        if isinstance(frame, Alert):
            await anyio.sleep(2)

    it = AsyncHooks("it", "stop")
    it.handle = handle
    slow = Lane("slow", lambda frame: anyio.sleep(10))
    async with running(it, slow) as session:
        await session.send(Word())
        await session.task.stop_when_done()
        await settle()
        for text in ("at work", "queued", "queued too"):
            session.task._send(Alert(text))
        await session.wait()
    assert it.texts() == ["", "at work"]
    assert slow.texts() == ["", "queued", "queued too"] or "at work" in slow.texts()
    assert session.task.statistics()["it"].delivered == 5


async def test_an_end_that_a_processor_pushes_ends_what_is_below_and_then_the_run() -> None:
    class Ends(Lane):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)
            if isinstance(frame, Word):
                self.push_frame_nowait(EndFrame())
                self.push_frame_nowait(Word("too late"))

    above, below = Function(), Lane("below")
    async with running(above, Ends("it"), below) as session:
        await session.send(Word("last"))
        assert (await session.wait()).reason is EndReason.ENDED
        assert session.texts() == ["last"]
    assert below.calls == ["start", "stop", "cleanup"]
    assert above.calls == ["start", "cleanup"]
    assert session.task.statistics()["below"].dropped == {"ended": 1}


async def test_a_second_end_passes_a_lane_that_has_had_one() -> None:
    slow = Lane("slow", lambda frame: anyio.sleep(3))
    it = Lane("it")
    async with running(it, slow) as session:
        await session.send(Word())
        await session.task.stop_when_done()
        await settle()
        it._node.lifecycle(EndFrame(), DOWN)  # type: ignore[union-attr]
        assert (await session.wait()).reason is EndReason.ENDED


async def test_a_second_end_behind_the_first_one_holds_nothing_up() -> None:
    class HangsUp(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                self.push_frame_nowait(EndFrame())
                self.push_frame_nowait(EndFrame())

    lane = Lane("lane", lambda frame: anyio.sleep(1))
    async with running(ParallelPipeline([HangsUp("hangs up"), lane], [])) as session:
        await session.send(Word("bye"))
        assert lane.calls == ["start", "stop"]
        for _ in range(3):  # the other branch goes on, longer than an end may stall
            await anyio.sleep(3)
            await session.send(Note("still here"))
        assert session.texts() == ["bye", *["still here"] * 3]
        assert (await session.end()).reason is EndReason.ENDED
    assert session.task.statistics()["lane"].dropped == {"ended": 1}


async def test_a_cancellation_during_the_end_cancels_it() -> None:
    it = AsyncHooks("it", "stop", anyio.sleep_forever)
    below = Function()
    async with running(it, below) as session:
        await session.task.stop_when_done()
        await settle()
        await session.task.cancel()
        result = await session.wait()
    assert result.reason is EndReason.CANCELLED
    assert it.calls == ["start", "stop", "cancel", "cleanup"]
    assert below.calls == ["start", "cancel", "cleanup"]
    assert session.task.statistics()["it"].dropped == {"cancelled": 1}


async def test_an_end_that_resists_its_cancellation_does_not_go_on_after_it() -> None:
    class Resists(AsyncHooks):
        async def stop(self, frame: EndFrame) -> None:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.3)

    below = Function()
    async with running(Resists("it"), below) as session:
        await session.task.stop_when_done()
        await settle()
        await session.task.cancel()
        await session.wait()
        assert not any(isinstance(frame, EndFrame) for frame in session.down)
    assert below.calls == ["start", "cancel", "cleanup"]


async def test_a_stopped_lane_is_told_of_a_cancellation() -> None:
    it = Lane("it")
    async with running(it, Lane("slow", lambda frame: anyio.sleep(3))) as session:
        await session.send(Word())
        await session.task.stop()
        await settle()
        await session.task.cancel()
        await session.wait()
    assert it.calls == ["start", "cancel", "cleanup"]
    assert [type(frame) for frame in it.seen] == [StartFrame, Word, StopFrame, CancelFrame]


# Cancellation.


async def test_a_cancellation_overtakes_what_waits_and_is_told_once() -> None:
    it = AsyncHooks("it")
    it.handle = lambda frame: anyio.sleep(5)
    async with running(it) as session:
        await session.send(*words(10), Alert(), Alert())
        it.push_frame_nowait(CancelFrame())
        await session.wait()
    assert it.calls == ["start", "cancel", "cleanup"]
    assert session.task.statistics()["it"].dropped == {"cancelled": 12}


async def test_a_cancel_frame_that_a_processor_pushes_is_told_once_to_those_below() -> None:
    it = Function()
    below = AsyncHooks("below", "cancel", lambda: anyio.sleep(0.1))
    above = Lane("above")
    async with running(above, it, below) as session:
        it.push_frame_nowait(CancelFrame())
        assert (await session.wait()).reason is EndReason.CANCELLED
    assert below.calls == ["start", "cancel", "cleanup"]
    assert above.calls == ["start", "cancel", "cleanup"]


async def test_a_cancel_frame_upstream_waits_for_nobody() -> None:
    stuck = Lane("stuck", lambda frame: anyio.sleep_forever())
    below = Function()
    async with running(stuck, below) as session:
        await session.send(Alert(), Word())
        below.push_frame_nowait(CancelFrame(), UP)
        begun_s = anyio.current_time()
        assert (await session.wait()).reason is EndReason.CANCELLED
        assert anyio.current_time() - begun_s < 1


async def test_what_is_pushed_by_habit_after_the_cancellation_is_in_no_count() -> None:
    it = Lane("it")
    async with running(it) as session:
        await session.task.cancel()
        await session.wait()
    assert isinstance(it.seen[-1], CancelFrame)
    assert session.task.statistics()["it"].refused == {}


async def test_producers_that_wait_for_room_are_released_by_a_cancellation() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)

    async with running(Small("it", lambda frame: anyio.sleep_forever())) as session:
        async with anyio.create_task_group() as tasks:
            for kind in (Word, Word, Word, Word, Media, Media, Media, Media):
                tasks.start_soon(session.task.queue_frame, kind())
            await settle()
            await session.task.cancel()
        await session.wait()


async def test_producers_that_wait_for_room_are_released_when_the_run_is_over() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)

    async with running(Small("it", lambda frame: anyio.sleep_forever())) as session:
        async with anyio.create_task_group() as tasks:
            for word in words(4):
                tasks.start_soon(session.task.queue_frame, word)
            await settle()
            # Not by a CancelFrame: the caller of run is cancelled.
            session.task._run.context._task_group.cancel_scope.cancel()  # type: ignore[union-attr]
        await session.over.wait()


# process_frame_nowait.


class Ready(Lane):
    """Deals with alerts and ready words at once."""

    def __init__(self, name: str, handle: Callable[[Frame], Any] | None = None) -> None:
        super().__init__(name, handle)
        self.at_once: list[str] = []

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        if isinstance(frame, Word | Alert) and frame.text.startswith("ready"):
            self.at_once.append(frame.text)
            self.push_frame_nowait(frame, direction)
            return True
        if isinstance(frame, Word) and frame.text == "bad":
            raise LookupError
        return False


async def test_a_frame_that_the_lane_deals_with_at_once_needs_no_worker() -> None:
    it = Ready("it")
    async with running(it) as session:
        it_is_done = len(session.down)
        session.task._send(Word("ready 1"))
        session.task._send(Alert("ready 2"))
        assert it.at_once == ["ready 1", "ready 2"]
        session.task._send(Word("not"))
        await settle()
        assert session.texts() == ["ready 1", "ready 2", "not"]
        assert len(session.down) == it_is_done + 3
    assert session.task.statistics()["it"].delivered == 3


async def test_it_is_not_asked_out_of_turn() -> None:
    it = Ready("it", lambda frame: anyio.sleep(1))
    async with running(it) as session:
        await session.send(Word("slow"))
        await session.send(Word("ready, but one is at work"))
        await session.send(Alert("slow alert"))
        await session.send(Alert("ready, but an alert is at work"))
        assert it.at_once == []
        await anyio.sleep(5)
        await session.send(InterruptionFrame())
        session.task._send(InterruptionFrame())
        session.task._send(Alert("ready, but an interruption is to be shown"))
        assert it.at_once == []
        await session.end()
        order = [text for text in session.texts() if "alert" not in text]
        assert order[:2] == ["slow", "ready, but one is at work"]


async def test_what_it_raises_at_once_is_an_error_as_any_other() -> None:
    async with running(Ready("it")) as session:
        await session.send(Word("bad"), Word("ready"))
        assert session.texts() == ["ready"]
        assert len(errors(session.up)) == 1
    assert session.task.statistics()["it"].dropped == {"error": 1}


async def test_it_is_not_asked_before_the_start_nor_after_the_end() -> None:
    class Slow(Ready):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep(1)

    it = Slow("it")
    async with running(it, Lane("slow", lambda frame: anyio.sleep(1))) as session:
        await session.send(Word("ready"))
        assert it.at_once == []
        await anyio.sleep(1.5)
        assert it.texts() == ["ready"], "it went into the queue"
        await session.task.stop_when_done()
        await settle()
        await session.send(Alert("ready"))
        assert it.at_once == []


# Fairness, and rooms.


async def test_a_lane_that_never_waits_lets_others_run() -> None:
    ran = 0

    async def tick() -> None:
        nonlocal ran
        while True:
            ran += 1
            await anyio.lowlevel.checkpoint()

    class Wide(Lane):
        queue_limits = QueueLimits(max_frames=10_000)

    async with running(Wide("it")) as session:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            await settle()
            before = ran
            for kind in (Word, Alert):
                for _ in range(1000):
                    session.task._send(kind())
            await settle()
            assert ran - before > 14
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("kind", [Word, Alert])
async def test_a_lane_that_takes_no_more_ends_the_run(kind: type[Frame]) -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)

    async with running(Small("it", lambda frame: anyio.sleep_forever())) as session:
        await session.send(kind())
        for _ in range(33):
            session.task._send(kind())
        result = await session.wait()
    assert result.reason is EndReason.OVERLOAD
    assert result.error == f"the {kind.lane.value} queue of it is full"
    assert result.stuck == "it"


async def test_only_media_are_held_up_by_what_a_system_frame_leads_to() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)

    class Multiplies(FrameProcessor):
        done = 0

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if not frame.lifecycle:
                for _ in range(4):
                    await self.push_frame(Word())
                self.done += 1

    it = Multiplies()
    async with running(it, Small("small", lambda frame: anyio.sleep_forever())) as session:
        await session.send(Alert())
        assert it.done == 1
        await session.send(Media())
        assert it.done == 1
        session.task._send(Word())
        await settle()
        assert it.done == 1, "an ordered frame is held up as well"


async def test_other_system_frames_do_not_wait_for_room() -> None:
    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)

    async with running(Small("it", lambda frame: anyio.sleep_forever())) as session:
        with anyio.fail_after(1):
            await session.task.queue_frames(Alert() for _ in range(10))


async def test_an_interruption_passes_a_lane_that_has_ended() -> None:
    it, last = Lane("it"), Lane("last", lambda frame: anyio.sleep(3))
    async with running(it, last) as session:
        await session.send(Note())
        await session.task.stop_when_done()
        await settle()
        await session.send(InterruptionFrame())
        assert (await session.wait()).reason is EndReason.ENDED
    assert it.calls == ["start", "stop", "cleanup"]
    assert last.calls == ["start", "interrupt", "stop", "cleanup"]


async def test_super_may_be_awaited_by_habit() -> None:
    class FromPipecat(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)
            await self.push_frame(frame, direction)

    async with running(FromPipecat()) as session:
        await session.send(Word("a"))
        assert session.texts() == ["a"]


async def test_a_lane_that_its_own_push_comes_back_to_does_not_wait_for_itself() -> None:
    class OneWay(Function):
        """Lets no notes down."""

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if not isinstance(frame, Note) or direction is UP:
                super().process_frame(frame, direction)

    class Bounces(Function):
        """Sends notes that come one way back the other way."""

        def __init__(self, takes: FrameDirection) -> None:
            super().__init__()
            self.takes = takes

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Note) and direction is self.takes:
                self.push_frame_nowait(Note(), UP if direction is DOWN else DOWN)
            else:
                super().process_frame(frame, direction)

    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)
        pushed = 0

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                for _ in range(5):
                    await self.push_frame(Note())
                    self.pushed += 1

    # Down out of the lane, up through the other branch, and down into the lane again: by
    # functions alone, so that it is one push.
    it = Small("it")
    parallel = ParallelPipeline([it], [OneWay()])
    async with running(Bounces(UP), parallel, Bounces(DOWN)) as session:
        await session.send(Word())
        assert it.pushed == 5
        assert session.task.statistics()["it"].taken == 11, "a word, and each note both ways"


async def test_a_lane_whose_task_is_cancelled_by_a_stranger_ends_the_run() -> None:
    stray = await stray_cancellation()
    it = Lane("it")
    async with running(it) as session:
        await session.send(Word())
        node: Any = it._node

        queue = node._mailbox.ordered
        sound = type(queue)

        def settle(_: object) -> None:
            queue.__class__ = sound
            raise stray

        queue.__class__ = type("Broken", (sound,), {"settle": settle, "__slots__": ()})
        queue.full = True
        await session.send(Word())
        result = await session.wait()
    assert result.reason is EndReason.ERROR
    assert result.stuck == "it"


async def test_the_deadline_of_the_start_names_the_processor() -> None:
    params = PipelineParams(start_timeout=2)
    it = AsyncHooks("it", "start", anyio.sleep_forever)
    async with running(Lane("fine"), it, Lane("after"), params=params) as session:
        begun_s = anyio.current_time()
        result = await session.wait()
        assert anyio.current_time() - begun_s < 3.1
    assert result.reason is EndReason.ERROR
    assert result.stuck == "it"
    assert isinstance(result.error, TimeoutError)
    assert str(result.error) == "it did not start within 2.0 s"
