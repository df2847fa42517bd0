"""`wsframes.transport.hearing.user_turn`."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.hearing.user_turn import Act, Signal, TurnState, UserTurn

VOICE, SILENCE, COMPLETE, LOST, EMULATED_START, EMULATED_STOP = Signal
VOICE_STARTED, VOICE_STOPPED, TURN_STARTED, INTERRUPT, ASK, TURN_STOPPED = Act


def acts(*signals: Signal) -> list[Act]:
    turn = UserTurn()
    return [act for signal in signals for act in turn.take(signal)]


def test_a_turn() -> None:
    begun = [VOICE_STARTED, TURN_STARTED, INTERRUPT]
    assert acts(VOICE, SILENCE, COMPLETE) == [*begun, VOICE_STOPPED, ASK, TURN_STOPPED]


def test_who_goes_on_does_not_begin_again() -> None:
    assert acts(VOICE, SILENCE, VOICE, COMPLETE, SILENCE, COMPLETE).count(TURN_STARTED) == 1
    assert acts(VOICE, SILENCE, VOICE, COMPLETE).count(TURN_STOPPED) == 0


def test_a_turn_that_is_lost_ends_with_its_voice() -> None:
    assert acts(VOICE, LOST)[-2:] == [VOICE_STOPPED, TURN_STOPPED]
    assert acts(VOICE, SILENCE, LOST)[-1:] == [TURN_STOPPED]


def test_emulated() -> None:
    assert acts(EMULATED_START, EMULATED_STOP) == [TURN_STARTED, INTERRUPT, TURN_STOPPED]
    assert acts(EMULATED_START, VOICE) == [TURN_STARTED, INTERRUPT, VOICE_STARTED]
    assert acts(EMULATED_START, LOST) == [TURN_STARTED, INTERRUPT, TURN_STOPPED]
    dismissed = acts(VOICE, EMULATED_STOP, SILENCE)
    assert dismissed == [VOICE_STARTED, TURN_STARTED, INTERRUPT, TURN_STOPPED, VOICE_STOPPED]
    again = acts(VOICE, EMULATED_STOP, EMULATED_START, SILENCE)
    assert again[-4:] == [TURN_STARTED, INTERRUPT, VOICE_STOPPED, ASK]


@given(st.lists(st.sampled_from(Signal)))
def test_what_begins_ends_once(signals: list[Signal]) -> None:
    """Starts and stops alternate, of turns and of voices; interruptions only begin a turn; and when
    all is lost, all has ended."""
    turn = UserTurn()
    told = [act for signal in [*signals, LOST] for act in turn.take(signal)]
    for start, stop in ((TURN_STARTED, TURN_STOPPED), (VOICE_STARTED, VOICE_STOPPED)):
        pairs = [act for act in told if act in (start, stop)]
        assert pairs == [start, stop] * (len(pairs) // 2)
    for before, act in zip([None, *told], told, strict=False):
        assert (act is INTERRUPT) is (before is TURN_STARTED)
        assert act is not ASK or before is VOICE_STOPPED
    assert turn.state is TurnState.IDLE
