"""P7, P8: whoever is slow, memory stays flat and the fast one waits."""

import tracemalloc
from collections.abc import Callable

import anyio
import pytest

from tests.transport.sessions import RATE, Echo, Session, audio_of
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    OutputAudioRawFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.graph import EndReason
from wsframes.serializers import MsgpackFrameSerializer, RawAudioSerializer
from wsframes.testing import PROFILES, MemoryPeer, ServerProfile

MIB = 1 << 20


class Slow(FrameProcessor):
    """A lane that takes a tenth of a second for each frame."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not frame.lifecycle:
            await anyio.sleep(0.1)


MESSAGES: dict[str, str | bytes] = {
    "audio": bytes(640),
    "long audio": bytes(64_000),
    "long text": '"' + "x" * 10_000 + '"',
    "short text": "1",
}


@pytest.mark.parametrize(
    ("profile", "kind"),
    [(profile, "audio") for profile in PROFILES]
    + [(PROFILES[0], kind) for kind in MESSAGES if kind != "audio"],
)
async def test_p07_a_flood_into_a_slow_lane_stops_the_reading(
    profile: ServerProfile, kind: str, figure: Callable[[str, str], None]
) -> None:
    """P7: 60 s of as much as is read; nothing is lost and memory grows by no more than 8 MiB."""
    session = Session(Slow())
    sent = 0
    tracemalloc.start()
    async with MemoryPeer(session, profile=profile, exit_timeout_s=60) as peer:
        await session.started.wait()
        before, _ = tracemalloc.get_traced_memory()
        with anyio.move_on_after(60):
            while True:
                await peer.send(MESSAGES[kind])
                sent += 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        figure("P7", f"60 s of {kind}, as fast as it is read: {(most - before) / MIB:+.2f} MiB")
        assert most - before <= 8 * MIB
        assert 600 <= sent <= 600 + 256 + 16 + 1 + 128
        assert session.results == []
        assert session.transport.input().dropped == {}


async def test_a_flooding_peer_that_leaves_is_noticed_when_the_pipeline_goes_on() -> None:
    """What the reading was stopped for comes first: no message that was sent is lost."""
    slow = Slow(name="slow")
    session = Session(slow)
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        with anyio.move_on_after(5):
            while True:
                await peer.send(bytes(640))
        peer.close(4001)
        await session.finished()
    assert session.result.close_code == 4001
    assert (
        session.transport.input().statistics().taken == peer.statistics().to_app.delivered.messages
    )


async def test_p08_a_flood_through_an_echo_is_as_fast_as_it_is_played() -> None:
    """P8: the output is full, so the reading waits, and in the end the peer does."""
    session = Session(Echo())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        sent = 0
        with anyio.move_on_after(60):
            while True:
                await peer.send(bytes(640))
                sent += 1
        queued_s = sent * 0.02 - 60.2
        assert queued_s <= 5 + 256 * 0.02 + 16 * 0.02 + 0.1
        assert session.results == []
        assert session.transport.output().statistics()[None].audio_dropped == {}


@pytest.mark.parametrize("seconds", [0.02, 1.0, 30.0])
async def test_p08_a_producer_of_audio_waits_for_its_playing(seconds: float) -> None:
    """P8: what is queued is 5 s in the sender and 256 frames or 1 MiB before it."""
    session = Session(audio_out_queue_ms=5000)
    frame = OutputAudioRawFrame(bytes(2 * round(seconds * RATE)), RATE)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        pushed = 0
        with anyio.move_on_after(100):
            while True:
                await session.task.queue_frame(frame)
                pushed += 1
        waiting_s = pushed * seconds - len(audio_of(peer)) / 2 / RATE
        in_lane_s = min(256 * seconds, MIB / 2 / RATE + seconds)
        assert waiting_s <= 5 + seconds + in_lane_s + seconds
        assert session.results == []


async def test_p08_a_producer_of_messages_waits_for_a_peer_that_reads_slowly() -> None:
    session = Session(serializer=MsgpackFrameSerializer())
    tracemalloc.start()
    async with MemoryPeer(session, keep_received=1) as peer:
        await session.started.wait()
        peer.read_rate(1_000_000)
        before, _ = tracemalloc.get_traced_memory()
        with anyio.move_on_after(60):
            while True:
                await session.task.queue_frame(TransportMessageFrame("x" * 50_000))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most - before <= 8 * MIB
        read = peer.statistics().to_peer.delivered.bytes
        assert read == pytest.approx(60e6, rel=0.01)
        assert session.results == []


async def test_p07_a_producer_that_never_waits_ends_the_session() -> None:
    """P7: `push_frame_nowait` cannot wait, so what is too much is the end, and not the memory's."""
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for _ in range(20_000):
            session.tap.push_frame_nowait(TextFrame("x"))
        assert (await peer.wait_closed()).code == 1013
    assert session.result.reason is EndReason.OVERLOAD


async def test_a_slow_destination_does_not_hold_up_another_session() -> None:
    slow, other = Session(Slow()), Session(Echo())
    async with MemoryPeer(slow, exit_timeout_s=60) as one, MemoryPeer(other) as two:
        await slow.started.wait()
        await other.started.wait()
        for n in range(100):
            with anyio.move_on_after(0.01):
                for _ in range(100):
                    await one.send(bytes(640))
            asked_s = anyio.current_time()
            await two.send(bytes(1280))
            await two.receive()
            if n < 4:  # within the lead: then it waits for its time
                assert anyio.current_time() == asked_s


async def test_raw_audio_in_every_size_is_taken_or_refused_and_counted() -> None:
    """Nothing at all, one byte, two seconds, a byte more, and so on."""
    session = Session(Echo(), serializer=RawAudioSerializer(8000), max_bad_messages=100)
    sizes = [0, 1, 2, 3, 31_999, 32_000, 32_001, 33_000, 5]
    async with MemoryPeer(session) as peer:
        for size in sizes:
            await peer.send(bytes(size))
        await anyio.sleep(20)
        sent = sum(size for size in sizes if size <= 32_000)
        assert len(audio_of(peer)) == sent
    assert session.transport.input().dropped == {"bad_message": 2}
