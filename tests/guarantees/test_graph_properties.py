"""P6, P10 and P11 over random pipelines and random histories."""

from typing import Any, cast

import anyio
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.parts import (
    DOWN,
    UP,
    Alert,
    Media,
    Note,
    Session,
    Word,
    check_accounts,
    is_exact,
)
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    InterruptionFrame,
    Lane,
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
)
from wsframes.graph.pipeline import Section
from wsframes.testing import settle

KINDS: list[type[Word | Note | Alert | Media]] = [Word, Note, Alert, Media]


class Part(FrameProcessor):
    """Passes every frame once, and counts what it was given."""

    def __init__(self, delay_s: float, limits: QueueLimits) -> None:
        super().__init__()
        self.delay_s = delay_s
        self.limits = limits
        self.given = 0

    @property
    def queue_limits(self) -> QueueLimits:  # type: ignore[override]
        return self.limits

    def count(self, frame: Frame) -> None:
        self.given += not frame.lifecycle


class FunctionPart(Part):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.count(frame)
        self.push_frame_nowait(frame, direction)


class LanePart(Part):
    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.count(frame)
        if self.delay_s:
            await anyio.sleep(self.delay_s)
        self.push_frame_nowait(frame, direction)


class PatientPart(Part):
    """Waits for room, so that an interruption may find it waiting."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.count(frame)
        await self.push_frame(frame, direction)


class NowaitPart(LanePart):
    """Deals with every other frame at once, if it may."""

    turn = False

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        self.turn = not self.turn
        if self.turn:
            self.count(frame)
            self.push_frame_nowait(frame, direction)
        return self.turn


class FailingPart(LanePart):
    """Fails on some."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.id % 5 == 0 and not frame.lifecycle:
            self.count(frame)
            raise LookupError
        await super().process_frame(frame, direction)


limits = st.builds(
    QueueLimits,
    max_frames=st.integers(1, 300),
    max_bytes=st.integers(1, 1000),
    when_full=st.sampled_from(["wait", "wait", "drop_oldest", "drop_newest"]),
)
waiting = st.builds(QueueLimits, max_frames=st.integers(1, 300), max_bytes=st.integers(1, 1000))
roomy = st.just(QueueLimits())
delays = st.sampled_from([0.0, 0.0, 0.001, 0.1])

PASSING = (FunctionPart, LanePart, NowaitPart)


def parts(
    kinds: tuple[type[Part], ...], limits: st.SearchStrategy[QueueLimits] = roomy
) -> st.SearchStrategy[Section]:
    return st.sampled_from(kinds).flatmap(lambda kind: st.builds(kind, delays, limits))


def sections(
    kinds: tuple[type[Part], ...], limits: st.SearchStrategy[QueueLimits] = limits
) -> st.SearchStrategy[list[Section]]:
    """Pipelines with others beside and within each other."""
    one: st.SearchStrategy[Section] = st.recursive(
        parts(kinds, limits),
        lambda inner: st.lists(st.lists(inner, max_size=2), min_size=1, max_size=3).map(
            lambda branches: ParallelPipeline(*branches)
        ),
        max_leaves=6,
    )
    return st.lists(one, min_size=1, max_size=4)


downstream = st.sampled_from(KINDS).map(lambda kind: (DOWN, kind))
upstream = st.sampled_from(KINDS).map(lambda kind: (UP, kind))
interruption = st.just((DOWN, InterruptionFrame))
sleep = st.sampled_from([0.0, 0.001, 0.05])
endings = st.sampled_from(["end", "stop", "cancel", "cancel_outside", "error"])


def make(kind: type[Frame], number: int) -> Frame:
    if issubclass(kind, Media):
        return Media(bytes(number % 7 * 20))
    if issubclass(kind, InterruptionFrame):
        return kind()
    make_any: Any = kind
    return cast("Frame", make_any(str(number)))


