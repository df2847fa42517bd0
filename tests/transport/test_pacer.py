"""`wsframes.transport.pacer`.

The pacer is told the time, so virtual time here is a number.
"""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import CHUNK_MS, SAMPLE_RATES
from wsframes.transport.pacer import Interrupted, Pacer

T0 = 1000.0
LEAD_S = 0.2
CHUNK_S = 0.02
FRAMES = 320  # 20 ms at 16 kHz


def send_until(pacer: Pacer, now_s: float, until_s: float) -> float:
    """Chunks wait without end, and each is sent when it is due. Returns the time after the last."""
    while pacer.due_s <= until_s:
        now_s = max(now_s, pacer.due_s)
        pacer.sent(FRAMES, now_s)
    return now_s


# --- schedule ---------------------------------------------------------------------------------


def test_the_lead_leaves_at_once_then_one_chunk_each_20_ms() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    now_s = T0
    left_at_s = []
    for _ in range(14):
        now_s = max(now_s, pacer.due_s)
        pacer.sent(FRAMES, now_s)
        left_at_s.append(now_s - T0)
    assert left_at_s == pytest.approx([0.0] * 11 + [0.02, 0.04, 0.06])
    assert pacer.sample_rate == 16000


def test_without_a_lead_each_chunk_leaves_when_it_is_played() -> None:
    pacer = Pacer(8000, 0, T0)
    for n in range(5):
        assert pacer.due_s == T0 + n / 50
        pacer.sent(160, pacer.due_s)


def test_an_infinite_lead_never_waits_and_playout_is_still_known() -> None:
    pacer = Pacer(16000, math.inf, T0)
    for _ in range(500):
        assert pacer.due_s < T0
        pacer.sent(FRAMES, T0)
    assert pacer.playout_end_s == T0 + 10


@pytest.mark.parametrize("lead_s", [-0.001, math.nan])
def test_a_bad_lead_is_refused(lead_s: float) -> None:
    with pytest.raises(ValueError, match=f"lead_s must be 0 or more, not {lead_s}"):
        Pacer(16000, lead_s, T0)


