"""Branches side by side."""

from typing import Any

import anyio
import pytest

from tests.graph.parts import (
    DOWN,
    UP,
    Alert,
    Function,
    Lane,
    Note,
    Session,
    Word,
    running,
    texts,
    words,
)
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
from wsframes.graph import EndReason, FrameProcessor, ParallelPipeline, Pipeline, PipelineParams
from wsframes.testing import settle


class Only(Function):
    """Lets the frames of one type through."""

    def __init__(self, kind: type[Frame], name: str | None = None) -> None:
        super().__init__(name)
        self.kind = kind

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.seen.append(frame)
        if isinstance(frame, self.kind):
            self.push_frame_nowait(frame, direction)


class Pushes(Function):
    """Pushes a frame of its own when it gets a word."""

    def __init__(self, make: Any, direction: FrameDirection = DOWN) -> None:
        super().__init__()
        self.make = make
        self.direction = direction

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        super().process_frame(frame, direction)
        if isinstance(frame, Word):
            self.push_frame_nowait(self.make(), self.direction)


def lifecycle(session: Session) -> list[str]:
    return [type(frame).__name__ for frame in session.down if frame.lifecycle]


async def test_every_frame_goes_into_every_branch_and_comes_out_once_in_order() -> None:
    left, right = Function(), Lane(handle=lambda frame: anyio.sleep(0.1))
    async with running(ParallelPipeline([left], [right])) as session:
        await session.send(*words(5), Alert("alert"))
        await session.end()
        assert [text for text in session.texts() if text != "alert"] == ["0", "1", "2", "3", "4"]
        assert session.texts().count("alert") == 1
        assert lifecycle(session) == ["StartFrame", "EndFrame"]
        assert isinstance(session.down[-1], EndFrame)
    assert len(left.texts()) == len(right.texts()) == 6
    join = session.task.statistics()["ParallelPipeline#0 join"]
    assert (join.taken, join.dropped) == (12, {"duplicate": 6})


async def test_an_empty_branch_lets_all_pass() -> None:
    async with running(ParallelPipeline([Only(Note)], [])) as session:
        await session.send(Word("a"), Note("b"))
        session.task._send(Word("up"), UP)
        await session.end()
        assert session.texts() == ["a", "b"]
        assert texts(session.up) == ["up"]


async def test_only_empty_branches() -> None:
    async with running(ParallelPipeline([], [])) as session:
        await session.send(Word("a"), InterruptionFrame())
        assert session.texts() == ["a"]
        assert (await session.end()).reason is EndReason.ENDED
        assert lifecycle(session) == ["StartFrame", "InterruptionFrame", "EndFrame"]


async def test_branches_that_each_let_something_else_through() -> None:
    parallel = ParallelPipeline([Only(Word)], [Only(Note)], [Only(CancelFrame)])
    async with running(parallel) as session:
        await session.send(Word("a"), Note("b"), Alert("c"))
        assert session.texts() == ["a", "b"]
        await session.end()


async def test_a_frame_that_is_sent_again_passes_again() -> None:
    silence = Word("silence")
    slow = Lane(handle=lambda frame: anyio.sleep(1))
    async with running(ParallelPipeline([Function()], [slow])) as session:
        await session.send(silence, silence)
        await anyio.sleep(5)
        await session.send(silence)
        await session.end()
        assert session.texts() == ["silence"] * 3


async def test_upstream_frames_are_split_and_merged_the_other_way_round() -> None:
    left, right = Function(), Lane()
    above, below = Function(), Function()
    async with running(above, ParallelPipeline([left], [right]), below) as session:
        below.push_frame_nowait(Word("a"), UP)
        left.push_frame_nowait(Word("from the left"), UP)
        await settle()
        assert texts(session.up) == ["a", "from the left"]
        assert left.texts() == right.texts() == ["a"]


async def test_parallel_pipelines_stand_within_each_other() -> None:
    parts = [Function(str(number)) for number in range(4)]
    inner = ParallelPipeline([parts[0]], Pipeline([parts[1], Lane()]))
    async with running(ParallelPipeline([inner, parts[2]], [parts[3]], []), Function()) as session:
        await session.send(*words(3))
        await session.send(InterruptionFrame())
        session.task._send(Word("up"), UP)
        await settle()
        await session.end()
        assert session.texts() == ["0", "1", "2"]
        assert texts(session.up) == ["up"]
        assert lifecycle(session) == ["StartFrame", "InterruptionFrame", "EndFrame"]
    for part in parts:
        assert sorted(part.texts()) == ["0", "1", "2", "up"]
        assert part.calls == ["start", "interrupt", "stop", "cleanup"]
    names = set(session.task.statistics())
    assert {"ParallelPipeline#0 fork", "ParallelPipeline#1 fork"} < names


async def test_one_after_the_other() -> None:
    async with running(ParallelPipeline([], [Lane()]), ParallelPipeline([Lane()], [])) as session:
        await session.send(*words(3))
        assert session.texts() == ["0", "1", "2"]
        assert (await session.end()).reason is EndReason.ENDED


