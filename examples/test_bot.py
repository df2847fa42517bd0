"""Tests of `bot.py`, on asyncio and on trio: `python -m pytest examples/test_bot.py`."""

import anyio
import pytest

from examples.bot import GREETING, RATE, Parrot, app
from wsframes import (
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    UserStoppedSpeakingFrame,
)
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, check_processor, run_test, virtual_backends

pytestmark = pytest.mark.anyio
CLIENT = MsgpackFrameSerializer(client=True)


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


async def say(peer: MemoryPeer, audio: bytes) -> None:
    """Speak in real time: 20 ms of audio every 20 ms."""
    for at in range(0, len(audio), 640):
        frame = OutputAudioRawFrame(audio[at : at + 640], RATE)
        await peer.send(CLIENT.serialize(frame) or b"")
        await anyio.sleep(0.02)


def audio_of(frames: list[Frame]) -> bytes:
    return b"".join(frame.audio for frame in frames if isinstance(frame, InputAudioRawFrame))


async def test_the_parrot_by_itself() -> None:
    greeting, answer = OutputAudioRawFrame(GREETING, RATE), OutputAudioRawFrame(b"hi", RATE)
    await run_test(
        Parrot(),
        frames_to_send=[InputAudioRawFrame(b"hi", RATE), UserStoppedSpeakingFrame()],
        expected_down_frames=[greeting, answer, UserStoppedSpeakingFrame],
    )


async def test_the_parrot_keeps_the_rules_of_the_pipeline() -> None:
    await check_processor(Parrot, frames=[UserStoppedSpeakingFrame()])


async def test_an_hour_with_a_stall_and_an_interruption() -> None:
    # Once a minute somebody says something for half a second, and twice for four.
    samples = [RATE * 4 if minute in (20, 40) else RATE // 2 for minute in range(60)]
    phrases = [bytes([minute, 0]) * samples[minute] for minute in range(60)]
    async with MemoryPeer(app) as peer:
        for minute, phrase in enumerate(phrases):
            await anyio.sleep_until(60 * minute + 5)
            await say(peer, phrase)
            await anyio.sleep(1)  # the answer has begun
            if minute == 20:  # the network is gone for a while, but not for too long
                peer.stall()
                await anyio.sleep(6)
                assert peer.statistics().blocked_sends == 1
                peer.resume()
            if minute == 40:
                interrupted_s = anyio.current_time()
                await say(peer, b"no" * 320)
        closed = await peer.wait_closed()
        assert (closed.code, anyio.current_time()) == (1000, 3600)  # the session timeout

    frames = [CLIENT.deserialize(message.data) for message in peer.received]
    (cut,) = [at for at, frame in enumerate(frames) if isinstance(frame, InterruptionFrame)]
    assert peer.received[cut].time_s - interrupted_s < 0.02
    before, after = audio_of(frames[:cut]), audio_of(frames[cut:])
    answered = GREETING + b"".join(phrases[:40])  # the one with the stall too, to the last byte
    assert len(answered) < len(before) < len(answered + phrases[40])
    assert (answered + phrases[40]).startswith(before)
    assert after == b"no" * 320 + b"".join(phrases[41:])
