"""Every turn of the user that begins ends, whatever comes and whatever fails, and audio goes on."""

import threading
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.hearing.parts import PARAMS, hearing, say
from tests.vad.parts import Loud
from wsframes.testing import MemoryPeer, settle
from wsframes.turn import BaseTurnAnalyzer, EndOfTurnState

# Pieces of 20 ms with voice, without, and none at all; and who fails, or says what, meanwhile. Five
# pieces of voice are speech, ten of silence end it, forty of nothing end everything.
STEPS = st.lists(
    st.tuples(
        st.sampled_from([5, 6, 20, 3, 0]),
        st.sampled_from([12, 10, 30, 3, 0]),
        st.sampled_from([0, 10, 39, 45]),
        st.sampled_from([False, False, True]),
        st.sampled_from([False, False, True]),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)
Steps = list[tuple[int, int, int, bool, bool, bool]]


class Voice(Loud):
    fails = False

    def voice_confidence(self, buffer: bytes) -> float:
        if self.fails:
            raise RuntimeError("voice")
        return super().voice_confidence(buffer)


class Turn(BaseTurnAnalyzer):
    runs_inline = True
    fails = False
    complete = True

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        return EndOfTurnState.INCOMPLETE

    def analyze_end_of_turn(self) -> EndOfTurnState:
        if self.fails:
            raise RuntimeError("turn")
        return EndOfTurnState.COMPLETE if self.complete else EndOfTurnState.INCOMPLETE

    def clear(self) -> None:
        pass


@settings(max_examples=25)
@given(steps=STEPS, has_turn=st.booleans())
async def test_turns_begin_and_end_in_turns(steps: Steps, has_turn: bool) -> None:
    """Starts and stops alternate, of voices and of turns; an interruption comes right after each
    start of a turn; nothing of it is open a second after the last audio; all audio goes on, in
    order; and each analyzer is reported once at most."""
    voice, turn = Voice(params=PARAMS), Turn()
    params: dict[str, Any] = {"vad_analyzer": voice, "turn_analyzer": turn if has_turn else None}
    session, ear = hearing(**params)
    sent = ""
    async with MemoryPeer(session) as peer:
        for voiced, silent, missing, voice.fails, turn.fails, turn.complete in steps:
            words = "v" * voiced + "." * silent
            sent += words
            await say(peer, words)
            await anyio.sleep(missing / 50)
        await anyio.sleep(1.0)
        await settle()
    told = ear.told
    for start, stop in (("user+", "user-"), ("vad+", "vad-")):
        pairs = [word for word in told if word in (start, stop)]
        assert pairs == [start, stop] * (len(pairs) // 2)
    assert [told[n + 1] for n, word in enumerate(told) if word == "user+"] == ["!"] * told.count(
        "!"
    )
    assert ear.audio == sent
    assert len(session.errors) <= 2


@pytest.mark.parametrize("hangs", ["voice", "turn"])
async def test_an_analyzer_that_hangs_costs_its_own_session_only(hangs: str) -> None:
    go_on = threading.Event()

    class HangingVoice(Loud):
        runs_inline = False

        def voice_confidence(self, buffer: bytes) -> float:
            go_on.wait(30)
            return 0.0

    class HangingTurn(Turn):
        runs_inline = False

        def analyze_end_of_turn(self) -> EndOfTurnState:
            go_on.wait(30)
            return EndOfTurnState.COMPLETE

    stuck, stuck_ear = hearing(
        vad_analyzer=HangingVoice(params=PARAMS) if hangs == "voice" else Loud(params=PARAMS),
        turn_analyzer=HangingTurn() if hangs == "turn" else None,
    )
    well, ear = hearing()
    async with MemoryPeer(stuck) as stuck_peer, MemoryPeer(well) as peer:
        for _ in range(4):
            await say(stuck_peer, "vvvvvv............")
            began_s = anyio.current_time()
            await say(peer, "vvvvvv............")
            await settle()
            # 100 ms of voice and 200 of silence make it certain: the 16th of 18 pieces.
            assert ear.when_s("user-") - began_s == pytest.approx(0.3, abs=0.02)
        go_on.set()
        await anyio.sleep(3)
    assert ear.told == ["vad+", "user+", "!", "vad-", "user-"] * 4
    assert stuck_ear.audio == "vvvvvv............" * 4
    assert stuck_ear.told.count("user+") == stuck_ear.told.count("user-")
