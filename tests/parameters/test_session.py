"""The parameters of limits and deadlines, each as it is seen from outside: `test_` and its name."""

import anyio
import pytest

from tests.transport.sessions import Echo, Session, audio_of, sound
from wsframes import EndFrame, Frame, TransportMessageFrame
from wsframes.exceptions import DecodeError
from wsframes.graph import EndReason
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import UVICORN_WEBSOCKETS, MemoryPeer, settle


@pytest.mark.parametrize(
    ("ends", "reason"), [(True, EndReason.CLIENT_DISCONNECTED), (False, EndReason.ENDED)]
)
async def test_end_on_disconnect(ends: bool, reason: EndReason) -> None:
    """On: the session ends when the peer is gone. Off: it goes on, and can be ended later."""
    session = Session(end_on_disconnect=ends)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.close(4001)
        await anyio.sleep(0.9)
        assert session.events.count("client_disconnected") == 1
        assert bool(session.results) is ends
        await session.task.queue_frame(EndFrame())  # refused where it is over already
        await session.finished()
    assert session.result.reason is reason
    assert session.result.close_code == 4001


@pytest.mark.parametrize("timeout_s", [0.5, 3.0])
async def test_write_timeout(timeout_s: float) -> None:
    """A peer that does not read for this long, and a second for each 64 KiB, is slow."""
    size = 1 << 17
    session = Session(write_timeout=timeout_s)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.stall()
        begun_s = anyio.current_time()
        message = TransportMessageFrame("x" * (size - 2))  # and two quotes
        await session.task.queue_frames([message] * 2)  # the first fills the way to the peer
        await session.finished()
        told_s = session.event_times_s[session.events.index("client_disconnected")]
        assert told_s - begun_s == pytest.approx(timeout_s + 2, abs=0.01)
    assert session.result.reason is EndReason.SLOW_CLIENT
    assert session.result.close_code == 1013


@pytest.mark.parametrize("timeout_s", [0.1, 2.0])
async def test_close_timeout(timeout_s: float) -> None:
    """For so long the close waits for a peer that does not answer it."""
    session = Session(close_timeout=timeout_s)
    async with MemoryPeer(session, profile=UVICORN_WEBSOCKETS, answers_close=False):
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frame(EndFrame())
        await session.finished()
        assert anyio.current_time() - begun_s == pytest.approx(timeout_s, abs=0.01)
    assert session.result.reason is EndReason.ENDED


async def test_max_message_bytes() -> None:
    """A message of this size is taken, and one that is larger ends the session."""
    session = Session(Echo(), max_message_bytes=1280)
    async with MemoryPeer(session) as peer:
        await peer.send(sound(0.04))
        assert await peer.receive() == sound(0.04)
        await peer.send(sound(0.04) + b"x")
        assert await peer.wait_closed() == (1009, "bad_input")
    assert session.result.error == "a message of 1281 bytes"
    assert session.transport.input().dropped == {"too_big": 1}


class Refusing(RawAudioSerializer):
    """Finds text bad."""

    def deserialize(self, data: str | bytes) -> Frame:
        if isinstance(data, str):
            raise DecodeError("text")
        return super().deserialize(data)


async def test_max_bad_messages() -> None:
    """So many within ten seconds end the session, and each is told; fewer do not."""
    session = Session(Echo(), serializer=Refusing(16000), max_bad_messages=3)
    async with MemoryPeer(session) as peer:
        for _ in range(4):  # two in any ten seconds
            await peer.send("bad")
            await peer.send(sound(0.04))
            assert await peer.receive() == sound(0.04)
            await anyio.sleep(6)
        assert len(session.errors) == 4
        await anyio.sleep(10)
        for _ in range(3):
            assert session.results == []
            await peer.send("bad")
            await settle()
        assert await peer.wait_closed() == (1007, "bad_input")
    assert session.transport.input().dropped == {"bad_message": 7}


async def test_max_messages_per_s() -> None:
    """A peer that sends more is read at this rate, after two seconds' worth at once."""
    for rate, seconds in ((20, 8), (100, 0), (None, 0)):
        session = Session(max_messages_per_s=rate)
        async with MemoryPeer(session, receive_buffer_messages=1) as peer:
            await session.started.wait()
            begun_s = anyio.current_time()
            for _ in range(200):
                await peer.send(sound(0.04))
            await settle()
            assert anyio.current_time() - begun_s == pytest.approx(
                seconds, abs=0.16
            )  # 3 on the way
            await anyio.sleep(1)
            statistics = session.transport.input().statistics()
            assert (statistics.taken, statistics.dropped) == (200, {})
            assert (statistics.throttled > 0) is (seconds > 0)


async def test_max_bytes_per_s() -> None:
    """A peer that sends more is read at this rate, after two seconds' worth at once."""
    for rate, seconds in ((12800, 3), (32000, 0), (None, 0)):
        session = Session(max_bytes_per_s=rate)
        async with MemoryPeer(session, receive_buffer_messages=1) as peer:
            await session.started.wait()
            begun_s = anyio.current_time()
            for _ in range(50):
                await peer.send(sound(0.04))  # 1280 bytes
            await settle()
            assert anyio.current_time() - begun_s == pytest.approx(
                seconds, abs=0.31
            )  # 3 on the way
            await anyio.sleep(1)
            statistics = session.transport.input().statistics()
            assert (statistics.taken, statistics.dropped) == (50, {})
            assert (statistics.throttled > 0) is (seconds > 0)


async def test_flood_policy() -> None:
    """What becomes of a peer that sends faster: it is read no faster, or the session ends."""
    session = Session(flood_policy="wait", max_messages_per_s=10)
    async with MemoryPeer(session) as peer:
        for _ in range(40):
            await peer.send(sound(0.04))
        await anyio.sleep(2)
        assert session.results == []
        assert session.transport.input().statistics().taken == 40

    session = Session(flood_policy="close", max_messages_per_s=10)
    async with MemoryPeer(session, receive_buffer_messages=64) as peer:
        await peer.connect()
        for _ in range(40):
            peer.send_nowait(sound(0.04))
        assert await peer.wait_closed() == (1008, "bad_input")
    assert session.result.error == "the peer sends faster than it may"


@pytest.mark.parametrize("timeout_s", [10.0, 3600.0])
async def test_receive_timeout(timeout_s: float) -> None:
    """A peer that sends nothing for so long, or an eighth longer, is told so and let go."""
    session = Session(Echo(), receive_timeout=timeout_s)
    async with MemoryPeer(session) as peer:
        for _ in range(3):
            await peer.send(sound(0.04))
            await anyio.sleep(timeout_s - 1)
        assert session.results == []
        assert await peer.wait_closed() == (1000, "idle_timeout")
        silent_s = anyio.current_time() - 2 * (timeout_s - 1)
        assert timeout_s <= silent_s <= timeout_s * 9 / 8 + 1e-6
    assert audio_of(peer) == sound(0.04) * 3
    assert session.result.reason is EndReason.IDLE_TIMEOUT
