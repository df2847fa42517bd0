"""`wsframes.transport.hearing.turn_stage`, in sessions with a peer."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import anyio
import pytest

from tests.transport.hearing.parts import PARAMS, SPOKEN, VOICE, hearing, say
from tests.vad.parts import Loud
from wsframes import (
    EmulateUserStoppedSpeakingFrame,
    FrameDirection,
    StopFrame,
    VADParamsUpdateFrame,
)
from wsframes.graph import EndReason
from wsframes.testing import MemoryPeer, settle
from wsframes.turn import BaseTurnAnalyzer, EndOfTurnState, SilenceTurnAnalyzer, TurnParams
from wsframes.vad import VADParams

COMPLETE, INCOMPLETE = EndOfTurnState.COMPLETE, EndOfTurnState.INCOMPLETE
TURN = "vvvvvv" + "." * 12


class Noting(BaseTurnAnalyzer):
    """Notes what it hears as `v` and `.`, `?` when asked and `/` when cleared."""

    runs_inline: ClassVar[bool] = True

    def __init__(self, answer: Callable[[], Any] = lambda: COMPLETE) -> None:
        super().__init__()
        self.answer = answer
        self.notes = ""
        self.speech = ""
        self.calls = 0
        self.threads: set[int] = set()

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        with self:
            self.notes += "v" if buffer[:1] != b"\0" else "."
            self.speech += "v" if is_speech else "."
        return INCOMPLETE

    def analyze_end_of_turn(self) -> Any:
        with self:
            self.notes += "?"
            self.threads.add(threading.get_ident())
            return self.answer()

    def clear(self) -> None:
        with self:
            self.notes += "/"

    def __enter__(self) -> None:
        self.calls += 1
        assert self.calls == 1, "two calls at once"

    def __exit__(self, *exc: object) -> None:
        self.calls -= 1


class Threaded(Noting):
    runs_inline = False


class Async(Noting):
    async def analyze_end_of_turn(self) -> Any:
        with self:
            self.notes += "?"
            self.threads.add(threading.get_ident())
            await anyio.sleep(0.05)
            return self.answer()


ALL = pytest.mark.parametrize("kind", [Noting, Threaded, Async])


def hearing_with(turn: BaseTurnAnalyzer, **params: Any) -> Any:
    return hearing(turn_analyzer=turn, **params)


@ALL
async def test_it_hears_all_audio_and_is_asked_when_the_voice_has_stopped(
    kind: type[Noting],
) -> None:
    analyzer = kind()
    session, ear = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, "..." + TURN + "....")
        await settle()
    assert ear.told == SPOKEN
    assert analyzer.notes.replace("/", "") == "...vvvvvv..........?......"
    # Told of the voice from the piece on that made it certain; before it is the pre-roll.
    assert analyzer.speech == ".......vv" + "." * 16
    assert analyzer.vad_start_secs == 0.1
    assert analyzer.sample_rate == 16000
    assert (threading.get_ident() in analyzer.threads) is (kind is not Threaded)


@ALL
async def test_a_pause_does_not_end_the_turn(kind: type[Noting]) -> None:
    answers = iter([INCOMPLETE, INCOMPLETE, COMPLETE])
    analyzer = kind(lambda: next(answers))
    session, ear = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN * 3)
        await anyio.sleep(0.1)
    assert ear.told == ["vad+", "user+", "!", "vad-", "vad+", "vad-", "vad+", "vad-", "user-"]


async def test_it_is_cleared_at_each_end_whoever_ended_the_turn() -> None:
    analyzer = Noting(lambda: INCOMPLETE)
    session, ear = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
        assert ear.told[-1] == "vad-"
        before = analyzer.notes.count("/")
        stop = EmulateUserStoppedSpeakingFrame()
        session.tap.push_frame_nowait(stop, FrameDirection.UPSTREAM)
        assert analyzer.notes.count("/") == before + 1
        assert ear.told[-1] == "user-"
        await say(peer, TURN)
        await anyio.sleep(1)
        assert analyzer.notes.count("/") == before + 2
    assert ear.told == SPOKEN * 2


async def test_it_may_end_the_turn_by_itself() -> None:
    session, ear = hearing_with(SilenceTurnAnalyzer(params=TurnParams(stop_secs=1.0)))
    async with MemoryPeer(session) as peer:
        await say(peer, TURN + TURN)
        await say(peer, "." * 60)
        await settle()
    assert ear.told == ["vad+", "user+", "!", "vad-", "vad+", "vad-", "user-"]
    last_voice = max(n for n, word in enumerate(ear.heard) if word == "v")
    assert ear.at_s[ear.heard.index("user-")] - ear.at_s[last_voice] == pytest.approx(1.0, abs=0.03)


@ALL
async def test_one_that_never_says_so_is_closed_by_a_watchdog(kind: type[Noting]) -> None:
    session, ear = hearing_with(kind(lambda: INCOMPLETE), user_turn_stop_timeout=2.0)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN + "." * 200)
        await settle()
    assert ear.told == SPOKEN
    assert ear.when_s("user-") - ear.when_s("vad-") == pytest.approx(2.0)
    assert session.errors == []


async def test_a_watchdog_that_is_quicker_than_the_silence() -> None:
    session, ear = hearing_with(Noting(lambda: INCOMPLETE), user_turn_stop_timeout=0.3)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN + "." * 50)
    assert ear.when_s("user-") - ear.when_s("vad-") == pytest.approx(0.3)


async def test_audio_that_stops_in_a_pause_ends_the_turn() -> None:
    session, ear = hearing_with(Noting(lambda: INCOMPLETE))
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
        last_s = ear.when_s(".")
        await anyio.sleep(2)
    assert ear.told == SPOKEN
    assert ear.when_s("user-") - last_s <= 1.0


# --- failures


def fail() -> None:
    raise OSError("500")


@ALL
async def test_one_that_raises_is_told_once_and_closed_by_the_watchdog(kind: type[Noting]) -> None:
    session, ear = hearing_with(kind(fail), user_turn_stop_timeout=1.0)
    async with MemoryPeer(session) as peer:
        await say(peer, (TURN + "." * 60) * 2)
        await settle()
    assert ear.told == SPOKEN * 2
    assert len(ear.audio) == 2 * 78
    (error,) = session.errors
    assert error.error == f"input: {kind.__name__} failed: OSError('500')"


async def test_one_that_raises_on_audio_is_still_asked() -> None:
    class Deaf(Noting):
        def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
            raise ValueError("what?")

    session, ear = hearing_with(Deaf())
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
    assert ear.told == SPOKEN
    assert len(session.errors) == 1


async def test_an_async_one_that_hangs_is_cancelled() -> None:
    class Hanging(Noting):
        async def analyze_end_of_turn(self) -> Any:
            await anyio.sleep_forever()

    session, ear = hearing_with(Hanging())
    async with MemoryPeer(session) as peer:
        await say(peer, TURN + "." * 300)
        await settle()
        assert ear.told == SPOKEN
        assert ear.when_s("user-") - ear.when_s("vad-") == pytest.approx(5.0)
    (error,) = session.errors
    assert error.error == "input: Hanging did not answer within 2 s"


async def test_one_that_hangs_in_its_thread_is_not_used_any_more() -> None:
    go_on = threading.Event()
    analyzer = Threaded(lambda: go_on.wait(60))
    session, ear = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
        await settle()
        # On asyncio, time is held for a thread that was given up until it is done.
        with anyio.move_on_after(2.5):
            while True:
                await peer.send(bytes(640))
                await anyio.sleep(0.02)
        go_on.set()
        await say(peer, TURN)
        await settle()
    assert ear.told == SPOKEN * 2
    assert analyzer.notes.count("?") == 1
    (error,) = session.errors
    assert error.error.endswith("Threaded did not answer within 2 s, and is not used any more")


# --- while it thinks


async def test_audio_waits_for_the_answer_and_the_pipeline_does_not() -> None:
    answers = anyio.Event()

    class Thinking(Noting):
        async def analyze_end_of_turn(self) -> Any:
            with self:
                self.notes += "?"
                await answers.wait()
                return INCOMPLETE

    analyzer = Thinking()
    session, ear = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
        await say(peer, TURN + "..")
        assert len(ear.audio) == 38
        assert analyzer.notes.endswith("?")
        answers.set()
        await settle()
        # It was asked about the first pause, hears what came since, and is asked again.
        assert analyzer.notes.replace("/", "").startswith(
            "vvvvvv..........?..vvvvvv..............?"
        )
        await say(peer, "..")
    assert ear.told == ["vad+", "user+", "!", "vad-", "vad+", "vad-"]


async def test_an_answer_about_a_turn_that_is_over_is_none_about_the_next() -> None:
    class Late(Noting):
        async def analyze_end_of_turn(self) -> Any:
            with self:
                self.notes += "?"
                await anyio.sleep(0.3)
                return COMPLETE

    analyzer = Late()
    session, ear = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
        stop = EmulateUserStoppedSpeakingFrame()
        session.tap.push_frame_nowait(stop, FrameDirection.UPSTREAM)
        await say(peer, TURN)
        assert ear.told == [*SPOKEN, "vad+", "user+", "!", "vad-"]
        await anyio.sleep(0.5)
    assert ear.told == SPOKEN * 2


async def test_what_it_hears_late_may_end_the_turn() -> None:
    class Slow(SilenceTurnAnalyzer):
        asked = 0

        async def analyze_end_of_turn(self) -> Any:  # type: ignore[override]
            self.asked += 1
            await anyio.sleep(0.5)
            return INCOMPLETE

        def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
            return COMPLETE if self.asked else INCOMPLETE

    session, ear = hearing_with(Slow())
    async with MemoryPeer(session) as peer:
        await say(peer, TURN + "." * 20)
        await settle()
        assert ear.told[-1] == "vad-"
        await anyio.sleep(0.3)
    assert ear.told == SPOKEN


async def test_what_waits_for_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsframes.transport.hearing.turn_stage._WAITING_BYTES", 10 * len(VOICE))

    class Thinking(Noting):
        async def analyze_end_of_turn(self) -> Any:
            await anyio.sleep(1)
            return INCOMPLETE

    analyzer = Thinking()
    session, _ = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, "v" * 6 + "." * 12 + "." * 50)
    assert 16 + 10 <= len(analyzer.speech) <= 16 + 10 + 3


# --- at run time


async def test_new_parameters_of_the_vad_are_told() -> None:
    analyzer = Noting()
    session, _ = hearing_with(analyzer)
    async with MemoryPeer(session) as peer:
        await say(peer, ".")
        await session.task.queue_frame(VADParamsUpdateFrame(VADParams(start_secs=0.4)))
        await settle()
    assert analyzer.vad_start_secs == 0.4


async def test_a_second_run_begins_anew() -> None:
    class Thinking(Noting):
        async def analyze_end_of_turn(self) -> Any:
            if self.notes.count("v") < 7:
                await anyio.sleep(1.9)
            return COMPLETE

    session, ear = hearing_with(Thinking())
    session._runs, session._pause_s = 2, 1.0
    async with MemoryPeer(session) as peer:
        await say(peer, TURN)
        await session.task.queue_frame(StopFrame())
        await anyio.sleep(2)
        await say(peer, TURN)
        await settle()
    assert ear.told == SPOKEN * 2


async def test_an_analyzer_that_cannot_be_made_ready_ends_the_session() -> None:
    class Unready(Noting):
        def prepare(self) -> None:
            raise RuntimeError("no model")

    session, _ = hearing_with(Unready(), vad_analyzer=Loud(params=PARAMS))
    async with MemoryPeer(session):
        await session.finished()
    assert session.result.reason is EndReason.ERROR
    (error,) = session.errors
    assert "Unready could not be made ready: RuntimeError('no model')" in error.error