async def test_start_and_end_pass_when_the_slowest_branch_has_them() -> None:
    class Slow(Lane):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep(2)

        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep(3)

    below = Function()
    async with running(ParallelPipeline([Function()], [Slow()]), below) as session:
        await session.send(Word("early"))
        assert below.seen == []
        await anyio.sleep(2.5)
        assert below.texts() == ["early"]
        assert isinstance(below.seen[0], StartFrame)
        begun_s = anyio.current_time()
        await session.end()
        assert anyio.current_time() - begun_s == pytest.approx(3)


async def test_a_start_that_takes_its_time_does_not_outlast_the_deadline_for_nothing() -> None:
    params = PipelineParams(start_timeout=1)
    async with running(ParallelPipeline([Function()], [Lane()]), params=params) as session:
        await anyio.sleep(5)
        assert session.result is None


async def test_the_start_deadline_names_the_processor_in_the_branch() -> None:
    class Hangs(Lane):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep_forever()

    parallel = ParallelPipeline([Function()], [Lane("fine"), Hangs("stuck")])
    async with running(parallel, params=PipelineParams(start_timeout=1)) as session:
        assert (await session.wait()).stuck == "stuck"


async def test_an_interruption_from_above_passes_once_when_all_branches_have_it() -> None:
    left, right = Lane(handle=lambda frame: anyio.sleep(5)), Function()
    async with running(ParallelPipeline([left], [right], [])) as session:
        await session.send(Word())
        await session.send(InterruptionFrame())
        assert lifecycle(session) == ["StartFrame", "InterruptionFrame"]
    assert left.calls[:2] == right.calls[:2] == ["start", "interrupt"]


@pytest.mark.parametrize("make", [InterruptionFrame, CancelFrame])
@pytest.mark.parametrize("more", [[], [Function], [Lane]])
async def test_what_is_immediate_passes_at_once_from_within_a_branch(make: Any, more: Any) -> None:
    branch = [Pushes(make), *(kind() for kind in more)]
    other, below = Function(), Function()
    async with running(ParallelPipeline(branch, [other]), below) as session:
        await session.send(Word())
        if make is CancelFrame:
            assert (await session.wait()).reason is EndReason.CANCELLED
            assert below.calls == ["start", "cancel", "cleanup"]
        else:
            assert below.calls == ["start", "interrupt"]
            assert other.calls == ["start"], "it is beside, and not below"


async def test_an_interruption_upstream_passes_from_within_a_branch_and_from_below() -> None:
    above, below = Function(), Function()
    left, right = Pushes(InterruptionFrame, UP), Lane()
    async with running(above, ParallelPipeline([left], [right]), below) as session:
        await session.send(Word())
        assert above.calls == ["start", "interrupt"]
        below.push_frame_nowait(InterruptionFrame(), UP)
        await settle()
        assert above.calls == ["start", "interrupt", "interrupt"]
        assert left.calls == right.calls == ["start", "interrupt"]
        assert sum(isinstance(frame, InterruptionFrame) for frame in session.up) == 2


@pytest.mark.parametrize("make", [EndFrame, StopFrame])
async def test_an_end_within_a_branch_ends_that_branch_until_the_others_have_theirs(
    make: Any,
) -> None:
    left = [Pushes(make), Lane("after it")]
    below = Function()
    async with running(ParallelPipeline(left, [Function()]), below) as session:
        await session.send(Word("a"))
        await session.send(Word("b"))
        assert session.texts() == ["a", "b"], "the other branch goes on"
        await anyio.sleep(60)
        assert session.result is None, "and nothing is stalled"
        assert (await session.end()).reason is EndReason.ENDED
    assert below.calls == ["start", "stop", "cleanup"]


async def test_when_every_branch_has_ended_itself_the_run_is_over() -> None:
    left, right = Pushes(EndFrame), Pushes(EndFrame)
    async with running(ParallelPipeline([left], [right, Lane()])) as session:
        await session.send(Word("a"))
        assert (await session.wait()).reason is EndReason.ENDED
        assert session.texts() == ["a"]
        assert lifecycle(session) == ["StartFrame", "EndFrame"]


async def test_an_end_upstream_passes_from_within_a_branch() -> None:
    async with running(ParallelPipeline([Pushes(EndFrame, UP)], [Function()])) as session:
        await session.send(Word("a"))
        assert (await session.wait()).reason is EndReason.ENDED


async def test_an_error_in_a_branch_passes_once() -> None:
    class Fails(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                raise LookupError

    async with running(ParallelPipeline([Fails(name="it")], [Function()])) as session:
        await session.send(Word("a"))
        assert session.texts() == ["a"]
        assert len(errors(session.up)) == 1


async def test_a_lane_behind_a_join_holds_the_branches_up() -> None:
    from wsframes.graph import QueueLimits

    class Small(Lane):
        queue_limits = QueueLimits(max_frames=2)

    left = Lane("left")
    stuck = Small("stuck", lambda frame: anyio.sleep_forever())
    async with running(ParallelPipeline([left], []), stuck) as session:
        with anyio.move_on_after(1):
            await session.task.queue_frames(words(100))
        counts = session.task.statistics()
        assert counts["stuck"].taken < 5
        assert counts["left"].taken < 5
