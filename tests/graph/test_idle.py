"""The idle watch."""

import anyio

from tests.graph.parts import Alert, Function, Media, Word, running
from wsframes.frames import HeartbeatFrame
from wsframes.graph import EndReason, PipelineParams
from wsframes.testing import settle


async def test_a_run_that_is_idle_ends() -> None:
    async with running(Function(), idle_timeout_secs=10) as session:
        told: list[float] = []
        session.task.add_event_handler(
            "on_idle_timeout", lambda task: told.append(anyio.current_time())
        )
        begun_s = anyio.current_time()
        result = await session.wait()
    assert result.reason is EndReason.IDLE_TIMEOUT
    assert told == [begun_s + 10]
    assert session.events[-2:] == ["cancelled", "finished"]


async def test_activity_puts_it_off_to_the_exact_moment() -> None:
    async with running(Function(), idle_timeout_secs=10) as session:
        for _ in range(5):
            await anyio.sleep(9)
            await session.send(Word())
        last_s = anyio.current_time()
        await session.wait()
        assert anyio.current_time() == last_s + 10


async def test_input_media_and_heartbeats_are_no_activity() -> None:
    params = PipelineParams(enable_heartbeats=True, heartbeats_period_secs=1)
    async with running(Function(), idle_timeout_secs=10, params=params) as session:
        begun_s = anyio.current_time()
        while session.result is None:
            await session.send(Media(), HeartbeatFrame(0.0))
            await anyio.sleep(0.5)
        assert anyio.current_time() - begun_s < 11


async def test_only_the_frames_that_are_named_are_activity() -> None:
    activity = [Alert, Media]
    async with running(Function(), idle_timeout_secs=10, idle_timeout_frames=activity) as session:
        for _ in range(3):
            await anyio.sleep(9)
            await session.send(Word(), Media())
        last_s = anyio.current_time()
        await anyio.sleep(5)
        await session.send(Word())
        await session.wait()
        assert anyio.current_time() == last_s + 10


async def test_a_run_that_goes_on_is_told_once_for_each_quiet_period() -> None:
    async with running(Function(), idle_timeout_secs=10, cancel_on_idle_timeout=False) as session:
        told: list[float] = []
        session.task.add_event_handler(
            "on_idle_timeout", lambda task: told.append(anyio.current_time())
        )
        begun_s = anyio.current_time()
        await anyio.sleep(35)
        assert told == [begun_s + 10]
        await session.send(Word(), Word())
        await anyio.sleep(35)
        assert told == [begun_s + 10, begun_s + 45]
        assert session.result is None


async def test_it_watches_a_run_that_was_resumed() -> None:
    async with running(Function(), idle_timeout_secs=10) as session:
        await session.task.stop()
        await session.wait()
        await anyio.sleep(100)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run)
            await settle()
            begun_s = anyio.current_time()
            await session.send(Word())
            await anyio.sleep(10)
            await settle()
            assert session.result is not None
            assert session.result.reason is EndReason.IDLE_TIMEOUT
            assert anyio.current_time() == begun_s + 10