async def play(
    task: PipelineTask,
    session: Session,
    steps: list[Any],
    ending: str,
    *,
    wait: bool,
    begin_s: float = 0.0,
) -> list[Frame]:
    """Send what the steps say, then bring it to its end; the frames that were sent downstream."""
    sent: list[Frame] = []
    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def run() -> None:
            with scope:
                await session.run()

        tasks.start_soon(run)
        await settle()
        await anyio.sleep(begin_s)
        for number, step in enumerate(steps):
            if isinstance(step, float):
                await anyio.sleep(step)
                continue
            direction, kind = step
            frame = make(kind, number)
            if direction is DOWN:
                sent.append(frame)
            if wait:
                with anyio.move_on_after(1):
                    await task.queue_frame(frame, direction)
            else:
                task._send(frame, direction)
        first = next(iter(task._pipeline), None)
        if ending == "end":
            await task.stop_when_done()
        elif ending == "stop":
            await task.stop()
        elif ending == "error" and first is not None and session.result is None:
            first.push_error("planted", fatal=True)
        elif ending in ("cancel", "error"):
            await task.cancel()
        else:
            scope.cancel()
        await session.over.wait()
    return sent


@given(
    sections((*PASSING, PatientPart, FailingPart)),
    st.lists(downstream | upstream | interruption | sleep, max_size=60),
    endings,
    st.booleans(),
)
async def test_p06_counts_are_exact_however_it_ends(
    sections: list[Section], steps: list[Any], ending: str, wait: bool
) -> None:
    """P6: at every place taken = delivered + dropped + refused when the run is over, and what a
    processor was given is what its place has delivered or dropped at work."""
    pipeline = Pipeline(sections)
    task = PipelineTask(pipeline, params=PipelineParams(cancel_timeout=5.0))
    session = Session(task)
    await play(task, session, steps, ending, wait=wait)
    check_accounts(task)
    counts = task.statistics()
    for part in pipeline:
        assert isinstance(part, Part)
        its = counts[part.name]
        cut = sum(its.dropped.get(reason, 0) for reason in ("error", "interrupted", "cancelled"))
        assert part.given <= its.delivered + cut
        if not any(isinstance(step, tuple) and step[0] is UP for step in steps):
            # A lane counts its end as well. Upstream, frames pass it after that: here only errors.
            in_a_lane = not isinstance(part, FunctionPart)
            errors = sum(each.dropped.get("error", 0) for each in counts.values())
            assert its.delivered - in_a_lane - errors <= part.given


@given(
    st.lists(parts(PASSING, limits), min_size=1, max_size=5),
    st.lists(downstream | interruption | sleep, max_size=80),
    endings,
    st.booleans(),
)
async def test_p06_every_frame_is_at_the_end_or_counted_where_it_was_lost(
    sections: list[Section], steps: list[Any], ending: str, wait: bool
) -> None:
    """P6: sent = arrived + dropped + refused, summed over the whole pipeline."""
    task = PipelineTask(Pipeline(sections), params=PipelineParams(cancel_timeout=5.0))
    session = Session(task)
    sent = await play(task, session, steps, ending, wait=wait)
    counts = task.statistics().values()
    lost = sum(sum(its.dropped.values()) + sum(its.refused.values()) for its in counts)
    arrived = sum(not frame.lifecycle for frame in session.down)
    frames = sum(not frame.lifecycle for frame in sent)
    assert not task.event_statistics().dropped
    # An end that did not get through, after an overload, is counted where it was.
    ended = any(isinstance(frame, EndFrame | StopFrame) for frame in session.down)
    lost_ends = ending in ("end", "stop") and not ended
    assert frames + lost_ends == arrived + lost


def check_order(frames: list[Frame], sent: list[Frame]) -> None:
    place = {frame: number for number, frame in enumerate(sent)}
    for lane in Lane:
        numbers = [place[frame] for frame in frames if frame.lane is lane and not frame.lifecycle]
        assert numbers == sorted(set(numbers)), lane


