"""The parameters of hearing, each as it is seen from outside: `test_` and its name."""

from typing import Any

import anyio
import pytest

from tests.speech.recording import PHRASES_S, RATE, check_phrases, phrases_pcm
from tests.transport.hearing.parts import SPOKEN, Ear, hearing, say
from tests.transport.sessions import Session
from wsframes import (
    EmulateUserStartedSpeakingFrame,
    FrameDirection,
    UserStartedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.turn import SilenceTurnAnalyzer, TurnParams
from wsframes.vad import VADAnalyzer
from wsframes.vad.energy import EnergyVADAnalyzer
from wsframes.vad.silero import SileroVADAnalyzer


def quietly(**params: Any) -> tuple[Session, Ear]:
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        return hearing(**params)


def _silero_onnx() -> VADAnalyzer:
    return SileroVADAnalyzer(runtime="onnx")


@pytest.mark.parametrize("kind", [EnergyVADAnalyzer, SileroVADAnalyzer, _silero_onnx])
async def test_vad_analyzer(kind: Any) -> None:
    """Three phrases with noise between them: three turns, each within 200 ms of the marks."""
    session, ear = hearing(vad_analyzer=kind(), serializer=RawAudioSerializer(RATE))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(0.1)
        began_s = anyio.current_time()
        audio = phrases_pcm()
        for at in range(0, len(audio), 320):
            await anyio.sleep(0.02)  # a piece can be sent when it has been spoken
            await peer.send(audio[at : at + 320])
        await settle()
    assert ear.told == SPOKEN * len(PHRASES_S)
    found = []
    for frame, at_s in zip(ear.frames, ear.at_s, strict=True):
        if isinstance(frame, VADUserStartedSpeakingFrame):
            found.append((True, at_s - frame.start_secs - began_s))
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            found.append((False, at_s - frame.stop_secs - began_s))
    check_phrases(found)
    assert session.errors == []


async def test_turn_analyzer() -> None:
    """A pause that is shorter than the analyzer's silence does not end the turn, a longer does."""
    for analyzer, turns in (
        (None, 2),
        (SilenceTurnAnalyzer(params=TurnParams(stop_secs=1.0)), 1),
    ):
        session, ear = hearing(turn_analyzer=analyzer)
        async with MemoryPeer(session) as peer:
            await say(peer, "v" * 20 + "." * 25 + "v" * 20 + "." * 60)
        assert ear.told.count("user+") == ear.told.count("user-") == turns
        assert ear.told.count("vad+") == ear.told.count("vad-") == 2


async def test_user_turn_stop_timeout() -> None:
    """A turn that was only emulated is over after this time."""
    session, ear = hearing(user_turn_stop_timeout=3.0)
    async with MemoryPeer(session) as peer:
        await say(peer, ".")
        session.tap.push_frame_nowait(EmulateUserStartedSpeakingFrame(), FrameDirection.UPSTREAM)
        await anyio.sleep(10)
    assert ear.when_s("user-") - ear.when_s("user+") == pytest.approx(3.0)


async def test_vad_enabled() -> None:
    """Deprecated: it warns, and turns audio in on."""
    session, ear = quietly(vad_enabled=True, audio_in_enabled=False)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv............")
    assert ear.told == SPOKEN
    session, ear = quietly(vad_enabled=False, audio_in_enabled=False)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv............")
    assert ear.heard == []


async def test_vad_audio_passthrough() -> None:
    """Deprecated: it warns, and lets audio through to the pipeline."""
    session, ear = quietly(vad_audio_passthrough=True, audio_in_passthrough=False)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv............")
    assert ear.audio == "vvvvvv............"
    session, ear = quietly(vad_audio_passthrough=False, audio_in_passthrough=False)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv............")
    assert ear.audio == ""
    assert any(isinstance(frame, UserStartedSpeakingFrame) for frame in ear.frames)
