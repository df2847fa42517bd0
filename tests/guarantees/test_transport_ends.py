"""P1, P2, P5: when `run()` has returned nothing is left; and it returns in time."""

import gc
import weakref
from collections.abc import Awaitable, Callable

import anyio
import pytest

from tests.transport.sessions import RATE, Echo, Session
from wsframes import (
    EndFrame,
    FrameProcessor,
    InterruptionFrame,
    OutputAudioRawFrame,
    TransportMessageFrame,
)
from wsframes.graph import EndReason
from wsframes.testing import PROFILES, MemoryPeer, ServerProfile, settle
from wsframes.transport import WebsocketTransport

every_profile = pytest.mark.parametrize("profile", PROFILES)

Ending = Callable[[Session, MemoryPeer], Awaitable[None]]


async def _end(session: Session, peer: MemoryPeer) -> None:
    await session.task.stop_when_done()


async def _cancel(session: Session, peer: MemoryPeer) -> None:
    await session.task.cancel()


async def _close(session: Session, peer: MemoryPeer) -> None:
    peer.close(4000)


async def _reset(session: Session, peer: MemoryPeer) -> None:
    peer.reset()


async def _fail(session: Session, peer: MemoryPeer) -> None:
    session.tap.push_error("x", fatal=True)


async def _overload(session: Session, peer: MemoryPeer) -> None:
    for _ in range(20_000):
        session.tap.push_frame_nowait(TransportMessageFrame("x"))


async def _bad_input(session: Session, peer: MemoryPeer) -> None:
    for _ in range(10):
        await peer.send("{")


ENDINGS: dict[str, Ending] = {
    "end": _end,
    "cancel": _cancel,
    "close": _close,
    "reset": _reset,
    "error": _fail,
    "overload": _overload,
    "bad input": _bad_input,
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_p01_nothing_of_a_session_is_left(ending: str) -> None:
    """P1: no task, and nothing that could not be collected."""
    tasks = {task.id for task in anyio.get_running_tasks()}
    left: list[weakref.ref[object]] = []

    async def live(profile: ServerProfile) -> None:
        session = Session(Echo())
        async with MemoryPeer(session, profile=profile) as peer:
            await session.started.wait()
            await peer.send(bytes(1280))
            await peer.receive()
            await ENDINGS[ending](session, peer)
            await session.finished()
        assert isinstance(session.transport, WebsocketTransport)
        left.extend([weakref.ref(session.transport), weakref.ref(session.task)])

    for profile in PROFILES:
        await live(profile)
        assert {task.id for task in anyio.get_running_tasks()} == tasks
    gc.collect()
    assert [ref() for ref in left] == [None] * 2 * len(PROFILES)


CANCELLABLE = [profile for profile in PROFILES if not profile.shields_send]


@pytest.mark.parametrize("profile", CANCELLABLE)
@pytest.mark.parametrize("reads", [True, False])
async def test_a_session_can_be_cancelled_at_any_point(profile: ServerProfile, reads: bool) -> None:
    """P3: after every number of steps of a scripted session, it is over within a second."""
    reasons = set()
    for steps in range(0, 160, 3):
        session = Session(Echo())
        tasks = {task.id for task in anyio.get_running_tasks()}
        async with MemoryPeer(session, profile=profile, exit_timeout_s=60) as peer:
            await peer.connect()
            if not reads:
                peer.stall()
            async with anyio.create_task_group() as script:
                script.start_soon(_script, session, peer)
                await settle(steps)
                begun_s = anyio.current_time()
                await session.task.cancel()
                await session.finished()
                assert anyio.current_time() - begun_s <= 1.0 + 1e-9
                script.cancel_scope.cancel()
        reasons.add(session.result.reason)
        assert session.events.count("client_disconnected") == 0
        assert session.events[-1] == "pipeline_finished"
        assert {task.id for task in anyio.get_running_tasks()} == tasks
    assert EndReason.CANCELLED in reasons


async def _script(session: Session, peer: MemoryPeer) -> None:
    await session.started.wait()
    await peer.send(bytes(1281))
    await session.task.queue_frame(OutputAudioRawFrame(bytes(20_000), RATE))
    await session.task.queue_frame(TransportMessageFrame("x" * 40_000))
    await session.task.queue_frame(TransportMessageFrame("x" * 40_000))
    await session.task.queue_frame(TransportMessageFrame("x" * 40_000))
    await session.task.queue_frame(InterruptionFrame())
    await settle(10)
    await session.task.queue_frame(EndFrame())
    await anyio.sleep_forever()


@pytest.mark.parametrize("profile", CANCELLABLE)
@pytest.mark.parametrize("reads", [True, False])
async def test_p02_the_caller_may_cancel_run_itself(profile: ServerProfile, reads: bool) -> None:
    """P1, P2: as any coroutine; the peer is told and nothing is left."""
    session = Session()
    tasks = {task.id for task in anyio.get_running_tasks()}
    took_s: list[float] = []

    async def app(*asgi: object) -> None:
        with anyio.move_on_after(2):
            await session(*asgi)  # type: ignore[arg-type]
        took_s.append(anyio.current_time())

    async with MemoryPeer(app, profile=profile, exit_timeout_s=60) as peer:
        await session.started.wait()
        if not reads:
            peer.stall()
        for _ in range(4):
            await session.task.queue_frame(TransportMessageFrame("x" * 40_000))
        await peer.app.finished.wait()
        peer.resume()
        closed = await peer.wait_closed()
        assert closed.code == 1001 or not reads
    assert took_s[0] <= 3.0 + 1e-9
    assert session.events[-1] == "pipeline_finished"
    assert {task.id for task in anyio.get_running_tasks()} == tasks


@every_profile
@pytest.mark.parametrize("left", [0.0, 0.3, 3.0])
async def test_p02_an_end_costs_the_remaining_play_out(profile: ServerProfile, left: float) -> None:
    """P2: and no more, where the peer answers."""
    session = Session()
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * round(left * RATE)), RATE))
        await session.task.stop_when_done()
        await session.finished()
        assert anyio.current_time() - begun_s == pytest.approx(left, abs=1e-6)
        assert (await peer.wait_closed()).code == 1000


async def test_cleaning_up_once_more_changes_nothing() -> None:
    session = Session(FrameProcessor())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.stop_when_done()
        await session.finished()
        for end in (session.transport.input(), session.transport.output()):
            await end.cleanup()
        assert (await peer.wait_closed()).code == 1000
    assert peer.statistics().sends_after_close == 0
