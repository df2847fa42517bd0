"""The parameters of what comes in, each as it is seen from outside: `test_` and its name."""

from typing import Any

import anyio
import msgspec
import pytest

from tests.audio.test_opus import tone
from tests.transport.hearing.parts import PARAMS, SPOKEN, hearing, say
from tests.transport.hearing.test_chain_filter import Mute
from tests.transport.sessions import RATE, Session, sound
from tests.vad.parts import Loud
from wsframes import (
    FilterEnableFrame,
    FilterUpdateSettingsFrame,
    FrameDirection,
    InputAudioRawFrame,
    PipelineParams,
)
from wsframes.audio import remix, rms
from wsframes.audio.denoise import NoiseFilter
from wsframes.audio.resample import StreamResampler
from wsframes.serializers import MsgpackFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import WebsocketParams

UPSTREAM = FrameDirection.UPSTREAM


def heard(session: Session) -> list[InputAudioRawFrame]:
    """The audio that the input has pushed into the pipeline."""
    return [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]


def joined(frames: list[InputAudioRawFrame]) -> bytes:
    return b"".join(frame.audio for frame in frames)


def message(audio: bytes, rate: int = RATE, num_channels: int = 1) -> bytes:
    """Audio as a client of the MessagePack serializer sends it."""
    return msgspec.msgpack.encode(
        {"type": "audio", "audio": audio, "sample_rate": rate, "num_channels": num_channels}
    )


def resampled(audio: bytes, from_rate: int, to_rate: int) -> bytes:
    resampler = StreamResampler(from_rate, to_rate, 1)
    return resampler.push(audio) + resampler.flush()


async def ended(session: Session, peer: MemoryPeer) -> None:
    await settle()
    await session.task.stop_when_done()
    await session.finished()


async def test_audio_in_enabled() -> None:
    """On: audio reaches the pipeline, and what hears it. Off: it is dropped and counted."""
    for enabled in (True, False):
        session, ear = hearing(audio_in_enabled=enabled)
        async with MemoryPeer(session) as peer:
            await say(peer, "vvvvvvvv............")
        assert ear.told == (SPOKEN if enabled else [])
        assert ear.audio == ("vvvvvvvv............" if enabled else "")
        dropped = {} if enabled else {"audio_in_disabled": 20}
        assert session.transport.input().statistics().dropped == dropped
    assert WebsocketParams().audio_in_enabled is False


@pytest.mark.parametrize("by", ["parameter", "start frame", "both", "neither"])
async def test_audio_in_sample_rate(by: str) -> None:
    """All that comes is resampled to one rate, to its last sample, whatever rates it comes with.

    A client speaks at one rate, changes to another, and to the session's; its messages are cut
    anywhere. Each stretch comes out as the resampler gives it in one piece, so without a click,
    and steadily: what is not out yet is less than 5 ms.
    """
    params: dict[str, Any] = {"audio_in_sample_rate": RATE} if by in ("parameter", "both") else {}
    start_rate = {"start frame": RATE, "both": 48000}.get(by)
    session = Session(
        serializer=MsgpackFrameSerializer(),
        task_params=PipelineParams(audio_in_sample_rate=start_rate),
        observe=True,
        **params,
    )
    stretches = [
        (8000, tone(0.5, 8000)),
        (44100, tone(0.5, 44100)),
        (RATE, sound(0.5)),
        (24000, tone(0.5, 24000)),
    ]
    async with MemoryPeer(session) as peer:
        sent_s = 0.0
        for rate, audio in stretches:
            for at in range(0, len(audio), 639):
                piece = audio[at : at + 639]
                await peer.send(message(piece, rate))
                await settle()
                sent_s += len(piece) / 2 / rate
                out_s = sum(frame.num_frames / frame.sample_rate for frame in heard(session))
                assert sent_s - 0.005 <= out_s <= sent_s + 0.0001
        await ended(session, peer)
    if by == "neither":
        assert {frame.sample_rate for frame in heard(session)} == {rate for rate, _ in stretches}
        assert joined(heard(session)) == b"".join(audio for _, audio in stretches)
    else:
        assert {frame.sample_rate for frame in heard(session)} == {RATE}
        expected = b"".join(
            audio if rate == RATE else resampled(audio, rate, RATE) for rate, audio in stretches
        )
        assert joined(heard(session)) == expected
        assert len(expected) == 2 * 4 * RATE // 2
    assert session.errors == []
    assert session.transport.input().statistics().odd_bytes == 0


