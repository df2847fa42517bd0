"""P20: idle and age end the session, with code and cause, and no ping of any server."""

from collections.abc import Callable

import anyio
import pytest

from tests.transport.sessions import Session
from wsframes.graph import EndReason
from wsframes.testing import PROFILES, MemoryPeer, ServerProfile, settle

Figure = Callable[[str, str], None]

every_profile = pytest.mark.parametrize("profile", PROFILES)


@every_profile
async def test_age(profile: ServerProfile, figure: Figure) -> None:
    """P20: to the second, however busy it is."""
    session = Session(session_timeout=600)
    async with MemoryPeer(session, profile=profile) as peer:
        async with anyio.create_task_group() as tasks:

            async def talk() -> None:
                while True:
                    await peer.send(bytes(640))
                    await anyio.sleep(1)

            tasks.start_soon(talk)
            await session.finished()
            tasks.cancel_scope.cancel()
        assert await peer.wait_closed() == (1000, "session_timeout")
    assert session.result.reason is EndReason.SESSION_TIMEOUT
    assert session.event_times_s[-1] == pytest.approx(600, abs=1)
    assert "session_timeout" in session.events
    figure("P20", f"age: over after {session.event_times_s[-1]:.2f} s of 600, 1000")


@every_profile
@pytest.mark.parametrize("vanished", [False, True], ids=["silent", "half-open"])
async def test_idle(profile: ServerProfile, vanished: bool, figure: Figure) -> None:
    """P20: within an eighth more than was set, also of a peer whose cable was cut."""
    session = Session(receive_timeout=80)
    async with MemoryPeer(session, profile=profile, exit_timeout_s=100) as peer:
        await peer.send(bytes(640))
        await settle()
        if vanished:
            peer.vanish()
        await session.finished()
        closed = (1006, "") if vanished else (1000, "idle_timeout")
        assert await peer.wait_closed() == closed
    assert session.result.reason is EndReason.IDLE_TIMEOUT
    assert 80 <= session.event_times_s[-1] <= 91
    figure("P20", f"idle: over after {session.event_times_s[-1]:.1f} s of 80")
