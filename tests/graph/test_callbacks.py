"""Pushes from a callback of the event loop, where no task is at work: as an SDK makes them.

On asyncio anyio does not find the loop there. On trio a system task runs such callbacks.
"""

import contextvars
from collections.abc import Callable
from typing import Any

import anyio.lowlevel
import pytest

from tests.graph.parts import Alert, Function, Lane, Word, running, texts
from tests.graph.places import a_run
from wsframes.exceptions import UsageError
from wsframes.frames import EndFrame, Frame, FrameDirection, InterruptionFrame
from wsframes.graph import (
    BaseObserver,
    EndReason,
    FrameProcessor,
    FramePushed,
    PipelineParams,
)
from wsframes.graph.clock import finds_loop
from wsframes.graph.events import EventHandlers, EventQueue
from wsframes.processors import IdleFrameProcessor
from wsframes.testing import settle


async def call_back(function: Callable[..., Any], *args: Any) -> list[BaseException]:
    """Let the event loop call it, in no task and in no context; what it raised."""
    raised: list[BaseException] = []
    done = anyio.Event()

    def run() -> None:
        try:
            function(*args)
        except BaseException as exc:
            raised.append(exc)
        done.set()

    loop: Any = anyio.lowlevel.current_token().native_token
    if hasattr(loop, "call_soon"):
        loop.call_soon(run, context=contextvars.Context())
    else:
        loop.run_sync_soon(run)
    await done.wait()
    await settle()
    return raised


async def test_anyio_finds_the_loop_in_a_task_and_a_callback_of_asyncio_has_none() -> None:
    found: list[bool] = []
    assert finds_loop()
    await call_back(lambda: found.append(finds_loop()))
    assert found == [hasattr(anyio.lowlevel.current_token().native_token, "run_sync_soon")]


@pytest.mark.parametrize("kind", [Word, Alert])
async def test_what_a_callback_pushes_gets_to_a_lane_that_sleeps_or_has_not_begun(
    kind: type[Any],
) -> None:
    sdk, lane = Function("sdk"), Lane("lane")
    async with running(sdk, lane) as session:
        assert await call_back(sdk.push_frame_nowait, kind("from a callback")) == []
        await session.send(kind("from a task"))
        assert session.texts() == lane.texts() == ["from a callback", "from a task"]
        assert (await session.end()).reason is EndReason.ENDED
    assert session.task.statistics()["lane"].dropped == {}


async def test_a_callback_may_do_all_that_a_processor_does() -> None:
    class Seen(BaseObserver):
        def __init__(self) -> None:
            self.frames: list[Frame] = []

        def on_push_frame(self, data: FramePushed) -> None:
            self.frames.append(data.frame)

    async def work() -> None:
        worked.append("worked")

    class Fails(Function):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, Word):
                raise ValueError("it fails")

    async def quiet(processor: FrameProcessor) -> None:
        """Nobody waits for it."""

    worked: list[str] = []
    observer, sdk, above = Seen(), Function("sdk"), Lane("above")
    async with running(
        above,
        sdk,
        IdleFrameProcessor(callback=quiet, timeout=60),
        Function("measured"),
        params=PipelineParams(enable_metrics=True),
        observers=[observer],
        idle_timeout_secs=60,
    ) as session:
        assert await call_back(sdk.push_error, "an error") == []
        assert await call_back(sdk.start_soon, work) == []
        assert await call_back(sdk.push_frame_nowait, Word("a word")) == []
        assert await call_back(sdk.push_frame_nowait, InterruptionFrame()) == []
        assert await call_back(sdk.push_frame_nowait, EndFrame()) == []
        assert (worked, session.texts()) == (["worked"], ["a word"])
        assert texts(observer.frames).count("a word") == 3
        assert "an error" in str(session.up)
        assert (await session.wait()).reason is EndReason.ENDED
    async with running(sdk, Fails("fails")) as session:
        assert await call_back(sdk.push_frame_nowait, Word()) == []
        assert "it fails" in str(session.up)


async def test_an_interruption_and_what_is_new_may_come_from_callbacks() -> None:
    def interrupt() -> None:
        sdk.push_frame_nowait(InterruptionFrame())
        lane.push_frame_nowait(Word("new"))

    sdk, lane = Function("sdk"), Lane("lane", lambda frame: anyio.sleep(60))
    async with running(sdk, lane) as session:
        await session.send(Word("old"))
        assert await call_back(interrupt) == []
        assert session.texts() == ["new"]


async def test_a_callback_begins_nothing_when_the_end_is_decided() -> None:
    class Late(Function):
        async def cancel(self, frame: Any) -> None:
            super().cancel(frame)
            raised.extend(await call_back(self.start_soon, anyio.sleep, 0))
            raised.extend(await call_back(self.push_error, "late"))

    raised: list[BaseException] = []
    async with running(Late("late")) as session:
        await session.task.cancel()
        await session.wait()
    if hasattr(anyio.lowlevel.current_token().native_token, "call_soon"):
        assert [type(exc) for exc in raised] == [UsageError]
        assert "late background cannot be started from a callback" in str(raised[0])
    else:
        assert raised == []
    assert "late" in str(session.up), "told, by whoever tells the end"


async def test_events_of_callbacks_are_told_once_and_in_order() -> None:
    told: list[int] = []
    handlers = EventHandlers("it", ["on_this"])
    handlers.add("on_this", told.append)

    def emit() -> None:
        for number in range(3):
            events.emit(handlers, "on_this", number)

    async with anyio.create_task_group() as tasks:
        events = EventQueue(tasks, 5.0, lambda *_: None)
        assert await call_back(emit) == []
        await events.wait_idle()
        assert told == [0, 1, 2]
        events.close()
        await events.wait_idle()
    assert events.statistics().delivered == 3


async def test_what_a_callback_starts_is_started_by_the_timers() -> None:
    started: list[str] = []

    async def work(what: str) -> None:
        started.append(what)

    async with a_run() as context:
        assert await call_back(context.start_soon, work, "it") == []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(context.run_timers)
            await settle()
            assert started == ["it"]
            context.finish(EndReason.ENDED)
