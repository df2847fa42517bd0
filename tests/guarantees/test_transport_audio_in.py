"""P13, P14: what a peer says comes to the pipeline whole, at any rate and in any pieces."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import SAMPLE_RATES
from tests.transport.sessions import Session, sound
from wsframes import InputAudioRawFrame
from wsframes.audio.pcm import remix
from wsframes.audio.resample import StreamResampler
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, run_virtual, settle

Stretch = tuple[int, int, list[int]]

stretches = st.tuples(
    st.sampled_from(SAMPLE_RATES),
    st.sampled_from([1, 2]),
    st.lists(st.integers(0, 2500), min_size=1, max_size=6),
)


def converted(audio: bytes, rate: int, num_channels: int, to_rate: int) -> bytes:
    """One stretch in one piece, mono."""
    resampler = StreamResampler(rate, to_rate, 1)
    return resampler.push(remix(audio, num_channels, 1)) + resampler.flush()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=25)
@given(st.lists(stretches, max_size=4), st.sampled_from([8000, 16000, 24000]))
def test_p13_and_p14_nothing_is_lost_or_shifted_on_the_way_in(
    backend: str, said: list[Stretch], to_rate: int
) -> None:
    """Stretches of any format, in messages cut anywhere: each arrives to its last sample."""

    async def main() -> None:
        session = Session(
            serializer=MsgpackFrameSerializer(), audio_in_sample_rate=to_rate, observe=True
        )
        expected, before, taken = b"", (0, 0), b""
        odd = messages = 0
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            for rate, num_channels, sizes in [*said, (0, 0, [])]:
                if (rate, num_channels) != before and before != (0, 0):
                    over = len(taken) % (2 * before[1])
                    odd += over
                    whole = taken[: len(taken) - over]
                    expected += converted(whole, *before, to_rate)
                    taken = b""
                before = (rate, num_channels)
                for size in sizes:
                    audio = sound(size / 2 / 8000, 8000, first=messages)[:size]
                    taken += audio
                    messages += 1
                    format_ = {"sample_rate": rate, "num_channels": num_channels}
                    await peer.send(
                        msgspec.msgpack.encode({"type": "audio", "audio": audio, **format_})
                    )
            await settle()
            await session.task.stop_when_done()
            await session.finished()
        heard = [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]
        assert b"".join(frame.audio for frame in heard) == expected
        assert {(frame.sample_rate, frame.num_channels) for frame in heard} <= {(to_rate, 1)}
        statistics = session.transport.input().statistics()
        assert (statistics.taken, statistics.delivered) == (messages, messages)
        assert statistics.odd_bytes == odd
        assert session.errors == []

    run_virtual(main, backend=backend)  # type: ignore[arg-type]
