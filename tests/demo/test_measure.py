from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.demo.story import (
    ECHO_S,
    LATE_S,
    as_heard,
    as_served,
    interrupted,
    tone,
    two_phrases,
)
from wsframes.demo.clip import SAMPLE_RATE, Clip, Spoken, make_clip
from wsframes.demo.measure import find_problem, measure, percentile
from wsframes.demo.notes import Arrival, Heard, Served

CLIP = two_phrases()
HEARD = as_heard(CLIP)
SERVED = as_served(HEARD)
replace = msgspec.structs.replace


def shifted(heard: Heard, number: int, by_s: float) -> Heard:
    arrivals = list(heard.arrivals)
    arrivals[number] = Arrival(arrivals[number].at_s + by_s, arrivals[number].audio)
    return replace(heard, arrivals=arrivals)


def test_a_session_in_which_all_went_well_has_no_problem() -> None:
    assert find_problem(CLIP, HEARD, SERVED) is None


def broken_audio(heard: Heard) -> Heard:
    first, *others = heard.arrivals
    audio = bytearray(first.audio)
    audio[21] ^= 1
    return replace(heard, arrivals=[Arrival(first.at_s, bytes(audio)), *others])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (broken_audio, "the answer differs from the phrases from sample 10 on"),
        (
            lambda heard: replace(heard, arrivals=heard.arrivals[:-1]),
            "the answer has 20800 samples and the phrases 21120",
        ),
        (lambda heard: replace(heard, close_code=1006), "the client saw close code 1006, and 1000"),
        (lambda heard: replace(heard, sent_s=heard.sent_s[:9]), "the client could send 9 of 156"),
        (lambda heard: replace(heard, pings=4), "4 messages were sent and 3 arrived echoed"),
        (lambda heard: replace(heard, messages_sent=150), "150 messages were sent and 160 arrived"),
        (lambda heard: replace(heard, messages_received=7), "sent and 7 arrived to the client"),
        (lambda heard: replace(heard, audio=heard.audio[:32000]), "the client heard nothing for"),
    ],
)
def test_what_the_client_saw_go_wrong_is_said(
    change: Callable[[Heard], Heard], problem: str
) -> None:
    found = find_problem(CLIP, change(HEARD), SERVED)
    assert found is not None
    assert problem in found


@pytest.mark.parametrize(
    ("served", "problem"),
    [
        (replace(SERVED, reason="stalled"), "the session ended with stalled, close code 1000"),
        (replace(SERVED, close_code=None), "the session ended with ended, close code None"),
        (replace(SERVED, error="oh"), "the session ended with ended, close code 1000 (oh)"),
        (
            replace(SERVED, dropped={"input: bad_message": 2, "audio: unsent": 1}),
            "the server dropped frames: 2 (input: bad_message), 1 (audio: unsent)",
        ),
    ],
)
def test_what_the_server_saw_go_wrong_is_said(served: Served, problem: str) -> None:
    assert find_problem(CLIP, HEARD, served) == problem


def test_a_phrase_that_the_gate_does_not_find_is_a_problem() -> None:
    clip = make_clip([("loud", tone(0.4)), ("too soft", tone(0.4, 0.001))])
    heard = as_heard(clip)
    assert find_problem(clip, heard, as_served(heard)) == "2 phrases were said and 1 answered"


def test_a_phrase_that_is_cut_is_a_problem() -> None:
    whole = Spoken("all of it", 0, CLIP.spoken[0].end)
    clip = Clip(CLIP.audio, [whole, CLIP.spoken[1]])
    assert find_problem(clip, HEARD, SERVED) == "the answer to 'all of it' is not all of it"


@pytest.mark.parametrize(
    ("speech", "problem"),
    [
        (SERVED.speech[:1], "2 phrases were said, and speech was heard 1 x"),
        ([SERVED.speech[0], (2.0, 3.0)], "'two' was heard from 2.00 s to 3.00 s"),
    ],
)
def test_speech_that_was_not_heard_is_a_problem(
    speech: list[tuple[float, float]], problem: str
) -> None:
    assert find_problem(CLIP, HEARD, replace(SERVED, speech=speech)) == problem


def test_an_answer_that_is_interrupted_is_as_long_as_it_was_heard() -> None:
    clip, heard, served = interrupted()
    assert find_problem(clip, heard, served) is None
    figures = measure(clip, heard, served)
    one, two = figures.answers
    assert (one.interrupted, two.interrupted) == (True, False)
    assert one.ends_s == heard.cleared[1].at_s
    of_one = figures.pieces[:17]
    assert sum(piece.samples for piece in of_one) / SAMPLE_RATE == pytest.approx(0.5, abs=0.01)
    assert sum(piece.samples == 0 for piece in of_one) == 4
    assert two.ends_s - two.begins_s == pytest.approx(clip.answers()[1].samples / SAMPLE_RATE)
    assert figures.gaps == 0
    assert {round(piece.late_ms, 6) for piece in figures.pieces} == {1000 * LATE_S}