def test_a_bad_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate must be at least 1, not 0"):
        Pacer(0, LEAD_S, T0)
    pacer = Pacer(1, LEAD_S, T0)
    with pytest.raises(ValueError, match="sample_rate must be at least 1, not -1"):
        pacer.change_rate(-1)
    assert pacer.sample_rate == 1


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("chunk_ms", CHUNK_MS)
def test_no_drift_in_24_hours(sample_rate: int, chunk_ms: int) -> None:
    """P12: the chunk that is due after 24 h is due at the exact time, to the last bit."""
    pacer = Pacer(sample_rate, LEAD_S, 0.0)
    chunk = sample_rate * chunk_ms // 1000
    day = 24 * 3600 * sample_rate
    sent = 0
    # One by one where sums of floats would go wrong first, then in strides to the end of the day.
    for frames in [chunk] * 20_000 + [day // 1000 // chunk * chunk] * 1000:
        pacer.sent(frames, max(0.0, pacer.due_s))
        sent += frames
    assert sent > day
    assert pacer.playout_end_s == float(Fraction(sent, sample_rate))
    assert pacer.due_s == float(Fraction(sent, sample_rate)) - LEAD_S


def test_no_drift_in_24_hours_of_single_chunks() -> None:
    """P12, without strides: 1,440,000 chunks of 60 ms are a day, to the last bit."""
    pacer = Pacer(44100, 0.0, 0.0)
    for n in range(24 * 60 * 1000):
        due_s = pacer.due_s
        if n % 1000 == 0:
            assert due_s == n // 1000 * 60
        pacer.sent(2646, due_s)
    assert pacer.due_s == pacer.playout_end_s == 24 * 3600


# --- stall and pause --------------------------------------------------------------------------


def test_a_stall_of_500_ms_is_regained_at_once() -> None:
    """P12: what is overdue leaves without waiting, and the schedule is where it would have been."""
    pacer = Pacer(16000, LEAD_S, T0)
    undisturbed = Pacer(16000, LEAD_S, T0)
    now_s = send_until(pacer, T0, T0 + 1)
    now_s += 0.5
    overdue = 0
    while pacer.due_s <= now_s:
        pacer.sent(FRAMES, now_s)
        overdue += 1
    assert overdue == 25
    send_until(undisturbed, T0, now_s)
    assert pacer.due_s == undisturbed.due_s


def test_audio_that_comes_before_the_end_of_playout_goes_on_with_the_schedule() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(FRAMES, T0)
    assert pacer.resume(T0 + CHUNK_S) is False
    assert pacer.due_s == T0 + CHUNK_S - LEAD_S


def test_audio_that_comes_after_a_pause_starts_a_new_schedule() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(FRAMES, T0)
    assert pacer.resume(T0 + 60) is True
    assert pacer.due_s == T0 + 60 - LEAD_S
    assert pacer.playout_end_s == T0 + 60
    send_until(pacer, T0 + 60, T0 + 60)
    assert pacer.playout_end_s == pytest.approx(T0 + 60 + LEAD_S + CHUNK_S)


def test_a_pause_is_not_paid_back_in_a_burst() -> None:
    """After a minute without audio, the lead leaves at once and no more."""
    pacer = Pacer(16000, LEAD_S, T0)
    send_until(pacer, T0, T0 + 1)
    pacer.resume(T0 + 60)
    burst = 0
    while pacer.due_s <= T0 + 60:
        pacer.sent(FRAMES, T0 + 60)
        burst += 1
    assert burst == 11


# --- playout ----------------------------------------------------------------------------------


def test_playout_follows_the_schedule() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    assert pacer.playout_end_s == T0
    pacer.sent(16000, T0)
    assert pacer.playout_end_s == T0 + 1


def test_the_peer_cannot_regain_what_the_schedule_does() -> None:
    """A peer that ran empty plays late from then on, though the schedule is regained."""
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(3200, T0)  # played until T0 + 0.2
    pacer.sent(3200, T0 + 0.5)  # the peer was silent for 0.3 s
    assert pacer.due_s == pytest.approx(T0 + 0.4 - LEAD_S)
    assert pacer.playout_end_s == pytest.approx(T0 + 0.7)
    pacer.sent(3200, T0 + 0.5)
    assert pacer.playout_end_s == pytest.approx(T0 + 0.9)


def test_a_late_peer_is_not_forgotten_by_a_pause() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(3200, T0)
    pacer.sent(3200, T0 + 0.5)  # the schedule ends at T0 + 0.4, the peer plays until T0 + 0.7
    assert pacer.resume(T0 + 0.6) is True
    assert pacer.due_s == pytest.approx(T0 + 0.6 - LEAD_S)
    assert pacer.playout_end_s == pytest.approx(T0 + 0.7)
    assert pacer.resume(T0 + 5) is True
    assert pacer.playout_end_s == T0 + 5


def test_a_change_of_rate_goes_on_from_where_the_schedule_is() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(16000, T0)
    pacer.change_rate(8000)
    assert pacer.sample_rate == 8000
    assert pacer.playout_end_s == T0 + 1
    assert pacer.due_s == T0 + 1 - LEAD_S
    pacer.sent(8000, T0 + 0.8)
    assert pacer.playout_end_s == T0 + 2


# --- interruption -----------------------------------------------------------------------------


def test_an_interruption_tells_what_was_played() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.begin_utterance()
    now_s = send_until(pacer, T0, T0 + 1)
    told = pacer.interrupt(now_s)
    assert told.played_ms == pytest.approx(1000)
    assert told.unplayed_ms == pytest.approx(1000 * (LEAD_S + CHUNK_S))


def test_after_an_interruption_the_peer_has_nothing() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(32000, T0)
    pacer.interrupt(T0 + 0.5)
    assert pacer.playout_end_s == T0 + 0.5
    assert pacer.due_s == T0 + 0.5 - LEAD_S
    assert pacer.interrupt(T0 + 0.6) == Interrupted(0, 0)


def test_an_interruption_long_after_the_end_was_heard_in_full() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(16000, T0)
    assert pacer.interrupt(T0 + 100) == Interrupted(1000, 0)


def test_only_the_last_utterance_counts() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(16000, T0)
    pacer.begin_utterance()
    pacer.sent(16000, T0 + 0.8)
    # The first one is played until T0 + 1, so this one has been heard for a quarter of a second.
    assert pacer.interrupt(T0 + 1.25) == Interrupted(250, 750)


def test_an_utterance_that_waits_behind_another_was_not_heard() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(16000, T0)
    pacer.begin_utterance()
    pacer.sent(1600, T0 + 0.8)
    assert pacer.interrupt(T0 + 0.9) == pytest.approx((0, 100))


def test_an_utterance_goes_on_over_pauses_stalls_and_changes_of_rate() -> None:
    pacer = Pacer(16000, LEAD_S, T0)
    pacer.sent(16000, T0)
    pacer.begin_utterance()
    pacer.sent(16000, T0 + 0.8)
    pacer.resume(T0 + 10)
    pacer.sent(16000, T0 + 10)
    pacer.change_rate(8000)
    pacer.sent(8000, T0 + 12)  # the peer was silent for a second
    assert pacer.interrupt(T0 + 12.5) == pytest.approx((2500, 500))


# --- properties -------------------------------------------------------------------------------

_steps = st.lists(
    st.tuples(
        st.sampled_from(["send", "stall", "idle"]),
        st.integers(1, 4800),
        st.floats(0, 2),
    ),
    max_size=60,
)


@given(sample_rate=st.sampled_from(SAMPLE_RATES), lead_s=st.floats(0, 1), steps=_steps)
def test_schedule_and_playout(
    sample_rate: int, lead_s: float, steps: list[tuple[str, int, float]]
) -> None:
    """Never more than the lead ahead, due and playout never go back, playout is never early."""
    now_s = start_s = T0
    pacer = Pacer(sample_rate, lead_s, now_s)
    on_schedule = 0
    heard_until_s = T0  # a player that plays what it has, in order, at once
    for kind, frames, pause_s in steps:
        due_s, playout_end_s = pacer.due_s, pacer.playout_end_s
        if kind == "send":
            now_s = max(now_s, pacer.due_s)
            assert start_s + Fraction(on_schedule, sample_rate) - now_s <= lead_s + 1e-9
            pacer.sent(frames, now_s)
            on_schedule += frames
            heard_until_s = max(heard_until_s, now_s) + frames / sample_rate
        elif kind == "stall":
            now_s += pause_s
        else:
            now_s += pause_s
            if pacer.resume(now_s):
                start_s, on_schedule = now_s, 0
                heard_until_s = max(heard_until_s, now_s)
        assert pacer.due_s >= due_s
        assert pacer.playout_end_s >= playout_end_s
        assert pacer.due_s == start_s + on_schedule / sample_rate - lead_s
        assert pacer.playout_end_s == pytest.approx(heard_until_s, abs=1e-9)
        assert pacer.playout_end_s >= pacer.due_s + lead_s - 1e-9


@given(
    sample_rate=st.sampled_from(SAMPLE_RATES),
    chunk_ms=st.sampled_from(CHUNK_MS),
    stalls=st.dictionaries(st.integers(0, 400), st.floats(0, 0.5), max_size=2),
)
def test_any_stalls_are_regained(sample_rate: int, chunk_ms: int, stalls: dict[int, float]) -> None:
    """Stalls of a second in all are regained within the next second, whatever the chunks."""
    pacer = Pacer(sample_rate, LEAD_S, T0)
    chunk = sample_rate * chunk_ms // 1000
    now_s = T0
    for n in range(500):
        now_s = max(now_s, pacer.due_s) + stalls.get(n, 0.0)
        pacer.sent(chunk, now_s)
        assert pacer.due_s == T0 + (n + 1) * chunk / sample_rate - LEAD_S
    assert now_s == T0 + 499 * chunk / sample_rate - LEAD_S


@given(
    sample_rate=st.sampled_from(SAMPLE_RATES),
    sends=st.lists(st.tuples(st.integers(1, 4800), st.floats(0, 0.5)), min_size=1, max_size=30),
    begin_at=st.integers(0, 30),
    after_s=st.floats(0, 2),
)
def test_what_is_sent_is_played_or_not(
    sample_rate: int, sends: list[tuple[int, float]], begin_at: int, after_s: float
) -> None:
    """Played + unplayed = sent of the utterance, and neither is negative."""
    pacer = Pacer(sample_rate, LEAD_S, T0)
    now_s = T0
    frames_of_utterance = 0
    for n, (frames, pause_s) in enumerate(sends):
        if n == begin_at:
            pacer.begin_utterance()
            frames_of_utterance = 0
        now_s += pause_s
        pacer.sent(frames, now_s)
        frames_of_utterance += frames
    told = pacer.interrupt(now_s + after_s)
    assert told.played_ms >= 0
    assert told.unplayed_ms >= 0
    assert sum(told) == pytest.approx(1000 * frames_of_utterance / sample_rate)


def test_what_is_no_part_of_the_utterance_is_not_in_what_was_heard_of_it() -> None:
    pacer = Pacer(1000, 1.0, 0.0)
    pacer.begin_utterance()
    pacer.sent(300, 0.0)
    end_s = pacer.playout_end_s
    pacer.sent(200, 0.0)
    pacer.leave_out(200)
    assert tuple(pacer.interrupt(0.25, end_s)) == pytest.approx((250.0, 50.0))
    pacer.sent(100, 1.0)
    pacer.leave_out(100)
    assert tuple(pacer.interrupt(1.05)) == pytest.approx((0.0, 0.0))
