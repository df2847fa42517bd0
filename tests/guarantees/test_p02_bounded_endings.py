"""P2: every ending is bounded, whatever is stuck; what nobody can bound is named."""

import logging
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Session
from wsframes import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    OutputAudioRawFrame,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.graph import EndReason
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import UVICORN_SANSIO, UVICORN_WEBSOCKETS, MemoryPeer, ServerProfile, settle

Figure = Callable[[str, str], None]

CANCEL_BOUND_S = 1.0
STALL_BOUND_S = 5.0
TOLERANCE_S = 1e-6


class Asleep(FrameProcessor):
    """Sleeps for ever wherever it can."""

    def __init__(self, where: str) -> None:
        super().__init__(name="asleep")
        self._where = where

    async def start(self, frame: StartFrame) -> None:
        self.start_soon(anyio.sleep_forever)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame) and self._where == "a frame":
            await anyio.sleep_forever()
        await self.push_frame(frame, direction)

    async def stop(self, frame: EndFrame) -> None:
        await self._sleep("stop")

    async def cancel(self, frame: CancelFrame) -> None:
        await self._sleep("cancel")

    async def cleanup(self) -> None:
        await self._sleep("cleanup")

    async def _sleep(self, where: str) -> None:
        if where == self._where:
            await anyio.sleep_forever()


class Hanging(RawAudioSerializer):
    """A serializer that hangs on a message."""

    async def serialize(self, frame: Frame) -> Any:  # type: ignore[override]
        if isinstance(frame, TransportMessageFrame):
            await anyio.sleep_forever()
        return super().serialize(frame)


class World:
    """A session in which one thing is stuck."""

    def __init__(self, what: str) -> None:
        serializer = Hanging(RATE) if what == "a serializer" else RawAudioSerializer(RATE)
        where = what.removeprefix("asleep in ")
        self.session = Session(Asleep(where), serializer=serializer, write_timeout=60.0)
        self._what = what

    async def get_stuck(self, peer: MemoryPeer) -> None:
        session = self.session
        await session.started.wait()
        if self._what == "a handler":
            session.task.add_event_handler("on_pipeline_error", lambda *_: anyio.sleep_forever())
            session.tap.push_error("tell the handler")
        elif self._what == "a peer that does not read":
            peer.stall()
            for _ in range(5):
                await session.task.queue_frame(TransportMessageFrame("x" * 40_000))
        elif self._what == "10,000 frames":
            for _ in range(10_000):
                await session.task.queue_frame(TextFrame("x"))
            await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * 4 * RATE), RATE))
        elif self._what == "an end under way":
            await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * 60 * RATE), RATE))
            await session.task.stop_when_done()
        else:
            with anyio.move_on_after(0.1):
                await session.task.queue_frame(TransportMessageFrame("x"))
                await session.task.queue_frame(TextFrame("x"))
        await settle()


STUCK = (
    "a peer that does not read",
    "a handler",
    "a serializer",
    "10,000 frames",
    "an end under way",
    "asleep in a frame",
    "asleep in cancel",
    "asleep in cleanup",
)


@pytest.mark.parametrize("profile", [UVICORN_SANSIO, UVICORN_WEBSOCKETS])
@pytest.mark.parametrize("how", ["task.cancel()", "the caller is cancelled"])
@pytest.mark.parametrize("what", STUCK)
async def test_p02_a_cancelled_session_is_over_within_a_second(
    what: str, how: str, profile: ServerProfile, figure: Figure
) -> None:
    world = World(what)
    scope = anyio.CancelScope()
    over_s: list[float] = []

    async def app(*asgi: Any) -> None:
        with scope:
            await world.session(*asgi)
        over_s.append(anyio.current_time())

    async with MemoryPeer(app, profile=profile, exit_timeout_s=60) as peer:
        await world.get_stuck(peer)
        begun_s = anyio.current_time()
        if how == "task.cancel()":
            await world.session.task.cancel()
        else:
            scope.cancel()
        await peer.app.finished.wait()
    took_s = over_s[0] - begun_s
    figure("P2", f"{what}, {how}: over after {took_s:.2f} s")
    assert took_s <= CANCEL_BOUND_S + TOLERANCE_S
    assert world.session.told[0].reason in (EndReason.CANCELLED, EndReason.ENDED)
    assert world.session.events[-1] == "pipeline_finished"


@pytest.mark.parametrize(
    ("what", "stuck"),
    [
        ("a serializer", "output"),
        ("asleep in a frame", "asleep"),
        ("asleep in stop", "asleep"),
        ("asleep in cleanup", "asleep"),
    ],
)
async def test_p02_an_end_waits_for_play_out_and_five_seconds_without_progress(
    what: str, stuck: str, figure: Figure
) -> None:
    world = World(what)
    play_out_s = 3.0
    async with MemoryPeer(world.session, exit_timeout_s=60) as peer:
        await world.session.started.wait()
        audio = OutputAudioRawFrame(bytes(2 * round(play_out_s * RATE)), RATE)
        await world.session.task.queue_frame(audio)
        await world.get_stuck(peer)
        begun_s = anyio.current_time()
        await world.session.task.queue_frame(EndFrame())
        await world.session.finished()
        took_s = anyio.current_time() - begun_s
    figure("P2", f"{what}, end with {play_out_s:g} s to play: over after {took_s:.2f} s")
    # What is left of the audio, the stall, and the steps that follow a stall.
    assert took_s <= play_out_s + STALL_BOUND_S + CANCEL_BOUND_S + TOLERANCE_S
    assert world.session.result.stuck == stuck


async def test_p02_what_swallows_its_cancellation_holds_run_up_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The limit: no task can be left behind, so `run` waits. Within the bound it says for whom."""

    class Clinging(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                with anyio.CancelScope(shield=True):
                    await let_go.wait()

        def abort(self) -> None:
            aborted_s.append(anyio.current_time())

    let_go = anyio.Event()
    aborted_s: list[float] = []
    session = Session(Clinging(name="clinging"))
    async with MemoryPeer(session, exit_timeout_s=600) as peer:
        await session.started.wait()
        await session.task.queue_frame(TextFrame("x"))
        await settle()
        begun_s = anyio.current_time()
        with caplog.at_level(logging.ERROR):
            await session.task.cancel()
            await anyio.sleep(60)
        assert not peer.app.finished.is_set()
        assert "the run waits for clinging" in caplog.text
        assert aborted_s[0] - begun_s <= 2 * CANCEL_BOUND_S
        let_go.set()
        let_go_s = anyio.current_time()
        await session.finished()
        assert anyio.current_time() - let_go_s <= TOLERANCE_S
    assert session.result.reason is EndReason.CANCELLED
    assert session.result.stuck == "clinging"
