"""Heartbeats, which name a processor that is stuck."""

import anyio

from tests.graph.parts import Function, Lane, Session, Word, running
from wsframes.frames import Frame, FrameDirection, HeartbeatFrame
from wsframes.graph import FrameProcessor, ParallelPipeline, PipelineParams

PARAMS = PipelineParams(
    enable_heartbeats=True, heartbeats_period_secs=1, heartbeats_monitor_secs=10
)


def told_by(session: Session) -> list[tuple[float, str]]:
    """What `on_heartbeat_timeout` tells, with the time from now."""
    told: list[tuple[float, str]] = []
    begun_s = anyio.current_time()
    session.task.add_event_handler(
        "on_heartbeat_timeout",
        lambda task, name: told.append((anyio.current_time() - begun_s, name)),
    )
    return told


async def hang_on_words(frame: Frame) -> None:
    if isinstance(frame, Word):
        await anyio.sleep_forever()


async def test_they_come_once_a_period_through_all_processors() -> None:
    lane = Lane()
    async with running(Function(), lane, params=PARAMS) as session:
        told = told_by(session)
        await anyio.sleep(20.5)
        assert sum(isinstance(frame, HeartbeatFrame) for frame in session.down) == 21
        assert told == []


async def test_none_are_sent_unless_asked_for() -> None:
    async with running(Function()) as session:
        await anyio.sleep(20)
        assert len(session.down) == 1


async def test_a_lane_that_is_stuck_is_named_once() -> None:
    stuck = Lane("stuck", hang_on_words)
    async with running(Lane("fine"), stuck, Lane("after"), params=PARAMS) as session:
        told = told_by(session)
        await anyio.sleep(0.5)
        await session.send(Word())
        await anyio.sleep(100)
        # The first one came through, the second one is stuck in the queue.
        assert told == [(11.0, "stuck")]


async def test_a_lane_that_is_stuck_on_the_heartbeat_itself_is_named() -> None:
    class Hangs(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, HeartbeatFrame):
                await anyio.sleep_forever()

    async with running(Hangs(name="stuck"), params=PARAMS) as session:
        told = told_by(session)
        await anyio.sleep(15)
        assert told == [(10.0, "stuck")]


async def test_they_go_on_when_the_lane_does() -> None:
    async def handle(frame: Frame) -> None:
        if isinstance(frame, Word):
            await anyio.sleep(30)

    async with running(Lane("slow", handle), params=PARAMS) as session:
        told = told_by(session)
        await session.send(Word())
        await anyio.sleep(60)
        assert told == [(11.0, "slow")]
        late = [frame for frame in session.down if isinstance(frame, HeartbeatFrame)]
        assert len(late) > 25


async def test_a_processor_that_swallows_them_is_told_of_again_and_again() -> None:
    class Swallows(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            """Push nothing."""

    async with running(Swallows(), params=PARAMS) as session:
        told = told_by(session)
        await anyio.sleep(35)
        assert told == [
            (when_s, "a processor that did not push it on") for when_s in (10.0, 20.0, 30.0)
        ]


async def test_one_branch_does_not_hide_that_another_one_is_stuck() -> None:
    stuck = Lane("stuck", hang_on_words)
    async with running(ParallelPipeline([Function()], [stuck]), params=PARAMS) as session:
        told = told_by(session)
        await anyio.sleep(0.5)
        await session.send(Word())
        await anyio.sleep(100)
        assert told == [(11.0, "stuck")]


async def test_none_are_sent_after_an_end_and_none_are_missed() -> None:
    async def handle(frame: Frame) -> None:
        if isinstance(frame, Word):
            await anyio.sleep(4)

    async with running(Lane("slow", handle), params=PARAMS) as session:
        told = told_by(session)
        for _ in range(10):
            await session.task.queue_frame(Word())
        await session.end()
        assert anyio.current_time() > 39
        assert told == []
    assert session.task.statistics()["source"].refused == {}