@given(
    sections(PASSING, waiting),
    st.lists(downstream | interruption | sleep, max_size=80),
    st.booleans(),
)
async def test_p10_order_within_each_lane_is_kept_whatever_the_mix(
    sections: list[Section], steps: list[Any], wait: bool
) -> None:
    """P10: ordered frames arrive in the order in which they were sent, and so do system frames,
    each at most once; Start is first, End is last."""
    task = PipelineTask(Pipeline(sections))
    session = Session(task)
    sent = await play(task, session, steps, "end", wait=wait)
    check_order(session.down, sent)
    assert session.result is not None
    # Nobody may have waited, and the queues are small.
    overload = session.result.reason is EndReason.OVERLOAD
    assert overload or session.result.reason is EndReason.ENDED
    assert overload or isinstance(session.down[0], StartFrame)
    assert isinstance(session.down[-1], CancelFrame if overload else EndFrame)


@given(st.lists(parts(PASSING), min_size=1, max_size=5), st.lists(downstream | sleep, max_size=80))
async def test_p10_without_interruption_nothing_is_missing(
    sections: list[Section], steps: list[Any]
) -> None:
    """P10: with room for all of them, every frame arrives, once."""
    task = PipelineTask(Pipeline(sections))
    session = Session(task)
    sent = await play(task, session, steps, "end", wait=True)
    check_order(session.down, sent)
    assert {frame for frame in session.down if not frame.lifecycle} == set(sent)


@given(sections(PASSING), st.lists(downstream | interruption | sleep, max_size=80), st.booleans())
async def test_p11_uninterruptible_frames_survive_every_interruption_in_order(
    sections: list[Section], steps: list[Any], wait: bool
) -> None:
    """P11: whatever is interrupted when, all notes arrive, in order, and then the End."""
    roomy: list[Section] = list(sections)
    for part in Pipeline(roomy):
        assert isinstance(part, Part)
        part.limits = QueueLimits()
    task = PipelineTask(Pipeline(roomy))
    session = Session(task)
    sent = await play(task, session, steps, "end", wait=wait)
    notes = [frame for frame in session.down if isinstance(frame, Note)]
    assert notes == [frame for frame in sent if isinstance(frame, Note)]
    assert isinstance(session.down[-1], EndFrame)


@given(
    st.lists(parts((*PASSING, PatientPart)), min_size=1, max_size=5),
    st.lists(downstream | sleep, max_size=40),
)
async def test_p11_after_an_interruption_nothing_of_the_old_generation_arrives(
    sections: list[Section], steps: list[Any]
) -> None:
    """P11: no interruptible frame that was sent before an interruption arrives after it."""
    task = PipelineTask(Pipeline(sections))
    session = Session(task)
    steps = [*steps, (DOWN, InterruptionFrame)]
    sent = await play(task, session, steps, "end", wait=False, begin_s=10.0)
    marker = next(
        number for number, frame in enumerate(session.down) if isinstance(frame, InterruptionFrame)
    )
    after = session.down[marker + 1 :]
    assert not any(isinstance(frame, Word) for frame in after)
    assert {frame for frame in session.down if isinstance(frame, Note)} == {
        frame for frame in sent if isinstance(frame, Note)
    }


@given(sections((*PASSING, PatientPart)), st.lists(downstream | interruption | sleep, max_size=40))
async def test_p06_counts_are_exact_at_every_moment(
    sections: list[Section], steps: list[Any]
) -> None:
    """P6: while it runs, taken = delivered + dropped + refused + queued + at work, of which there
    is one ordered and one system frame in a lane at most."""
    task = PipelineTask(Pipeline(sections), params=PipelineParams(cancel_timeout=5.0))
    session = Session(task)

    async def look() -> None:
        while not session.over.is_set():
            for name, counts in task.statistics().items():
                assert any(is_exact(counts, at_work) for at_work in range(3)), f"{name}: {counts}"
            await anyio.sleep(0.0004)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        await play(task, session, steps, "end", wait=False)


async def test_a_cancel_frame_among_them_is_told_as_such() -> None:
    """The histories above have all ways to end but this one: a CancelFrame that is queued."""
    task = PipelineTask(Pipeline([LanePart(0.1, QueueLimits())]))
    session = Session(task)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session.run)
        await settle()
        await task.queue_frame(Word())
        await task.queue_frame(CancelFrame())
    assert (await session.wait()).reason is EndReason.CANCELLED
    check_accounts(task)
