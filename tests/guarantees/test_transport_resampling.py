"""P13: audio at another rate through a whole session is as long as before, whatever the formats."""

import math
from array import array
from itertools import pairwise

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import SAMPLE_RATES
from tests.transport.sessions import Session, audio_of, sound
from wsframes import EndFrame, OutputAudioRawFrame
from wsframes.audio.pcm import frame_count, remix
from wsframes.audio.resample import StreamResampler
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer, run_virtual


def session_at(rate: int, channels: int) -> Session:
    return Session(
        serializer=RawAudioSerializer(rate, channels),
        audio_out_sample_rate=rate,
        audio_out_channels=channels,
    )


@pytest.mark.parametrize("go", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("come", SAMPLE_RATES)
async def test_samples_on_the_wire_are_samples_in_times_the_ratio(come: int, go: int) -> None:
    session = session_at(go, 1)
    whole = sound(1.7, come)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frames([OutputAudioRawFrame(whole, come), EndFrame()])
        await peer.wait_closed()
        sent = len(audio_of(peer)) // 2
        assert sent == pytest.approx(len(whole) / 2 * go / come, abs=1)
        assert anyio.current_time() - begun_s == pytest.approx(1.7, abs=0.001)
    statistics = session.transport.output().statistics()[None]
    assert statistics.audio_taken == statistics.audio_sent == sent


@pytest.mark.parametrize(("come", "go"), [(1, 2), (2, 1), (2, 2), (6, 1)])
async def test_channels_are_mixed_and_kept_apart(come: int, go: int) -> None:
    """What is sent is what the channels, mixed and then resampled, are."""
    session = session_at(8000, go)
    whole = sound(0.5, 24000, come)
    resampler = StreamResampler(24000, 8000, go)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(whole, 24000, come), EndFrame()])
        await peer.wait_closed()
        expected = resampler.push(remix(whole, come, go)) + resampler.flush()
        assert audio_of(peer) == expected


async def test_one_channel_is_not_heard_in_the_other() -> None:
    session = session_at(16000, 2)
    tone = [round(12000 * math.sin(n / 9)) for n in range(24000)]
    stereo = array("h", [value for each in tone for value in (each, 0)]).tobytes()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(stereo, 24000, 2), EndFrame()])
        await peer.wait_closed()
        samples = array("h", audio_of(peer))
    assert max(samples[::2]) > 11000
    assert set(samples[1::2]) == {0}


async def test_the_last_samples_come_when_nothing_follows() -> None:
    """Nobody has to say that it is over."""
    session = session_at(8000, 1)
    whole = sound(1.0, 16000)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for n in range(3):
            await session.task.queue_frame(OutputAudioRawFrame(whole, 16000))
            await anyio.sleep(3)
            assert frame_count(audio_of(peer), 1) == 8000 * (n + 1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=25)
@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(SAMPLE_RATES), st.integers(1, 2), st.floats(0, 0.2)),
        max_size=6,
    ),
    go=st.sampled_from(SAMPLE_RATES),
)
def test_formats_that_change_at_every_piece_lose_nothing(
    backend: str, pieces: list[tuple[int, int, float]], go: int
) -> None:
    """So many seconds in, so many out, to a sample for each change."""
    frames = [
        OutputAudioRawFrame(sound(seconds, rate, channels), rate, channels)
        for rate, channels, seconds in pieces
    ]
    changes = sum(a[0] != b[0] for a, b in pairwise(pieces)) + 1

    async def main() -> None:
        session = session_at(go, 1)
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            await session.task.queue_frames([*frames, EndFrame()])
            await peer.wait_closed()
            came_s = sum(frame.num_frames / frame.sample_rate for frame in frames)
            assert frame_count(audio_of(peer), 1) == pytest.approx(came_s * go, abs=changes)

    run_virtual(main, backend=backend)  # type: ignore[arg-type]