@pytest.mark.parametrize("wanted", [1, 2])
async def test_audio_in_channels(wanted: int) -> None:
    """Audio with any number of channels becomes audio with this number, and lasts as long."""
    session = Session(serializer=MsgpackFrameSerializer(), audio_in_channels=wanted, observe=True)
    expected = b""
    async with MemoryPeer(session) as peer:
        for num_channels in (1, 2, 3, 8):
            audio = sound(0.1, RATE, num_channels)
            expected += remix(audio, num_channels, wanted)
            for at in range(0, len(audio), 641):
                await peer.send(message(audio[at : at + 641], num_channels=num_channels))
        await settle()
    assert {frame.num_channels for frame in heard(session)} == {wanted}
    assert joined(heard(session)) == expected
    assert sum(frame.num_frames for frame in heard(session)) == 4 * RATE // 10
    assert session.transport.input().statistics().odd_bytes == 0


class Failing(Mute):
    """Raises, or waits for ever."""

    def __init__(self, how: str) -> None:
        super().__init__(enabled=True)
        self.how = how

    async def filter(self, audio: bytes) -> bytes:  # type: ignore[override]
        if self.how == "raises":
            raise ValueError("broken")
        await anyio.sleep_forever()
        raise AssertionError("nobody wakes it")


async def test_audio_in_filter() -> None:
    """Audio goes through it before anything hears it; it is changed by frames while it runs."""
    session, ear = hearing(audio_in_filter=Mute(enabled=True))
    async with MemoryPeer(session) as peer:
        await say(peer, "v" * 20)
    assert ear.heard == ["."] * 20  # the detector of voice has heard none either

    # One that raises, or hangs, lets the audio through, and is told of once.
    for how in ("raises", "hangs"):
        session, ear = hearing(audio_in_filter=Failing(how))
        async with MemoryPeer(session) as peer:
            await say(peer, "vvvvvvvv............")
            await anyio.sleep(1)
        assert ear.told == SPOKEN
        assert ear.audio == "vvvvvvvv............"
        (error,) = session.errors
        assert "Failing is left out from now on" in error.error
        assert session.transport.input().statistics().dropped == {}

    # A real one: off, on, weaker, stronger, all by frames from the pipeline or from outside.
    session = Session(
        audio_in_filter=NoiseFilter(3, enabled=False),
        serializer=RawAudioSerializer(RATE),
        observe=True,
    )
    noise = sound(0.02)
    assert rms(noise) > 0.1
    levels = []
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for frame in (
            FilterEnableFrame(False),
            FilterEnableFrame(True),
            FilterUpdateSettingsFrame({"level": 0}),
            FilterUpdateSettingsFrame({"level": 2}),
        ):
            if isinstance(frame, FilterEnableFrame):
                session.tap.push_frame_nowait(frame, UPSTREAM)
            else:
                await session.task.queue_frame(frame)
            await settle()
            for _ in range(100):
                await peer.send(noise)
            await settle()
            levels.append(rms(joined(heard(session)[-50:])))
    off, strong, weak, middle = levels
    assert off == pytest.approx(rms(noise), rel=0.01)
    assert strong < middle < weak < off / 1.5
    assert strong < off / 6
    assert session.errors == []
    assert len(joined(heard(session))) == 400 * len(noise)


async def test_audio_in_stream_on_start() -> None:
    """Off: audio is held back until it is asked for; everything else comes in."""
    for on_start in (True, False):
        session = Session(
            serializer=MsgpackFrameSerializer(), audio_in_stream_on_start=on_start, observe=True
        )
        async with MemoryPeer(session) as peer:
            await peer.send(message(b"aa"))
            await peer.send(msgspec.msgpack.encode({"type": "text", "text": "x"}))
            await settle()
            assert [frame for frame in session.read if type(frame).__name__ == "TextFrame"]
            assert joined(heard(session)) == (b"aa" if on_start else b"")
            session.transport.input().start_audio_in_streaming()
            await peer.send(message(b"bb"))
            await settle()
        assert joined(heard(session)) == (b"aabb" if on_start else b"bb")
        dropped = {} if on_start else {"not_streaming": 1}
        assert session.transport.input().statistics().dropped == dropped
    assert WebsocketParams().audio_in_stream_on_start is True


@pytest.mark.parametrize("analyzes", [True, False])
async def test_audio_in_passthrough(analyzes: bool) -> None:
    """Off: audio is heard, and what is heard is told, but it does not go on itself."""
    for passthrough in (True, False):
        analyzer = Loud(params=PARAMS) if analyzes else None
        session, ear = hearing(vad_analyzer=analyzer, audio_in_passthrough=passthrough)
        async with MemoryPeer(session) as peer:
            await say(peer, "vvvvvvvv............")
        assert ear.told == (SPOKEN if analyzes else [])
        assert ear.audio == ("vvvvvvvv............" if passthrough else "")
        dropped = {} if passthrough else {"no_passthrough": 20}
        assert session.transport.input().statistics().dropped == dropped
    assert WebsocketParams().audio_in_passthrough is True
