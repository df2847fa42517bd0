import wave
from itertools import pairwise
from pathlib import Path

import pytest

import wsframes.demo
from tests.demo.story import tone
from wsframes.audio import rms
from wsframes.demo.clip import MESSAGE_MS, PHRASES, SAMPLE_RATE, make_clip, recorded_clip

DEMO = Path(wsframes.demo.__file__).parent
RECORDINGS = sorted((DEMO / "speech").glob("*.wav"))


def test_the_recordings_are_those_of_the_words() -> None:
    script = (DEMO / "make_speech.sh").read_text()
    assert [path.name for path in RECORDINGS] == ["1.wav", "2.wav", "3.wav"]
    for number, words in enumerate(PHRASES, 1):
        assert f'speak {number} "{words}"' in script


def test_the_recordings_are_small_and_in_the_format_that_is_sent() -> None:
    assert sum(path.stat().st_size for path in RECORDINGS) <= 200_000
    for path in RECORDINGS:
        with wave.open(str(path)) as wav:
            assert wav.getparams()[:3] == (1, 2, SAMPLE_RATE)


@pytest.mark.parametrize("phrases", [1, 2, 3])
def test_each_recorded_phrase_is_one_phrase_to_the_gate(phrases: int) -> None:
    clip = recorded_clip(phrases)

    assert [spoken.words for spoken in clip.spoken] == list(PHRASES[:phrases])
    answers = clip.answers()
    assert len(answers) == phrases
    for spoken, answer in zip(clip.spoken, answers, strict=True):
        assert answer.start <= spoken.start < spoken.end <= answer.end
        assert rms(clip.audio[2 * spoken.start : 2 * spoken.end]) > 0.03


def test_there_is_time_to_hear_an_answer_unless_the_next_phrase_interrupts_it() -> None:
    clip = recorded_clip(3)

    assert clip.interrupted == 1
    for number, (answer, following) in enumerate(pairwise(clip.answers())):
        is_whole = following.start > answer.found_at + answer.samples
        assert is_whole is (number != clip.interrupted)
        assert following.start > answer.found_at + SAMPLE_RATE // 2


def test_a_single_phrase_interrupts_nobody() -> None:
    assert recorded_clip(1).interrupted is None
    assert recorded_clip(2).interrupted == 0


def test_messages_are_of_20_ms_and_all_of_the_audio() -> None:
    clip = make_clip([("odd", tone(0.1003))])
    messages = clip.messages()

    assert {len(message) for message in messages} == {2 * SAMPLE_RATE * MESSAGE_MS // 1000}
    assert b"".join(messages) == clip.audio
    assert clip.duration_s == pytest.approx(len(messages) * MESSAGE_MS / 1000)
    spoken = clip.spoken[0]
    assert clip.audio[2 * spoken.start : 2 * spoken.end] == tone(0.1003)


def test_a_microphone_is_never_silent() -> None:
    clip = recorded_clip(3)

    assert all(any(message) for message in clip.messages())
    assert rms(clip.messages()[0]) < 0.0001
