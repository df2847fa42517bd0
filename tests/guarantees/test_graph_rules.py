"""The eight rules of functions and lanes, each on both backends."""

import anyio
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
    is_exact,
    running,
    texts,
    words,
)
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    StartFrame,
)
from wsframes.graph import EndReason, FrameProcessor, PipelineParams, QueueLimits
from wsframes.testing import settle


class Small(Lane):
    """A lane that is full soon."""

    queue_limits = QueueLimits(max_frames=4)


# 1. push_frame_nowait: through functions at once, into a lane's mailbox otherwise.


async def test_rule_1_functions_have_run_when_push_frame_nowait_returns() -> None:
    first, second, third = Function(), Function(), Function()
    async with running(first, second, third):
        word = Word("a")
        first.push_frame_nowait(word)
        assert second.seen[-1] is third.seen[-1] is word
        third.push_frame_nowait(back := Word("b"), UP)
        assert second.seen[-1] is first.seen[-1] is back


async def test_rule_1_a_lane_gets_the_frame_into_its_queue_and_no_coroutine_is_called() -> None:
    first, lane = Function(), Lane("lane")
    async with running(first, lane) as session:
        first.push_frame_nowait(Word("a"))
        assert lane.texts() == []
        assert session.task.statistics()["lane"].queued == 1
        await settle()
        assert lane.texts() == ["a"]


# 2. push_frame: the same, then wait while a lane that it reached is over its high-water mark.


async def flood(
    source: FrameProcessor, frames: list[Frame], direction: FrameDirection = DOWN
) -> list[Frame]:
    """Push until a push waits; the frames whose push has returned."""
    pushed = []
    with anyio.move_on_after(1):
        for frame in frames:
            await source.push_frame(frame, direction)
            pushed.append(frame)
    return pushed


@pytest.mark.parametrize("kind", [Word, Note, Media])
async def test_rule_2_ordered_frames_and_media_wait_while_a_lane_is_full(
    kind: type[Frame],
) -> None:
    release = anyio.Event()
    source = Function()
    lane = Small("lane", lambda frame: release.wait())
    async with running(source, Function(), lane) as session:
        frames = [kind() for _ in range(20)]
        pushed = await flood(source, frames)
        # The fourth fills the queue, and its push waits until it has fallen to half.
        assert pushed == frames[:3]
        assert session.task.statistics()["lane"].queued == 3, "and one is at work"
        release.set()
        await settle()
        # The frame was in the queue before the wait began: giving it up has lost nothing.
        assert lane.done[1:] == frames[:4]


async def test_rule_2_other_system_frames_never_wait() -> None:
    source = Function()
    lane = Small("lane", lambda frame: anyio.sleep_forever())
    async with running(source, lane):
        alerts: list[Frame] = [Alert(str(number)) for number in range(20)]
        assert await flood(source, alerts) == alerts


async def test_rule_2_a_push_made_while_a_system_frame_is_handled_does_not_wait() -> None:
    class Splitter(FrameProcessor):
        done = 0

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Alert | Media):
                for word in words(20):
                    await self.push_frame(word)
                self.done += 1

    splitter = Splitter()
    stuck = Small("lane", lambda frame: anyio.sleep_forever())
    async with running(splitter, stuck) as session:
        await session.send(Alert())
        await anyio.sleep(1)
        assert splitter.done == 1
        await session.send(Media())  # media are handled in bulk: what they cause does wait
        await anyio.sleep(1)
        assert splitter.done == 1


async def test_rule_2_an_interruption_releases_those_that_wait() -> None:
    source = Function()
    lane = Small("lane", lambda frame: anyio.sleep_forever())
    async with running(source, lane) as session:
        async with anyio.create_task_group() as tasks:
            for word in words(8):
                tasks.start_soon(source.push_frame, word)
            await settle()
            assert session.task.statistics()["lane"].queued == 7
            await session.send(InterruptionFrame())
        assert session.task.statistics()["lane"].dropped == {"interrupted": 8}


async def test_rule_2_upstream_pushes_do_not_wait_and_past_the_bound_the_run_ends() -> None:
    lane = Small("lane", lambda frame: anyio.sleep_forever())
    below = Function()
    async with running(lane, below) as session:
        frames: list[Frame] = [Word() for _ in range(64)]
        assert await flood(below, frames, UP) == frames
        await settle()
        below.push_frame_nowait(Word(), UP)
        await settle()
        assert session.result is None, "one is at work, and 64 are queued: 16 times the bound"
        below.push_frame_nowait(Word(), UP)
        result = await session.wait()
    assert result.reason is EndReason.OVERLOAD
    assert result.error == "the ordered queue of lane is full"
    assert result.stuck == "lane"
    assert session.task.statistics()["lane"].refused == {"overload": 1}


