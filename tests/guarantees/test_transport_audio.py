"""P12, P13, P14: audio through a whole session keeps its time and its samples, on every server."""

from collections.abc import Callable
from itertools import pairwise

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import CHUNK_MS, SAMPLE_RATES
from tests.transport.sessions import Echo, Session, audio_of, sound
from wsframes import EndFrame, OutputAudioRawFrame, TextFrame, TransportMessageFrame
from wsframes.audio.pcm import remix
from wsframes.graph import EndReason
from wsframes.serializers import MsgpackFrameSerializer, RawAudioSerializer
from wsframes.testing import PROFILES, MemoryPeer, ServerProfile, run_virtual, settle

every_profile = pytest.mark.parametrize("profile", PROFILES)


def times_of(peer: MemoryPeer) -> list[float]:
    return [message.time_s for message in peer.received if isinstance(message.data, bytes)]


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("chunk_ms", CHUNK_MS)
@pytest.mark.parametrize("rate", SAMPLE_RATES)
async def test_p12_every_chunk_is_at_the_peer_at_its_time(
    rate: int, chunk_ms: int, num_channels: int, figure: Callable[[str, str], None]
) -> None:
    """P12: chunk n at `n / rate - lead`, exact to the microsecond."""
    session = Session(
        serializer=RawAudioSerializer(rate, num_channels),
        audio_out_channels=num_channels,
        audio_out_10ms_chunks=chunk_ms // 10,
    )
    whole = sound(2, rate, num_channels)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        start_s = anyio.current_time()
        await session.task.queue_frames(
            [OutputAudioRawFrame(whole, rate, num_channels), EndFrame()]
        )
        await peer.wait_closed()
        assert anyio.current_time() - start_s == pytest.approx(2.0, abs=1e-6)
        assert audio_of(peer) == whole
        chunk = rate * chunk_ms // 1000
        due_s = [max(0.0, n * chunk / rate - 0.2) for n in range(len(times_of(peer)))]
        off_s = [time_s - start_s - due for time_s, due in zip(times_of(peer), due_s, strict=True)]
        worst_us = max(map(abs, off_s)) * 1e6
        figure("P12", f"{rate} Hz x {num_channels}, {chunk_ms} ms: {worst_us:.3f} us off at worst")
        assert [time_s - start_s for time_s in times_of(peer)] == pytest.approx(due_s, abs=1e-6)


@pytest.mark.parametrize("lead_ms", [0, 20, 200, 2000])
async def test_p12_the_lead_is_what_is_set(lead_ms: int) -> None:
    """P12: the peer holds so much that it has not played, and never more than a chunk beyond it."""
    session = Session(audio_out_lead_ms=lead_ms, audio_out_10ms_chunks=2)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        start_s = anyio.current_time()
        await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * 16000 * 10), 16000))
        held_s = []
        for _ in range(90):
            await anyio.sleep(0.1)
            sent_s = len(audio_of(peer)) / 32000
            held_s.append(sent_s - (anyio.current_time() - start_s))
        steady_s = [held for held in held_s[:70] if held is not None]
        assert min(steady_s) >= lead_ms / 1000 - 1e-6
        assert max(steady_s) <= lead_ms / 1000 + 0.02 + 1e-6


async def test_p12_nothing_drifts_in_an_hour() -> None:
    """P12: the last chunk is as exact as the first. (`test_pacer` has the day.)"""
    session = Session(
        serializer=RawAudioSerializer(8000), audio_out_10ms_chunks=200, audio_out_lead_ms=0
    )
    two_seconds = OutputAudioRawFrame(bytes(32_000), 8000)
    async with MemoryPeer(session, keep_received=1) as peer:
        await session.started.wait()
        start_s = anyio.current_time()
        for _ in range(1800):
            await session.task.queue_frame(two_seconds)
        await session.task.stop_when_done()
        await peer.wait_closed()
        assert anyio.current_time() - start_s == pytest.approx(3600, abs=1e-6)
        (last,) = peer.received
        assert last.time_s - start_s == pytest.approx(3598, abs=1e-6)


async def test_p12_a_stall_of_500_ms_is_regained_within_a_second(
    figure: Callable[[str, str], None],
) -> None:
    """P12: a peer that did not read for so long has all that it should have right after."""
    session = Session(audio_out_10ms_chunks=2, audio_out_lead_ms=200)
    async with MemoryPeer(session, send_buffer_bytes=640) as peer:
        await session.started.wait()
        start_s = anyio.current_time()
        await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * 16000 * 4), 16000))
        await anyio.sleep(1)
        peer.stall()
        await anyio.sleep(0.5)
        peer.resume()
        await anyio.sleep(3)
        late_s = [
            time_s - start_s - max(0.0, n * 0.02 - 0.2) for n, time_s in enumerate(times_of(peer))
        ]
        assert max(late_s) <= 0.5 + 1e-6
        regained_s = [
            t - start_s for t, late in zip(times_of(peer), late_s, strict=True) if late > 1e-6
        ]
        figure("P12", f"a stall of 500 ms was regained after {max(regained_s) - 1.5:.3f} s")
        assert max(regained_s) <= 1.5 + 1.0


