"""Keys of a telephone, in sessions with a peer in memory."""

from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Session, audio_of, sound, texts_of
from wsframes import (
    BotStartedSpeakingFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    TransportMessageFrame,
)
from wsframes.audio.dtmf import dtmf_tone
from wsframes.serializers import JsonFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle


async def test_a_serializer_that_has_a_message_for_keys_sends_that() -> None:
    session = Session(serializer=JsonFrameSerializer())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputDTMFFrame("5"))
        await session.task.queue_frame(OutputDTMFUrgentFrame("#"))
        assert await session.transport.output().write_dtmf(OutputDTMFFrame("7"))
        await anyio.sleep(1)
        messages = texts_of(peer)
    assert {"type": "dtmf", "button": "5"} in messages
    assert len(messages) == 3


@pytest.mark.parametrize("channels", [1, 2])
async def test_another_one_has_its_tone_in_its_place(channels: int) -> None:
    session = Session(
        serializer=RawAudioSerializer(RATE, channels),
        audio_out_sample_rate=RATE,
        audio_out_channels=channels,
        observe=True,
    )
    before, after = sound(0.3, RATE, channels), sound(0.2, RATE, channels, first=7)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames(
            [
                OutputAudioRawFrame(before, RATE, channels),
                OutputDTMFFrame("5"),
                OutputAudioRawFrame(after, RATE, channels),
                EndFrame(),
            ]
        )
        begun_s = anyio.current_time()
        await peer.wait_closed()
        assert anyio.current_time() - begun_s == pytest.approx(0.66, abs=0.01)
        assert audio_of(peer) == before + dtmf_tone("5", RATE, channels) + after
    statistics = session.transport.output().statistics()[None]
    assert statistics.audio_taken == statistics.audio_sent == round(0.66 * RATE)
    passed = [frame for _, frame in session.down if isinstance(frame, OutputDTMFFrame)]
    assert len(passed) == 1


@pytest.mark.parametrize("how", ["frame", "method"])
async def test_an_urgent_tone_is_the_next_audio(how: str) -> None:
    session = Session(audio_out_sample_rate=RATE, audio_out_lead_ms=0)
    whole = sound(1)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(whole, RATE))
        await settle()
        urgent = OutputDTMFUrgentFrame("0")
        if how == "frame":
            await session.task.queue_frame(urgent)
        else:
            assert await session.transport.output().write_dtmf(urgent)
        await anyio.sleep(2)
        assert audio_of(peer) == whole[:1280] + dtmf_tone("0", RATE) + whole[1280:]


async def test_a_tone_alone_is_not_speech() -> None:
    session = Session(audio_out_sample_rate=RATE, observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputDTMFFrame("*"))
        await anyio.sleep(1)
        assert audio_of(peer) == dtmf_tone("*", RATE)
    assert not [frame for _, frame in session.down if isinstance(frame, BotStartedSpeakingFrame)]


@pytest.mark.parametrize("rate", [8000, 24000])
async def test_a_tone_before_any_audio_has_the_only_rate_that_the_wire_has(rate: int) -> None:
    session = Session(serializer=RawAudioSerializer(rate))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputDTMFFrame("1"))
        await anyio.sleep(1)
        assert audio_of(peer) == dtmf_tone("1", rate)


async def test_a_tone_before_any_audio_is_that_of_a_telephone() -> None:
    class AnyRate(RawAudioSerializer):
        def serialize(self, frame: Frame) -> str | bytes | None:
            return frame.audio if isinstance(frame, OutputAudioRawFrame) else None

    serializer = AnyRate()
    serializer.audio_sample_rate = None
    session = Session(serializer=serializer)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputDTMFFrame("1"))
        await anyio.sleep(1)
        assert audio_of(peer) == dtmf_tone("1", 8000)


async def test_an_interruption_silences_a_tone() -> None:
    session = Session(audio_out_sample_rate=RATE, audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputDTMFFrame("*"), TransportMessageFrame("kept")])
        await settle()
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(1)
        assert audio_of(peer) == dtmf_tone("*", RATE)[:1280]
        assert texts_of(peer)[-1] == "kept"


@pytest.mark.parametrize(
    ("frame", "params", "reason"),
    [
        (OutputDTMFUrgentFrame("1"), {"audio_out_enabled": False}, "audio_out_disabled"),
        (OutputDTMFUrgentFrame("1", transport_destination="x"), {}, "unknown_destination"),
        (OutputDTMFUrgentFrame("E"), {}, "encode_error"),
    ],
)
async def test_a_key_that_cannot_be_heard_is_counted(
    frame: OutputDTMFUrgentFrame, params: dict[str, Any], reason: str
) -> None:
    session = Session(audio_out_sample_rate=RATE, **params)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(frame)
        await settle()
        assert peer.received == []
    assert session.transport.output().dropped == {reason: 1}
    assert len(session.errors) == (reason == "encode_error")


async def test_without_a_serializer_there_is_no_tone() -> None:
    session = Session(serializer=None, observe=True)
    frame = OutputDTMFFrame("1")
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(frame)
        await anyio.sleep(1)
    assert frame in [frame for _, frame in session.down]
    assert session.transport.output().statistics()[None].audio_taken == 0


async def test_an_async_serializer_without_a_message_for_keys_has_tones_too() -> None:
    class Slow(RawAudioSerializer):
        async def serialize(self, frame: Frame) -> str | bytes | None:  # type: ignore[override]
            await anyio.sleep(0.001)
            return super().serialize(frame)

    session = Session(serializer=Slow(RATE), audio_out_sample_rate=RATE)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputDTMFFrame("9"))
        await anyio.sleep(1)
        assert audio_of(peer) == dtmf_tone("9", RATE)