async def test_rule_2_two_full_lanes_that_push_at_each_other_do_not_wait_for_each_other() -> None:
    class Echo(Small):
        """Answers everything upstream."""

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word) and direction is DOWN:
                await self.push_frame(Note(frame.text), UP)
            await super().process_frame(frame, direction)

    upper, lower = Small("upper"), Echo("lower")
    async with running(upper, lower) as session:
        await session.task.queue_frames(words(60))
        await settle()
        assert len(session.down) == 61
        assert len(texts(session.up)) == 60


# 3. Functions are not re-entered.


async def test_rule_3_a_function_that_pushes_upstream_is_not_re_entered() -> None:
    class Guarded(FrameProcessor):
        inside = False

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            assert not self.inside, "re-entered"
            self.inside = True
            self.push_frame_nowait(frame, direction)
            self.inside = False

    class Mirror(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                self.push_frame_nowait(Note(frame.text), UP)
            self.push_frame_nowait(frame, direction)

    async with running(Guarded(), Guarded(), Mirror()) as session:
        await session.send(Word("a"), Word("b"))
        assert texts(session.up) == ["a", "b"]
        assert session.texts() == ["a", "b"]


# 4. Four tiers; one ordered frame at a time, a system frame beside it.


async def test_rule_4_start_comes_first_then_system_frames_overtake_in_order() -> None:
    gate = anyio.Event()

    class Slow(Lane):
        async def start(self, frame: StartFrame) -> None:
            await gate.wait()

    lane = Slow()
    async with running(lane) as session:
        await session.send(Word("1"), Alert("a"), Note("2"), Alert("b"))
        assert lane.seen == []
        gate.set()
        await settle()
        assert isinstance(lane.seen[0], StartFrame)
        assert [text for text in lane.texts() if text.isalpha()] == ["a", "b"]
        assert [text for text in lane.texts() if not text.isalpha()] == ["1", "2"]


async def test_rule_4_one_ordered_frame_is_in_process_and_system_frames_beside_it() -> None:
    at_work: list[str] = []
    most: list[list[str]] = []

    async def handle(frame: Frame) -> None:
        assert isinstance(frame, Word | Alert)
        at_work.append(type(frame).__name__)
        most.append(sorted(at_work))
        await anyio.sleep(1)
        at_work.remove(type(frame).__name__)

    async with running(Lane(handle=handle)) as session:
        await session.send(Word(), Word(), Alert(), Alert())
        await session.end()
    assert ["Alert", "Word"] in most
    assert all(len(set(names)) == len(names) for names in most)


async def test_rule_4_an_interruption_is_acted_on_before_a_thousand_media_frames() -> None:
    lane = Lane("lane", lambda frame: anyio.sleep(0.02))
    below = Function()
    async with running(lane, below) as session:
        for _ in range(1000):
            session.task._send(Media())
        lane_at_work = Word()
        session.task._send(lane_at_work)
        await settle()
        session.task._send(InterruptionFrame())
        assert lane.calls[-1] == "interrupt"
        assert isinstance(below.seen[-1], InterruptionFrame)
        begun = anyio.current_time()
        for _ in range(100):
            if not isinstance(lane.done[-1], InterruptionFrame):
                await anyio.sleep(0.001)
        assert anyio.current_time() - begun < 0.05, "it waits for one media frame, not for all"
        assert lane_at_work not in lane.done


# 5. One scope a lane; the mailbox drops what is interruptible and keeps the rest in order.


async def test_rule_5_an_interruption_cancels_the_frame_at_work_and_the_lane_goes_on() -> None:
    lane = Lane("lane", lambda frame: anyio.sleep(1))
    async with running(lane) as session:
        await session.send(Word("at work"), Note("1"), Word("dropped"), Note("2"))
        await session.send(InterruptionFrame())
        await session.send(Word("3"))
        await session.end()
        assert session.texts() == ["1", "2", "3"]
    assert session.task.statistics()["lane"].dropped == {"interrupted": 2}


async def test_rule_5_an_uninterruptible_frame_at_work_is_not_cancelled() -> None:
    lane = Lane("lane", lambda frame: anyio.sleep(1))
    async with running(lane) as session:
        await session.send(Note("at work"), Word("dropped"))
        await session.send(InterruptionFrame())
        await session.end()
        assert session.texts() == ["at work"]


async def test_rule_5_what_cancelled_work_still_pushes_is_dropped() -> None:
    class Stubborn(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                try:
                    await anyio.sleep(60)
                finally:
                    self.push_frame_nowait(Word("old"))
                    self.push_frame_nowait(Note("kept"))

    async with running(Stubborn(name="it")) as session:
        await session.send(Word())
        await session.send(InterruptionFrame())
        assert session.texts() == ["kept"]
        assert isinstance(session.down[-2], InterruptionFrame)
        await session.send(Note("later"))
    counts = session.task.statistics()["it"]
    assert counts.dropped == {"interrupted": 2}
    assert is_exact(counts)


# 6. Cancelling is cancelling a scope; CancelFrame tells, the scope makes it true.


async def test_rule_6_cancel_frame_tells_and_the_scope_makes_it_true() -> None:
    ended: list[str] = []

    class Deaf(Lane):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            self.seen.append(frame)
            if isinstance(frame, Word):
                try:
                    await anyio.sleep_forever()
                finally:
                    ended.append("work")

        async def work(self) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append("background")

    deaf, below = Deaf(), Function()
    async with running(deaf, below) as session:
        deaf.start_soon(deaf.work)
        await session.send(Word())
        await session.task.cancel()
        result = await session.wait()
    assert result.reason is EndReason.CANCELLED
    assert isinstance(deaf.seen[-1], CancelFrame)
    assert isinstance(below.seen[-1], CancelFrame)
    assert sorted(ended) == ["background", "work"]


# 7. The base class does the lifecycle; super() is neither needed nor harmful.


@pytest.mark.parametrize("lane", [False, True])
@pytest.mark.parametrize("push", [False, True])
@pytest.mark.parametrize("call_super", [False, True])
async def test_rule_7_lifecycle_frames_pass_whatever_a_processor_does_with_them(
    lane: bool, push: bool, call_super: bool
) -> None:
    class Plain(FrameProcessor):
        def __init__(self) -> None:
            if call_super:
                super().__init__()

        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if call_super:
                super().process_frame(frame, direction)
            if push:
                self.push_frame_nowait(frame, direction)

    class Waiting(Plain):
        async def process_frame(  # type: ignore[override]
            self, frame: Frame, direction: FrameDirection
        ) -> None:
            if call_super:
                await FrameProcessor.process_frame(self, frame, direction)
            if push:
                await self.push_frame(frame, direction)

    async with running(Waiting() if lane else Plain(), last := Function()) as session:
        await session.send(InterruptionFrame())
        assert (await session.end()).reason is EndReason.ENDED
    kinds = [StartFrame, InterruptionFrame, EndFrame]
    assert [type(frame) for frame in last.seen] == kinds
    assert [type(frame) for frame in session.down] == kinds
    assert last.calls == ["start", "interrupt", "stop", "cleanup"]


# 8. An exception becomes one ErrorFrame upstream, and the frame is dropped.


@pytest.mark.parametrize("kind", [Function, Lane])
@pytest.mark.parametrize("frame", [Word("bad"), Alert("bad")])
async def test_rule_8_an_exception_is_one_error_frame_and_the_processor_lives(
    kind: type[Function], frame: Word | Alert
) -> None:
    class Fails(kind):  # type: ignore[misc, valid-type]
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word | Alert) and frame.text == "bad":
                raise LookupError("no such word")
            return super().process_frame(frame, direction)  # type: ignore[no-any-return]

    class FailsInALane(Fails):
        async def process_frame(  # type: ignore[override]
            self, frame: Frame, direction: FrameDirection
        ) -> None:
            if isinstance(frame, Word | Alert) and frame.text == "bad":
                raise LookupError("no such word")
            await super().process_frame(frame, direction)  # type: ignore[misc]

    above = Function()
    it = FailsInALane("it") if kind is Lane else Fails("it")
    errors: list[ErrorFrame] = []
    async with running(above, it) as session:

        @session.task.event_handler("on_pipeline_error")
        async def note(task: object, error: ErrorFrame) -> None:
            errors.append(error)

        await session.send(frame, Word("good"))
        assert session.texts() == ["good"]
        (error,) = errors
        assert error in above.seen
        assert error.processor == "it"
        assert isinstance(error.exception, LookupError)
        assert not error.fatal
        assert f"it failed on {frame.name}" in error.error
    assert session.task.statistics()["it"].dropped == {"error": 1}


async def test_rules_hold_for_what_params_say() -> None:
    """The start frame that processors get carries the settings of the run."""
    first = Function()
    params = PipelineParams(audio_in_sample_rate=8000, allow_interruptions=False)
    async with running(first, params=params):
        start = first.seen[0]
        assert isinstance(start, StartFrame)
        assert (start.audio_in_sample_rate, start.allow_interruptions) == (8000, False)
