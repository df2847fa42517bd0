"""`wsframes.transport.hearing.turn_stage`: answers that are none, and rates that change."""

from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from tests.transport.hearing.parts import PARAMS, SPOKEN, hearing, say
from tests.transport.hearing.test_turn_stage import ALL, TURN, Noting
from tests.vad.parts import Loud, tone
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.turn import EndOfTurnState

COMPLETE, INCOMPLETE = EndOfTurnState.COMPLETE, EndOfTurnState.INCOMPLETE


@pytest.mark.parametrize("answer", [(COMPLETE, None), True, None, 1, "COMPLETE"])
@ALL
async def test_an_answer_that_is_none_is_told_once_and_counts_as_incomplete(
    kind: type[Noting], answer: object
) -> None:
    session, ear = hearing(turn_analyzer=kind(lambda: answer), user_turn_stop_timeout=1.0)
    async with MemoryPeer(session) as peer:
        await say(peer, (TURN + "." * 60) * 2)
        await settle()
    assert ear.told == SPOKEN * 2
    assert ear.when_s("user-") - ear.when_s("vad-") == pytest.approx(1.0)
    (error,) = session.errors
    assert error.error == (
        f"input: {kind.__name__} returned {answer!r} from analyze_end_of_turn, and not COMPLETE or "
        "INCOMPLETE: it counts as INCOMPLETE"
    )
    assert not error.fatal


@ALL
async def test_a_coroutine_that_nobody_awaits_is_closed(kind: type[Noting]) -> None:
    analyzer = kind(lambda: anyio.lowlevel.checkpoint())
    session, ear = hearing(turn_analyzer=analyzer, user_turn_stop_timeout=1.0)
    async with MemoryPeer(session) as peer:
        await say(peer, TURN + "." * 60)
        await settle()
    assert ear.told == SPOKEN
    (error,) = session.errors
    assert f"{kind.__name__} failed: TypeError('analyze_end_of_turn returned a coro" in error.error


async def test_what_waits_for_an_answer_has_its_own_rate() -> None:
    class Thinking(Noting):
        """Notes the rate of each piece by its length."""

        async def analyze_end_of_turn(self) -> Any:
            await anyio.sleep(0.5)
            return INCOMPLETE

        def set_sample_rate(self, sample_rate: int) -> None:
            super().set_sample_rate(sample_rate)
            rates.append(sample_rate)

        def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
            lengths.add((self.sample_rate, len(buffer)))
            return super().append_audio(buffer, is_speech)

    rates: list[int] = []
    lengths: set[tuple[int, int]] = set()
    analyzer = Thinking()
    session, ear = hearing(
        vad_analyzer=Loud(params=PARAMS),
        turn_analyzer=analyzer,
        serializer=MsgpackFrameSerializer(),
    )
    async with MemoryPeer(session) as peer:
        for number, word in enumerate(TURN + "." * 42):
            # Asked with piece 16, it answers with piece 41.
            rate = 8000 if 20 <= number < 30 else 16000
            audio = tone(0.02, rate) if word == "v" else bytes(rate // 25)
            message = {"type": "audio", "audio": audio, "sample_rate": rate}
            await peer.send(msgspec.msgpack.encode(message))
            await anyio.sleep(0.02)
        await settle()
        assert ear.told == SPOKEN[:4]
        assert len(analyzer.speech) == 60
    assert rates == [16000, 8000, 16000]
    assert lengths == {(16000, 640), (8000, 320)}
