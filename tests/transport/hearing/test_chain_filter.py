"""The audio filter in `wsframes.transport.hearing.chain`, in sessions with a peer."""

import threading
from typing import Any, ClassVar

import anyio
import pytest

from tests.transport.hearing.parts import SPOKEN, VOICE, hearing, say
from wsframes import (
    FilterEnableFrame,
    FilterUpdateSettingsFrame,
    FrameDirection,
    VADParamsUpdateFrame,
)
from wsframes.audio import BaseAudioFilter
from wsframes.graph import EndReason
from wsframes.testing import MemoryPeer, settle
from wsframes.vad import VADParams


class Mute(BaseAudioFilter):
    """Silence, while it is enabled; notes what it is asked."""

    runs_inline: ClassVar[bool] = True

    def __init__(self, *, enabled: bool = False) -> None:
        self.enabled = enabled
        self.notes: list[Any] = []

    def start(self, sample_rate: int) -> None:
        self.notes.append(sample_rate)

    def stop(self) -> None:
        self.notes.append("stop")

    def filter(self, audio: bytes) -> bytes:
        return bytes(len(audio)) if self.enabled else audio

    def process_frame(self, frame: FilterUpdateSettingsFrame | FilterEnableFrame) -> None:
        if isinstance(frame, FilterEnableFrame):
            self.enabled = frame.enable
        else:
            self.notes.append(frame.settings)


class ThreadedMute(Mute):
    runs_inline = False


BOTH = pytest.mark.parametrize("kind", [Mute, ThreadedMute])


@BOTH
async def test_the_filter_comes_first(kind: type[Mute]) -> None:
    audio_filter = kind(enabled=True)
    session, ear = hearing(audio_in_filter=audio_filter)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv............")
        await settle()
    assert ear.heard == ["."] * 20
    assert audio_filter.notes == [16000, "stop"]


@BOTH
async def test_it_needs_no_analyzer(kind: type[Mute]) -> None:
    session, ear = hearing(audio_in_filter=kind(), vad_analyzer=None)
    async with MemoryPeer(session) as peer:
        await say(peer, "vv..")
        await peer.send(VOICE * 20)
        await session.task.queue_frame(VADParamsUpdateFrame(VADParams()))
        await anyio.sleep(0.5)
        await session.task.stop_when_done()
        await session.finished()
    assert session.errors == []
    assert ear.heard == list("vv..v")
    statistics = session.transport.input().statistics()
    assert (statistics.delivered, statistics.dropped) == (5, {})


@pytest.mark.parametrize("direction", FrameDirection)
@BOTH
async def test_frames_reach_it_in_order_with_the_audio(
    kind: type[Mute], direction: FrameDirection
) -> None:
    audio_filter = kind()
    session, ear = hearing(audio_in_filter=audio_filter)
    async with MemoryPeer(session) as peer:
        await say(peer, "vv")
        for frame in (FilterUpdateSettingsFrame({"level": 2}), FilterEnableFrame(True)):
            if direction is FrameDirection.UPSTREAM:
                session.tap.push_frame_nowait(frame, direction)
            else:
                await session.task.queue_frame(frame)
        await say(peer, "vv")
        await settle()
        assert session.transport.input().statistics().waiting == 0
    assert ear.heard == list("vv..")
    assert {"level": 2} in audio_filter.notes


async def test_frames_that_wait_are_no_messages() -> None:
    go_on = threading.Event()

    class Blocked(ThreadedMute):
        def filter(self, audio: bytes) -> bytes:
            go_on.wait(30)
            return audio

    session, _ = hearing(audio_in_filter=Blocked())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await peer.send(VOICE)
        await anyio.sleep(0.1)
        session.tap.push_frame_nowait(FilterEnableFrame(True), FrameDirection.UPSTREAM)
        assert session.transport.input().statistics().waiting == 1
        await session.task.cancel()
        await session.finished()
        go_on.set()
    statistics = session.transport.input().statistics()
    assert (statistics.taken, statistics.dropped) == (1, {"cancelled": 1})


async def test_without_a_filter_its_frames_are_somebody_else_s() -> None:
    session, ear = hearing()
    async with MemoryPeer(session) as peer:
        await say(peer, "v")
        await session.task.queue_frame(FilterEnableFrame(True))
        await say(peer, "v")
    assert ear.heard == ["v", "v"]
    assert session.errors == []


@BOTH
async def test_what_it_keeps_for_later_is_no_frame(kind: type[Mute]) -> None:
    class Keeping(kind):  # type: ignore[valid-type, misc]
        def filter(self, audio: bytes) -> bytes:
            self.notes.append(audio)
            return b"" if len(self.notes) % 2 == 0 else self.notes[-2] + audio

    session, ear = hearing(audio_in_filter=Keeping(), vad_analyzer=None)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvv")
        await settle()
    assert ear.audio == "vv"
    assert session.transport.input().statistics().delivered == 4


@BOTH
async def test_one_that_raises_lets_the_audio_through_and_is_told_once(kind: type[Mute]) -> None:
    class Raising(kind):  # type: ignore[valid-type, misc]
        def filter(self, audio: bytes) -> bytes:
            raise ValueError("no")

    session, ear = hearing(audio_in_filter=Raising())
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv............")
        await settle()
    assert ear.told == SPOKEN
    assert ear.audio == "vvvvvvvv............"
    (error,) = session.errors
    assert "input: Raising is left out from now on" in error.error


async def test_two_sessions_at_once_need_two_filters() -> None:
    audio_filter = Mute()
    first, _ = hearing(audio_in_filter=audio_filter)
    second, _ = hearing(audio_in_filter=audio_filter)
    async with MemoryPeer(first) as peer:
        await say(peer, ".")
        async with MemoryPeer(second):
            await second.finished()
        assert second.result.reason is EndReason.ERROR
        assert "audio_in_filter: this Mute is in use" in str(second.result.error)


async def test_a_second_run_is_filtered_too() -> None:
    session, ear = hearing(audio_in_filter=Mute(enabled=True))
    session._runs, session._pause_s = 2, 0.5
    async with MemoryPeer(session) as peer:
        await say(peer, "vv")
        await session.task.stop()
        await anyio.sleep(1)
        await say(peer, "vv")
        await settle()
    assert ear.heard == list("....")
