import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.demo.story import tone
from wsframes.demo.gate import GateSettings, Phrase, PhraseGate

RATE = 8000
BLOCK = 2 * RATE * 20 // 1000
LOUD = tone(1, 0.5)[:BLOCK]
QUIET = bytes(BLOCK)


def stream(*runs: int) -> bytes:
    """So many quiet blocks, then so many loud ones, and so on."""
    return b"".join((LOUD if odd % 2 else QUIET) * blocks for odd, blocks in enumerate(runs))


def places(audio: bytes, settings: GateSettings | None = None) -> list[tuple[float, float, float]]:
    """Start, end and moment of finding of each phrase, in blocks."""
    phrases = PhraseGate(RATE, settings).feed(audio)
    return [
        (phrase.start * 2 / BLOCK, phrase.end * 2 / BLOCK, phrase.found_at * 2 / BLOCK)
        for phrase in phrases
    ]


def test_a_phrase_is_found_when_it_has_been_quiet_for_300_ms_and_has_100_ms_around_it() -> None:
    assert places(stream(10, 20, 15)) == [(5, 35, 45)]
    assert places(stream(10, 20, 14)) == []


def test_silence_before_a_phrase_is_kept_only_where_there_was_any() -> None:
    assert places(stream(2, 20, 15)) == [(0, 27, 37)]


def test_a_pause_within_a_phrase_belongs_to_it() -> None:
    assert places(stream(10, 20, 14, 20, 15)) == [(5, 69, 79)]


def test_phrases_do_not_share_silence() -> None:
    assert places(stream(10, 20, 15, 20, 15)) == [(5, 35, 45), (40, 70, 80)]


def test_a_click_is_no_phrase() -> None:
    assert places(stream(10, 2, 30)) == []
    assert places(stream(10, 3, 30)) == [(5, 18, 28)]


def test_a_click_leaves_the_gate_as_it_was() -> None:
    assert places(stream(10, 2, 30, 20, 15)) == [(37, 67, 77)]


def test_a_phrase_without_end_is_cut() -> None:
    settings = GateSettings(longest_ms=400)
    assert places(stream(0, 50), settings) == [(0, 20, 20), (20, 40, 40)]


def test_a_cut_within_a_pause_leaves_the_margin() -> None:
    settings = GateSettings(longest_ms=400)
    assert places(stream(0, 10, 12, 10, 15), settings) == [(0, 15, 20), (17, 37, 37)]


def test_noise_below_the_threshold_is_silence() -> None:
    audio = tone(1, 0.006) + tone(0.4, 0.1) + tone(1, 0.006)
    assert len(PhraseGate(RATE).feed(audio)) == 1
    assert PhraseGate(RATE, GateSettings(threshold=0.2)).feed(audio) == []


def test_a_margin_that_is_longer_than_the_wait_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="margin_ms is 200, above hang_ms, 100"):
        GateSettings(margin_ms=200, hang_ms=100)


def test_a_phrase_knows_its_place() -> None:
    phrase = Phrase(bytes(640), 1000, 2000)
    assert (phrase.samples, phrase.end) == (320, 1320)


@given(
    runs=st.lists(st.integers(0, 30), max_size=12),
    cuts=st.lists(st.integers(1, 3 * BLOCK), max_size=40),
    longest_ms=st.integers(3, 40).map(lambda blocks: 20 * blocks),
)
def test_phrases_are_slices_of_the_stream_however_it_is_split(
    runs: list[int], cuts: list[int], longest_ms: int
) -> None:
    """Each phrase is the stream from its start to its end, after the one before, in bounds."""
    audio = stream(*runs)
    settings = GateSettings(longest_ms=longest_ms)
    gate = PhraseGate(RATE, settings)
    phrases: list[Phrase] = []
    at = 0
    for cut in [*cuts, len(audio)]:
        phrases += gate.feed(audio[at : at + cut])
        at += cut

    assert phrases == PhraseGate(RATE, settings).feed(audio)
    last_end = 0
    for phrase in phrases:
        assert phrase.audio == audio[2 * phrase.start : 2 * phrase.end]
        assert last_end <= phrase.start < phrase.end <= phrase.found_at
        assert len(phrase.audio) // BLOCK * 20 <= longest_ms
        last_end = phrase.end
