"""`wsframes.transport.hearing.chain`, `voice_stage` and `turn_telling`, in sessions with a peer."""

import threading
from typing import Any

import anyio
import msgspec
import pytest

from tests.transport.hearing.parts import (
    PARAMS,
    SILENCE,
    SPOKEN,
    VOICE,
    Threaded,
    hearing,
    say,
)
from tests.transport.sessions import RATE, Session
from tests.vad.parts import Loud, tone
from wsframes import (
    EmulateUserStartedSpeakingFrame,
    EmulateUserStoppedSpeakingFrame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    PipelineParams,
    StopFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADParamsUpdateFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from wsframes.audio import peak, remix
from wsframes.graph import EndReason
from wsframes.serializers import MsgpackFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.vad import VADParams

BOTH = pytest.mark.parametrize("kind", [Loud, Threaded])


def conserves(session: Session) -> bool:
    statistics = session.transport.input().statistics()
    return statistics.taken == (
        statistics.delivered
        + statistics.ignored
        + statistics.waiting
        + sum(statistics.dropped.values())
    )


# --- what is told, and in which order


@BOTH
async def test_a_turn_is_told_around_its_audio(kind: type[Loud]) -> None:
    session, ear = hearing(vad_analyzer=kind(params=PARAMS))
    async with MemoryPeer(session) as peer:
        await say(peer, "..vvvvvvvv............")
        await settle()
    # 100 ms of voice are five pieces, the fifth of which makes it certain; 200 of silence are ten.
    assert ear.heard == [
        *"..vvvv",
        *("vad+", "user+", "!"),
        *"vvvv..........",
        *("vad-", "user-"),
        *"..",
    ]
    (started,) = (f for f in ear.frames if isinstance(f, VADUserStartedSpeakingFrame))
    (stopped,) = (f for f in ear.frames if isinstance(f, VADUserStoppedSpeakingFrame))
    assert started.start_secs == pytest.approx(0.1)
    assert stopped.stop_secs == pytest.approx(0.2)
    assert session.errors == []
    assert conserves(session)


@pytest.mark.parametrize("allowed", [True, False])
async def test_interruptions_where_they_are_allowed(allowed: bool) -> None:
    session, ear = hearing()
    session._task_params = PipelineParams(allow_interruptions=allowed)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv............")
    assert ear.told == (SPOKEN if allowed else [word for word in SPOKEN if word != "!"])


@BOTH
async def test_without_passthrough_audio_is_heard_and_goes_no_further(kind: type[Loud]) -> None:
    session, ear = hearing(vad_analyzer=kind(params=PARAMS), audio_in_passthrough=False)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv............")
        await settle()
    assert ear.heard == SPOKEN
    assert session.transport.input().statistics().dropped == {"no_passthrough": 18}
    assert conserves(session)


@BOTH
async def test_several_turns_in_one_message(kind: type[Loud]) -> None:
    session, ear = hearing(vad_analyzer=kind(params=PARAMS))
    async with MemoryPeer(session) as peer:
        await peer.send((tone(0.2) + bytes(16000)) * 2)
        await anyio.sleep(1)
    assert ear.told == SPOKEN * 2
    assert ear.heard[:4] == ["vad+", "user+", "!", "v"]


async def test_a_long_message_lets_others_run_while_it_is_heard() -> None:
    class Slow(Loud):
        def voice_confidence(self, buffer: bytes) -> float:
            windows[-1] += 1
            return super().voice_confidence(buffer)

    windows = [0]
    session, ear = hearing(vad_analyzer=Slow(params=PARAMS))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await peer.send(tone(1.0))
        while not ear.audio:
            await anyio.lowlevel.checkpoint()
            windows.append(0)
    # 100 windows of 10 ms, 10 of them at a time. Trio may give a task two turns before another.
    assert sum(windows) == 100
    assert max(windows) <= 20


@BOTH
async def test_what_comes_after_audio_stays_after_it(kind: type[Loud]) -> None:
    session, ear = hearing(
        vad_analyzer=kind(params=PARAMS), serializer=MsgpackFrameSerializer(), observe=True
    )
    async with MemoryPeer(session) as peer:
        for number in range(50):
            audio = {"type": "audio", "audio": VOICE * (1 + 9 * (number % 3)), "sample_rate": RATE}
            await peer.send(msgspec.msgpack.encode(audio))
            await peer.send(msgspec.msgpack.encode({"type": "message", "message": number}))
        await anyio.sleep(1)
    assert [word for word in ear.heard if word in ("v", "message")] == ["v", "message"] * 50


@pytest.mark.parametrize("channels", [1, 2])
@BOTH
async def test_other_rates_and_channels(kind: type[Loud], channels: int) -> None:
    class Checked(kind):  # type: ignore[valid-type, misc]
        def num_frames_required(self) -> int:
            assert self.sample_rate == 8000
            return 80

    session, ear = hearing(
        vad_analyzer=Checked(params=PARAMS),
        audio_in_channels=channels,
        serializer=MsgpackFrameSerializer(),
    )
    voice, silence = remix(tone(0.2, 8000), 1, channels), bytes(8000 * channels)
    async with MemoryPeer(session) as peer:
        for audio in (voice, silence):
            message = {"type": "audio", "audio": audio, "sample_rate": 8000}
            await peer.send(msgspec.msgpack.encode(message | {"num_channels": channels}))
            await anyio.sleep(0.3)
    assert ear.told == SPOKEN


@BOTH
@pytest.mark.parametrize("rate", [24000, 44100, 48000])
async def test_a_rate_that_the_analyzer_does_not_have(kind: type[Loud], rate: int) -> None:
    class Narrow(kind):  # type: ignore[valid-type, misc]
        sample_rates = (8000, 16000)

        def num_frames_required(self) -> int:
            assert self.sample_rate == 16000
            return 160

        def voice_confidence(self, buffer: bytes) -> float:
            return 1.0 if peak(buffer) > 0.05 else 0.0

    session, ear = hearing(vad_analyzer=Narrow(params=PARAMS), serializer=RawAudioSerializer(rate))
    voice, silence = (b"\0\x20" * 20 + b"\0\xe0" * 20) * (rate // 200), bytes(rate // 25)
    async with MemoryPeer(session) as peer:
        await peer.send(voice)
        for _ in range(40):
            await peer.send(silence)
            await anyio.sleep(0.02)
    assert ear.told == SPOKEN
    assert session.errors == []


# --- every turn ends


@BOTH
async def test_audio_that_stops_in_the_middle_of_speech_ends_the_turn(kind: type[Loud]) -> None:
    session, ear = hearing(vad_analyzer=kind(params=PARAMS))
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv")
        await settle()
        last_s = ear.when_s("v")
        await anyio.sleep(3)
        assert ear.told == SPOKEN
        assert ear.when_s("user-") - last_s <= 1.0
        # And the next one is heard as if nothing had been.
        await say(peer, "vvvvvv............")
    assert ear.told == SPOKEN * 2


async def test_while_audio_comes_a_turn_may_last() -> None:
    session, ear = hearing()
    async with MemoryPeer(session) as peer:
        await say(peer, "v" * 1000)
        assert ear.told == ["vad+", "user+", "!"]


class Raising(Loud):
    """Raises on every window once it has been told to."""

    raises = False

    def voice_confidence(self, buffer: bytes) -> float:
        if self.raises:
            raise ZeroDivisionError("no voice")
        return super().voice_confidence(buffer)


class RaisingThreaded(Raising):
    runs_inline = False


@pytest.mark.parametrize("kind", [Raising, RaisingThreaded])
async def test_an_analyzer_that_raises(kind: type[Raising]) -> None:
    analyzer = kind(params=PARAMS)
    session, ear = hearing(vad_analyzer=analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv")
        analyzer.raises = True
        await say(peer, "v" * 60)
        await settle()
        assert ear.told == SPOKEN
        assert len(ear.audio) == 68
        (error,) = session.errors
        assert f"input: {kind.__name__} failed: ZeroDivisionError('no voice')" in error.error
        assert not error.fatal
        assert isinstance(error.exception, ZeroDivisionError)
        analyzer.raises = False
        await say(peer, "vvvvvv............")
    assert ear.told == SPOKEN * 2
    assert len(session.errors) == 1
    assert conserves(session)


async def test_an_analyzer_that_hangs() -> None:
    go_on = threading.Event()

    class Hanging(Threaded):
        hangs = False

        def voice_confidence(self, buffer: bytes) -> float:
            if self.hangs:
                go_on.wait(30)
            return super().voice_confidence(buffer)

    analyzer = Hanging(params=PARAMS)
    session, ear = hearing(vad_analyzer=analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv")
        await anyio.sleep(1)
        analyzer.hangs = True
        await peer.send(VOICE)
        await anyio.sleep(1.5)
        go_on.set()
        await say(peer, "v" * 60)
        await settle()
    assert ear.told == SPOKEN
    assert len(ear.audio) == 69
    (error,) = session.errors
    assert error.error.startswith("input: Hanging did not return within 1 s")


async def test_an_end_ends_the_turn_before_it() -> None:
    session, ear = hearing()
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv")
        await session.task.stop_when_done()
        await session.finished()
    assert ear.told == SPOKEN
    assert session.result.reason is EndReason.ENDED


async def test_a_stop_ends_the_turn_and_the_next_run_hears_anew() -> None:
    session, ear = hearing()
    session._runs, session._pause_s = 2, 1.0
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvvvv")
        await session.task.queue_frame(StopFrame())
        await anyio.sleep(2)
        assert ear.told == SPOKEN
        await say(peer, "vvvvvv............")
    assert ear.told == SPOKEN * 2


# --- at run time


@pytest.mark.parametrize("before", ["", "...."])
@pytest.mark.parametrize("direction", FrameDirection)
async def test_parameters_change_by_frame(direction: FrameDirection, before: str) -> None:
    session, ear = hearing()
    update = VADParamsUpdateFrame(VADParams(start_secs=0.5, stop_secs=0.2))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await settle()
        await say(peer, before)
        if direction is FrameDirection.UPSTREAM:
            session.tap.push_frame_nowait(update, direction)
        else:
            await session.task.queue_frame(update)
        await say(peer, "v" * 20 + "." * 15)
        assert ear.told == []
        await say(peer, "v" * 30 + "." * 15)
    assert ear.told == SPOKEN


async def test_parameters_that_are_none_are_refused() -> None:
    session, ear = hearing()
    async with MemoryPeer(session) as peer:
        await say(peer, ".")
        await session.task.queue_frame(VADParamsUpdateFrame({"start_secs": 1}))
        await settle()
        await say(peer, "vvvvvv............")
    (error,) = session.errors
    assert "a VADParamsUpdateFrame takes VADParams, not {'start_secs': 1}" in error.error
    assert ear.told == SPOKEN


async def test_without_an_analyzer_the_parameters_are_somebody_else_s() -> None:
    session, _ = hearing(vad_analyzer=None)
    async with MemoryPeer(session) as peer:
        await say(peer, ".")
        await session.task.queue_frame(VADParamsUpdateFrame("x"))
        await settle()
    assert session.errors == []


@pytest.mark.parametrize("analyzer", [None, "loud"])
async def test_an_emulated_turn(analyzer: str | None) -> None:
    session, ear = hearing(vad_analyzer=analyzer and Loud(params=PARAMS))
    async with MemoryPeer(session) as peer:
        await say(peer, ".")
        session.tap.push_frame_nowait(EmulateUserStartedSpeakingFrame(), FrameDirection.UPSTREAM)
        await say(peer, "...")
        session.tap.push_frame_nowait(EmulateUserStoppedSpeakingFrame(), FrameDirection.UPSTREAM)
        await settle()
    assert ear.told == ["user+", "!", "user-"]
    assert all(
        frame.emulated
        for frame in ear.frames
        if isinstance(frame, UserStartedSpeakingFrame | UserStoppedSpeakingFrame)
    )


async def test_an_emulated_turn_that_nobody_ends() -> None:
    session, ear = hearing(vad_analyzer=None, user_turn_stop_timeout=2.0)
    async with MemoryPeer(session) as peer:
        await say(peer, ".")
        for _ in range(2):
            start = EmulateUserStartedSpeakingFrame()
            session.tap.push_frame_nowait(start, FrameDirection.UPSTREAM)
            stop = EmulateUserStoppedSpeakingFrame()
            session.tap.push_frame_nowait(stop, FrameDirection.UPSTREAM)
            await anyio.sleep(1.5)
        session.tap.push_frame_nowait(EmulateUserStartedSpeakingFrame(), FrameDirection.UPSTREAM)
        begun_s = anyio.current_time()
        await anyio.sleep(5)
    assert ear.told == ["user+", "!", "user-"] * 3
    assert ear.when_s("user-") - begun_s == pytest.approx(2.0)


# --- one for each session


async def test_two_sessions_at_once_need_two_analyzers() -> None:
    analyzer = Loud(params=PARAMS)
    first, ear = hearing(vad_analyzer=analyzer)
    second, _ = hearing(vad_analyzer=analyzer)
    async with MemoryPeer(first) as peer:
        await say(peer, "..")
        async with MemoryPeer(second):
            await second.finished()
        assert second.result.reason is EndReason.ERROR
        assert "vad_analyzer: this Loud is in use by another session" in str(second.result.error)
        await say(peer, "vvvvvv............")
    assert ear.told == SPOKEN
    third, ear = hearing(vad_analyzer=analyzer)
    async with MemoryPeer(third) as peer:
        await say(peer, "vvvvvv............")
    assert ear.told == SPOKEN


async def test_an_analyzer_that_cannot_be_made_ready_ends_the_session() -> None:
    class Unready(Loud):
        def prepare(self) -> None:
            raise RuntimeError("no model")

    session, _ = hearing(vad_analyzer=Unready())
    async with MemoryPeer(session):
        await session.finished()
    assert session.result.reason is EndReason.ERROR
    (error,) = session.errors
    assert "Unready could not be made ready: RuntimeError('no model')" in error.error


# --- bounds


async def test_an_analyzer_that_cannot_keep_up_stops_the_reader() -> None:
    go_on = threading.Event()

    class Blocked(Threaded):
        def voice_confidence(self, buffer: bytes) -> float:
            go_on.wait(30)
            return super().voice_confidence(buffer)

    session, ear = hearing(vad_analyzer=Blocked(params=PARAMS), max_messages_per_s=None)
    async with MemoryPeer(session, receive_buffer_messages=4) as peer:
        await session.started.wait()
        with anyio.move_on_after(0.2) as scope:
            while True:
                await peer.send(VOICE)
        assert scope.cancelled_caught
        statistics = session.transport.input().statistics()
        # A second of audio waits, one piece is at work.
        assert statistics.waiting == 51
        assert conserves(session)
        go_on.set()
        await anyio.sleep(1)
        assert session.transport.input().statistics().waiting == 0
    assert conserves(session)
    assert set(ear.audio) == {"v"}


async def test_a_lane_that_is_full_stops_the_reader() -> None:
    class Slow(FrameProcessor):
        async def process_frame(self, frame: Any, direction: FrameDirection) -> None:
            if isinstance(frame, InputAudioRawFrame):
                await anyio.sleep(0.01)

    slow = Slow()
    session, ear = hearing(slow, vad_analyzer=Threaded(params=PARAMS), max_messages_per_s=None)
    async with MemoryPeer(session, receive_buffer_messages=4) as peer:
        await session.started.wait()
        with anyio.move_on_after(60) as scope:
            for _ in range(1000):
                await peer.send(SILENCE)
        assert not scope.cancelled_caught
        assert session.task.statistics()[slow.name].peak <= 260
    assert len(ear.audio) <= 1000
    assert conserves(session)


async def test_what_is_not_heard_when_the_run_ends_is_counted() -> None:
    go_on = threading.Event()

    class Blocked(Threaded):
        def voice_confidence(self, buffer: bytes) -> float:
            go_on.wait(30)
            return 0.0

    session, _ = hearing(vad_analyzer=Blocked(params=PARAMS))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for _ in range(5):
            await peer.send(VOICE)
        await anyio.sleep(0.1)
        waiting = session.transport.input().statistics().waiting
        assert waiting >= 4
        await session.task.cancel()
        await session.finished()
        go_on.set()
    assert session.transport.input().statistics().dropped == {"cancelled": waiting}
    assert conserves(session)