async def test_an_echo_in_real_time_is_late_by_no_more_than_its_chunk() -> None:
    session = Session(Echo(), audio_out_10ms_chunks=2)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        sent_s = []
        for n in range(500):
            await peer.send(sound(0.02, first=n))
            sent_s.append(anyio.current_time())
            await anyio.sleep(0.02)
        assert audio_of(peer) == b"".join(sound(0.02, first=n) for n in range(500))
        late_s = [b - a for a, b in zip(sent_s, times_of(peer), strict=True)]
        assert max(late_s) == pytest.approx(0.0, abs=1e-6)


# --- samples


@every_profile
@pytest.mark.parametrize("how", ["end", "idle", "message"])
async def test_p13_the_last_samples_are_sent(profile: ServerProfile, how: str) -> None:
    """P13: the last, short chunk too: at the end, when nothing follows, before a message."""
    session = Session()
    whole = sound(0.5) + sound(0.0137, first=9)
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(whole, 16000))
        if how == "end":
            await session.task.stop_when_done()
            assert (await peer.wait_closed()).code == 1000
        elif how == "message":
            await session.task.queue_frame(TransportMessageFrame("behind it"))
            while not isinstance(await peer.receive(), str):
                pass
        else:
            await anyio.sleep(1)
        assert audio_of(peer) == whole
    assert session.transport.output().statistics()[None].audio_dropped == {}


@every_profile
async def test_p13_the_socket_closes_when_the_last_sample_has_been_played(
    profile: ServerProfile,
) -> None:
    """P13: and neither before nor long after."""
    session = Session(audio_out_lead_ms=1000)
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        start_s = anyio.current_time()
        await session.task.queue_frames([OutputAudioRawFrame(sound(3), 16000), EndFrame()])
        await peer.wait_closed()
        assert 3.0 - 1e-6 <= anyio.current_time() - start_s <= 3.0 + 1e-6
    assert session.result.reason is EndReason.ENDED


@pytest.mark.parametrize(("come", "go"), [(1, 2), (2, 1), (2, 2), (1, 1), (3, 2)])
async def test_p13_channels_are_converted_and_never_relabelled(come: int, go: int) -> None:
    """P13: as long as before, and sample by sample what `remix` makes of it."""
    session = Session(audio_out_channels=go, serializer=RawAudioSerializer(16000, go))
    whole = sound(1.0, num_channels=come)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        start_s = anyio.current_time()
        await session.task.queue_frames([OutputAudioRawFrame(whole, 16000, come), EndFrame()])
        await peer.wait_closed()
        assert audio_of(peer) == remix(whole, come, go)
        assert anyio.current_time() - start_s == pytest.approx(1.0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=60)
@given(
    data=st.data(),
    size=st.integers(0, 6000),
    num_channels=st.sampled_from([1, 2]),
    between=st.sampled_from([None, TextFrame, TransportMessageFrame]),
)
def test_p14_audio_cut_anywhere_is_bit_exact(
    backend: str, data: st.DataObject, size: int, num_channels: int, between: type | None
) -> None:
    """P14: a stream cut anywhere, with other frames between its pieces, arrives whole."""
    frame_bytes = 2 * num_channels
    whole = sound(0.3, num_channels=num_channels)[: size // frame_bytes * frame_bytes]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    pieces = [whole[a:b] for a, b in pairwise([0, *cuts, len(whole)])]

    async def main() -> None:
        session = Session(
            serializer=RawAudioSerializer(16000, num_channels), audio_out_channels=num_channels
        )
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            for piece in pieces:
                frame = OutputAudioRawFrame(piece, 16000, num_channels)
                await session.task.queue_frame(frame)
                if between is not None:
                    await session.task.queue_frame(between("x"))
            await session.task.stop_when_done()
            await peer.wait_closed()
            assert audio_of(peer) == whole
        assert session.transport.output().statistics()[None].odd_bytes == 0

    run_virtual(main, backend=backend)  # type: ignore[arg-type]


@every_profile
async def test_messages_cut_anywhere_are_bit_exact_through_an_echo(profile: ServerProfile) -> None:
    """P14: in at one odd place and out at another, and nothing shifts."""
    whole = sound(2.0)
    session = Session(Echo())
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        position = sent = 0
        while position < len(whole):
            size = sent * 7 % 311
            await peer.send(whole[position : position + size])
            position += size
            sent += 1
            if sent % 20 == 0:
                await anyio.sleep(0.001)
        await anyio.sleep(0.01)  # what is sent is read
        await session.task.stop_when_done()
        await peer.wait_closed()
        assert audio_of(peer) == whole


async def test_msgpack_carries_rate_and_channels_as_they_are() -> None:
    """P13: what is said about the audio is true of it."""
    session = Session(serializer=MsgpackFrameSerializer(), audio_out_channels=2)
    reader = MsgpackFrameSerializer(client=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for rate in (8000, 44100):
            await session.task.queue_frame(OutputAudioRawFrame(sound(0.1, rate), rate))
            await settle()
        await anyio.sleep(1)
        frames = [reader.deserialize(message.data) for message in peer.received]
    formats = [(frame.sample_rate, frame.num_channels) for frame in frames]  # type: ignore[attr-defined]
    assert set(formats) == {(8000, 2), (44100, 2)}
    samples = sum(frame.num_frames / frame.sample_rate for frame in frames)  # type: ignore[attr-defined]
    assert samples == pytest.approx(0.2)
