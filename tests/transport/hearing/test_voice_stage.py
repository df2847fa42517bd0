"""`wsframes.transport.hearing.voice_stage`: what changes, or fails, in the middle of a voice."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import msgspec
import pytest

from tests.transport.hearing.parts import PARAMS, SPOKEN, VOICE, Threaded, hearing, say
from tests.vad.parts import Loud, tone
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.transport.hearing.voice_stage import VoiceStage
from wsframes.turn import BaseTurnAnalyzer, EndOfTurnState
from wsframes.vad import VoiceChange

BOTH = pytest.mark.parametrize("kind", [Loud, Threaded])


def nothing() -> None:
    pass


# --- another rate


@pytest.mark.parametrize("at", [3, 8, 12, 18])
@pytest.mark.parametrize("rates", [None, (8000, 16000)])
@BOTH
async def test_a_turn_goes_on_at_another_rate(
    kind: type[Loud], rates: tuple[int, ...] | None, at: int
) -> None:
    class Tens(kind):  # type: ignore[valid-type, misc]
        sample_rates = rates

        def num_frames_required(self) -> int:
            return self.sample_rate // 100  # type: ignore[no-any-return]

    session, ear = hearing(vad_analyzer=Tens(params=PARAMS), serializer=MsgpackFrameSerializer())
    async with MemoryPeer(session) as peer:
        for number, word in enumerate("vvvvvvvvvv" + "." * 40):
            rate = 16000 if number < at else 8000
            audio = tone(0.02, rate) if word == "v" else bytes(rate // 25)
            message = {"type": "audio", "audio": audio, "sample_rate": rate}
            await peer.send(msgspec.msgpack.encode(message))
            await anyio.sleep(0.02)
        await settle()
    assert ear.heard[:31] == [*"vvvv", *SPOKEN[:3], *"vvvvvv..........", *SPOKEN[3:], *"......"]


async def test_a_rate_that_cannot_be_analyzed_leaves_the_one_before_it_as_it_was() -> None:
    class Picky(Loud):
        def num_frames_required(self) -> int:
            if self.sample_rate != 16000:
                raise ValueError("what?")
            return 160

        def voice_confidence(self, buffer: bytes) -> float:
            assert self.sample_rate == 16000
            return super().voice_confidence(buffer)

    told: list[str] = []
    stage = VoiceStage(Picky(params=PARAMS), lambda text, _: told.append(text))
    assert stage.feed(tone(0.09), 16000, 1) == []
    assert stage.feed(tone(0.05, 8000), 8000, 1) is None
    assert stage.feed(tone(0.01), 16000, 1) == [VoiceChange(True, 0.1)]
    assert told == ["Picky failed: ValueError('what?')"]


# --- a failure


class Once(Loud):
    """Fails on one window."""

    at = -1
    window = -1

    def voice_confidence(self, buffer: bytes) -> float:
        self.window += 1
        if self.window == self.at:
            raise ZeroDivisionError("once")
        return super().voice_confidence(buffer)


class OnceThreaded(Once):
    runs_inline = False


@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize("kind", [Once, OnceThreaded])
# The voice, of 40 windows, is certain with window 9, and over with window 59.
@pytest.mark.parametrize("at", [0, 9, 10, 19, 39, 40, 59, 60, 79])
async def test_one_failure_costs_no_turn(kind: type[Once], at: int, long: bool) -> None:
    analyzer = kind(params=PARAMS)
    analyzer.at = at
    session, ear = hearing(vad_analyzer=analyzer)
    piece_s = 0.2 if long else 0.1
    audio = tone(0.4) + bytes(32000)
    step = round(piece_s * 32000)
    async with MemoryPeer(session) as peer:
        for start in range(0, len(audio), step):
            await peer.send(audio[start : start + step])
            await anyio.sleep(piece_s)
        await settle()
        assert ear.told == SPOKEN
    (error,) = session.errors
    assert f"input: {kind.__name__} failed: ZeroDivisionError('once')" in error.error


async def test_a_long_piece_without_any_verdict_has_none() -> None:
    class Deaf(Loud):
        def voice_confidence(self, buffer: bytes) -> float:
            raise OSError("what?")

    stage = VoiceStage(Deaf(params=PARAMS), lambda *_: None)
    assert await stage.feed_parts([VOICE, VOICE], 16000, 1) is None
    assert await stage.feed_parts([], 16000, 1) == []


# --- a turn that is given up meanwhile


class Interrupted(Loud):
    """While it hears something is done."""

    meanwhile: Callable[[], object] = staticmethod(nothing)

    def voice_confidence(self, buffer: bytes) -> float:
        self.meanwhile()
        return super().voice_confidence(buffer)


async def test_what_was_found_in_a_piece_before_a_reset_is_not_told() -> None:
    analyzer = Interrupted(params=PARAMS)
    stage = VoiceStage(analyzer, lambda *_: None)
    feeds: list[Callable[[], Any]] = [
        lambda: stage.feed_slow(tone(0.1), 16000, 1),
        lambda: stage.feed_parts([tone(0.1)], 16000, 1),
    ]
    for feed in feeds:
        analyzer.meanwhile = nothing
        stage.reset()
        stage.feed(b"", 16000, 1)
        analyzer.meanwhile = stage.reset
        assert await feed() == []
        analyzer.meanwhile = nothing
        # Nobody speaks: it is told anew.
        assert await feed() == [VoiceChange(True, 0.1)]


async def test_the_parts_of_a_long_piece_after_a_reset_are_told() -> None:
    def parts() -> Iterator[bytes]:
        yield tone(0.1) + bytes(6400)
        analyzer.meanwhile = nothing
        yield tone(0.1)

    analyzer = Interrupted(params=PARAMS)
    stage = VoiceStage(analyzer, lambda *_: None)
    analyzer.meanwhile = stage.reset
    assert await stage.feed_parts(parts(), 16000, 1) == [VoiceChange(True, 0.1)]


async def test_a_voice_that_is_found_when_its_turn_was_given_up_begins_none_without_end() -> None:
    go_on = threading.Event()

    class Blocked(Threaded):
        blocks = False

        def voice_confidence(self, buffer: bytes) -> float:
            if self.blocks:
                go_on.wait(30)
            return super().voice_confidence(buffer)

    class Never(BaseTurnAnalyzer):
        runs_inline = True

        def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
            return EndOfTurnState.INCOMPLETE

        def analyze_end_of_turn(self) -> EndOfTurnState:
            return EndOfTurnState.INCOMPLETE

        def clear(self) -> None:
            pass

    analyzer = Blocked(params=PARAMS)
    session, ear = hearing(vad_analyzer=analyzer, turn_analyzer=Never(), user_turn_stop_timeout=2.0)
    async with MemoryPeer(session) as peer:
        await say(peer, "vvvvvv" + "." * 10)
        await settle()
        assert ear.told == SPOKEN[:4]
        await say(peer, "." * 90 + "vvvv")
        await settle()
        analyzer.blocks = True
        await peer.send(VOICE)  # makes it certain
        await anyio.sleep(0.3)
        assert ear.told == SPOKEN
        go_on.set()
        await settle()
        await say(peer, "." * 60)
        await settle()
    assert ear.told == SPOKEN
    assert session.errors == []
