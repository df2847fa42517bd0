"""P9: every write of any kind has a deadline; a shorter pause loses nothing."""

from collections.abc import Callable

import anyio
import pytest

from tests.transport.sessions import RATE, Session, audio_of, sound
from tests.transport.test_lifetime import CANCELLABLE, WRITES, WithEnd
from wsframes import OutputAudioRawFrame, TransportMessageFrame
from wsframes.graph import EndReason
from wsframes.testing import MemoryPeer, ServerProfile

Figure = Callable[[str, str], None]


@pytest.mark.parametrize("profile", CANCELLABLE)
async def test_every_kind_of_write_to_a_peer_that_does_not_read(
    profile: ServerProfile, figure: Figure
) -> None:
    """P9: five seconds after it has begun the peer is slow (1013), whatever was written."""
    late_s = 0.0
    for frame in WRITES.values():
        session = Session(serializer=WithEnd())
        async with MemoryPeer(session, profile=profile, exit_timeout_s=60) as peer:
            await session.started.wait()
            peer.stall()
            await session.transport.client.send("x" * (65_536 + profile.waits_before_write))
            begun_s = anyio.current_time()
            await session.task.queue_frame(frame.replace())
            await session.finished()
        assert session.result.reason is EndReason.SLOW_CLIENT
        assert session.result.close_code == 1013
        told_s = session.event_times_s[session.events.index("client_disconnected")] - begun_s
        assert told_s == pytest.approx(5.0, abs=0.03)
        late_s = max(late_s, anyio.current_time() - begun_s)
        assert late_s <= 6.03
    figure("P9", f"{profile.name}: {len(WRITES)} kinds of write, over at most {late_s:.2f} s later")


@pytest.mark.parametrize("pause_s", [1.0, 4.9])
async def test_a_pause_loses_nothing(pause_s: float, figure: Figure) -> None:
    """P9: one that is shorter than the deadline, in the middle of speech."""
    speech = sound(20)
    session = Session(audio_out_lead_ms=30_000, audio_out_queue_ms=30_000)
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(speech, RATE))
        peer.stall()
        await anyio.sleep(pause_s)
        peer.resume()
        await session.task.stop_when_done()
        assert (await peer.wait_closed()).code == 1000
    assert audio_of(peer) == speech
    figure("P9", f"a pause of {pause_s} s: {len(speech)} of {len(speech)} bytes")


async def test_a_mebibyte_over_a_megabit_a_second(figure: Figure) -> None:
    """P9: its size gives it the time."""
    session = Session()
    text = "x" * (1 << 20)
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        await session.started.wait()
        peer.read_rate(125_000)
        begun_s = anyio.current_time()
        await session.task.queue_frame(TransportMessageFrame(text))
        assert await peer.receive() == f'"{text}"'
        took_s = anyio.current_time() - begun_s
        assert session.results == []
    figure("P9", f"a message of 1 MiB over 1 Mbit/s: delivered after {took_s:.1f} s")
