"""P3: a scripted session, broken off at every checkpoint and send, keeps P1, P2, P4 and P6."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import anyio
import pytest

from tests.guarantees.invariants import check_counts, check_events
from tests.guarantees.scale import scaled
from tests.guarantees.story import act, make_session, same_order
from tests.transport.sessions import Session
from wsframes.graph import EndReason
from wsframes.testing import (
    HYPERCORN,
    UVICORN_SANSIO,
    UVICORN_WEBSOCKETS,
    Checkpoints,
    FailingSends,
    MemoryPeer,
    ServerProfile,
)

Blow = Callable[[Session, MemoryPeer], object]
How = Literal["raises", "raises once", "hangs"]


class Performance:
    """The script, once. Whoever breaks it off says so in `blow`, which gets session and peer."""

    def __init__(self, number: int, profile: ServerProfile, blow: Blow | None = None) -> None:
        same_order(number)
        self.session = make_session()
        self.checkpoints = Checkpoints(number, blow and (lambda: blow(self.session, self.peer)))
        self.over_s = 0.0
        self.peer: MemoryPeer = self.on_stage(self.app, profile)

    async def app(self, *asgi: Any) -> None:
        try:
            await self.checkpoints.run(self.session, *asgi)
        finally:
            self.over_s = anyio.current_time()

    def on_stage(self, app: Any, profile: ServerProfile) -> MemoryPeer:
        return MemoryPeer(app, profile=profile, send_buffer_bytes=8192, exit_timeout_s=60)

    async def play(self) -> None:
        tasks = {task.id for task in anyio.get_running_tasks()}
        async with self.peer:
            async with anyio.create_task_group() as script:
                script.start_soon(act, self.session, self.peer)
                await self.peer.app.finished.wait()
                script.cancel_scope.cancel()
        assert {task.id for task in anyio.get_running_tasks()} == tasks, "P1"
        check_events(self.session)
        check_counts(self.session)

    def check_bound(self, since_s: float | None, bound_s: float) -> None:
        if since_s is not None:
            assert self.over_s - since_s <= bound_s + 1e-9, "P2"


def cancel_task(session: Session, peer: MemoryPeer) -> None:
    """`PipelineTask.cancel` never waits, so it can be called from anywhere."""
    with suppress(StopIteration):
        session.task.cancel().send(None)


def reset(session: Session, peer: MemoryPeer) -> None:
    peer.reset()


BLOWS: dict[str, Blow | None] = {
    "the caller is cancelled": None,
    "the task is cancelled": cancel_task,
    "the peer resets": reset,
}
SERVERS = (UVICORN_SANSIO, UVICORN_WEBSOCKETS, HYPERCORN)
ALL = list(itertools.product(BLOWS, SERVERS))
CASES = scaled(ALL[:: len(SERVERS) + 1], ALL)


@pytest.mark.parametrize(("blow", "profile"), CASES)
async def test_p03_a_session_can_be_ended_at_every_checkpoint(
    blow: str, profile: ServerProfile, figure: Callable[[str, str], None]
) -> None:
    number = 0
    reached = True
    while reached:
        number += 1
        performance = Performance(number, profile, BLOWS[blow])
        await performance.play()
        reached = performance.checkpoints.reached
        performance.check_bound(performance.checkpoints.reached_s, 1.0)
    assert performance.session.result.reason is EndReason.ENDED
    assert 300 <= performance.checkpoints.passed < number
    figure("P3", f"{blow}: over at {number - 1} of {number - 1} checkpoints")


class FailingPerformance(Performance):
    """One whose n-th send fails."""

    def __init__(self, number: int, profile: ServerProfile, how: How) -> None:
        super().__init__(0, profile)
        self.sends = FailingSends(self.app, number, how)
        self.peer = self.on_stage(self.sends, profile)


# Of the failure. A send that hangs has its write timeout, the accept the timeout of the start.
BOUNDS_S: dict[How, float] = {"raises": 1.0, "raises once": 1.0, "hangs": 6.0}
ACCEPT_BOUND_S = 11.0
REASONS: dict[How, EndReason] = {
    "raises": EndReason.CLIENT_LOST,
    "raises once": EndReason.CLIENT_LOST,
    "hangs": EndReason.SLOW_CLIENT,
}


@pytest.mark.parametrize("how", BOUNDS_S)
@pytest.mark.parametrize("profile", scaled([UVICORN_SANSIO], list(SERVERS)))
async def test_p03_each_send_may_be_the_first_that_fails(
    profile: ServerProfile, how: How, figure: Callable[[str, str], None]
) -> None:
    first: dict[str, Any] = {"type": "none"}
    number = 0
    while first:
        number += 1
        performance = FailingPerformance(number, profile, how)
        await performance.play()
        sends = performance.sends
        first = dict(sends.failed[0]) if sends.failed else {}
        bound_s, reason = BOUNDS_S[how], REASONS[how]
        if how == "hangs" and first.get("type") == "websocket.accept":
            bound_s, reason = ACCEPT_BOUND_S, EndReason.ERROR
        elif first.get("type") in (None, "websocket.close"):
            reason = EndReason.ENDED
        assert performance.session.result.reason is reason
        performance.check_bound(sends.failed_s, bound_s)
    assert set(sends.sends) == {"websocket.accept", "websocket.send", "websocket.close"}
    figure("P3", f"a send {how}: over with each of {number - 1} sends as the first")