def test_an_answer_that_nobody_interrupted_is_a_problem() -> None:
    clip, _, served = interrupted()
    whole = as_heard(clip)
    served = replace(served, sent=whole.messages_received)
    assert find_problem(clip, whole, served) == "the answer to 'one' was not interrupted"


def test_pieces_are_late_against_a_schedule_that_runs_ahead_of_playing() -> None:
    figures = measure(CLIP, HEARD, SERVED)

    assert len(figures.pieces) == len(HEARD.arrivals)
    assert {round(piece.late_ms, 6) for piece in figures.pieces} == {1000 * LATE_S}
    assert figures.gaps == 0


def test_one_late_piece_is_late_alone() -> None:
    figures = measure(CLIP, shifted(HEARD, 9, 0.05), SERVED)

    late_ms = [round(piece.late_ms, 6) for piece in figures.pieces]
    assert late_ms[9] == 1000 * LATE_S + 50
    assert set(late_ms[:9] + late_ms[10:]) == {1000 * LATE_S}
    assert figures.gaps == 0  # the lead is longer than that


def test_a_piece_that_comes_after_the_player_has_run_dry_is_a_gap() -> None:
    figures = measure(CLIP, shifted(HEARD, 9, 0.25), SERVED)

    assert figures.gaps == 1
    assert figures.pieces[9].heard_s == pytest.approx(HEARD.arrivals[9].at_s + 0.25)


def test_an_answer_is_timed_from_the_last_word_to_its_first_piece_and_its_end() -> None:
    figures = measure(CLIP, HEARD, SERVED)

    one, two = figures.answers
    assert (one.words, two.words) == ("one", "two")
    # The gate listens for 300 ms; the phrase of 410 ms ends 10 ms before its last message does.
    assert one.after_ms == pytest.approx(300 + 1000 * LATE_S)
    assert one.until_s == pytest.approx(CLIP.spoken[0].end / SAMPLE_RATE + 0.01)
    assert one.ends_s == pytest.approx(one.begins_s + CLIP.answers()[0].samples / SAMPLE_RATE)


def test_an_answer_is_not_late_for_the_background_that_is_played_before_it() -> None:
    first = HEARD.arrivals[0]
    arrivals = [
        Arrival(first.at_s, first.audio, 0.07),
        *(Arrival(each.at_s + 0.07, each.audio) for each in HEARD.arrivals[1:]),
    ]
    figures = measure(CLIP, replace(HEARD, arrivals=arrivals), SERVED)

    one = figures.answers[0]
    of_one = len(CLIP.answers()[0].audio) // len(first.audio)
    late_ms = [piece.late_ms for piece in figures.pieces[:of_one]]
    assert max(late_ms) <= 1000 * (LATE_S + 0.07) + 1e-6
    assert late_ms[-1] == pytest.approx(0.0, abs=1e-6)
    assert figures.gaps == 0
    assert one.ends_s == pytest.approx(first.at_s + 0.07 + CLIP.answers()[0].samples / SAMPLE_RATE)


def test_an_answer_that_has_to_wait_for_the_one_before_is_not_late_for_it() -> None:
    # The second phrase is over while the first answer, which came whole, is still being played.
    clip = Clip(CLIP.audio, CLIP.spoken)
    first, second = clip.answers()
    begins_s = second.found_at / SAMPLE_RATE - 0.4
    heard = replace(
        HEARD,
        sent_s=[at_s if at_s < 1 else begins_s for at_s in HEARD.sent_s],
        arrivals=[
            Arrival(first.found_at / SAMPLE_RATE, first.audio),
            Arrival(begins_s + 0.001, second.audio),
        ],
    )
    figures = measure(clip, heard, SERVED)
    assert figures.pieces[1].late_ms == pytest.approx(1)


def test_a_piece_with_the_end_of_one_answer_and_the_beginning_of_the_next_counts_once() -> None:
    first, second = CLIP.answers()
    audio = first.audio + second.audio
    cut = len(first.audio) + 200
    at_s = second.found_at / SAMPLE_RATE + 1
    arrivals = [Arrival(at_s, audio[:cut]), Arrival(at_s, audio[cut:])]
    figures = measure(CLIP, replace(HEARD, arrivals=arrivals), SERVED)

    assert len(figures.pieces) == 2
    assert figures.answers[1].ends_s == pytest.approx(at_s + len(audio) / 2 / SAMPLE_RATE)


def test_round_trips_and_the_clients_own_lateness() -> None:
    heard = replace(HEARD, sent_s=[at_s + 0.003 for at_s in HEARD.sent_s])
    figures = measure(CLIP, heard, SERVED)

    assert figures.round_trips_ms == pytest.approx([1000 * ECHO_S, 1000 * ECHO_S, 10000 * ECHO_S])
    assert figures.send_late_ms == pytest.approx([3.0] * len(heard.sent_s))


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (98.5, 99), (99, 99), (100, 100)]
)
def test_percentile_is_one_of_the_values(percent: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_so_many_percent_are_not_above_the_percentile(values: list[float], percent: float) -> None:
    """At least so many percent are at most the percentile, and fewer below the next smaller."""
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values) - 1e-6
    below = sum(value < found for value in values)
    assert below == 0 or below * 100 < percent * len(values)
