"""P5: when the peer is gone the session is over within a second, whatever it was doing."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from tests.transport.sessions import RATE, Echo, Session
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    OutputAudioRawFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.graph import EndReason
from wsframes.testing import PROFILES, MemoryPeer, ServerProfile, settle

Figure = Callable[[str, str], None]


class Thinking(FrameProcessor):
    """A lane that thinks for a minute about each text."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            await anyio.sleep(60)
        await self.push_frame(frame, direction)


async def _idle(session: Session, peer: MemoryPeer) -> None:
    await settle()


async def _echo(session: Session, peer: MemoryPeer) -> None:
    for _ in range(10):
        await peer.send(bytes(640))


async def _play(session: Session, peer: MemoryPeer) -> None:
    await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * 30 * RATE), RATE))
    await anyio.sleep(0.5)


async def _drain(session: Session, peer: MemoryPeer) -> None:
    await _play(session, peer)
    await session.task.queue_frame(EndFrame())
    await anyio.sleep(0.5)


async def _think(session: Session, peer: MemoryPeer) -> None:
    await session.task.queue_frame(TextFrame("hm"))
    await settle()


async def _write(session: Session, peer: MemoryPeer) -> None:
    peer.stall()
    for _ in range(4):
        await session.task.queue_frame(TransportMessageFrame("x" * 40_000))
    await settle()


DOING: dict[str, Callable[[Session, MemoryPeer], Awaitable[None]]] = {
    "idle": _idle,
    "echoing": _echo,
    "playing": _play,
    "draining": _drain,
    "thinking": _think,
    "writing to it": _write,
}


@pytest.mark.parametrize("how", ["close", "half_close", "reset"])
@pytest.mark.parametrize("doing", DOING)
@pytest.mark.parametrize("profile", PROFILES)
async def test_p05_a_peer_that_is_gone_ends_the_session_within_a_second(
    profile: ServerProfile, doing: str, how: str, figure: Figure
) -> None:
    session = Session(Echo(), Thinking())
    async with MemoryPeer(session, profile=profile, exit_timeout_s=60) as peer:
        await session.started.wait()
        await DOING[doing](session, peer)
        gone_s = anyio.current_time()
        getattr(peer, how)()
        await session.finished()
        took_s = anyio.current_time() - gone_s
    figure("P5", f"{doing}, {how}: over after {took_s:.2f} s")
    assert took_s <= 1.0 + 1e-6
    assert session.result.reason in (EndReason.CLIENT_DISCONNECTED, EndReason.CLIENT_LOST)
    assert session.events.count("client_disconnected") == 1
