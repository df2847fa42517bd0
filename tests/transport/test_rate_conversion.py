"""`wsframes.transport.rate_conversion` and `wsframes.transport.audio_feed`."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import SAMPLE_RATES
from tests.transport.sessions import sound
from wsframes import OutputAudioRawFrame
from wsframes.audio.resample import StreamResampler
from wsframes.transport.audio_feed import AudioFeed
from wsframes.transport.rate_conversion import RateConverter


def resampled(audio: bytes, from_rate: int, to_rate: int, num_channels: int = 1) -> bytes:
    resampler = StreamResampler(from_rate, to_rate, num_channels)
    return resampler.push(audio) + resampler.flush()


@given(
    streams=st.lists(
        st.tuples(st.sampled_from(SAMPLE_RATES), st.lists(st.integers(0, 700), max_size=4)),
        max_size=4,
    ),
    to_rate=st.sampled_from(SAMPLE_RATES),
)
def test_each_stretch_of_one_rate_is_a_stream_of_its_own(
    streams: list[tuple[int, list[int]]], to_rate: int
) -> None:
    """However it is cut, it becomes what the whole stretch would have become."""
    converter = RateConverter(to_rate, 1)
    got = expected = b""
    stretch, stretch_rate = b"", to_rate
    for rate, pieces in streams:
        for frames in pieces:
            piece = sound(frames / rate, rate)
            if rate != stretch_rate:
                expected += resampled(stretch, stretch_rate, to_rate)
                stretch, stretch_rate = b"", rate
            stretch += piece
            got += converter.convert(piece, rate)
    assert got + converter.rest() == expected + resampled(stretch, stretch_rate, to_rate)
    assert not converter.has_rest


def test_audio_of_the_right_rate_is_not_touched_and_needs_no_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wsframes.audio.resample", None)
    converter = RateConverter(16000, 1)
    piece = bytes(640)
    assert converter.convert(piece, 16000) is piece
    assert not converter.has_rest
    assert converter.rest() == b""
    feed = AudioFeed(1, 16000)
    assert feed.take(OutputAudioRawFrame(piece, 16000)) is piece
    assert feed.sample_rate == 16000
    assert not feed.has_rest


def test_what_has_come_out_does_not_come_again() -> None:
    converter = RateConverter(8000, 1)
    converter.convert(sound(0.1), 16000)
    assert converter.has_rest
    assert converter.rest()
    assert not converter.has_rest
    whole = sound(0.1, first=99)
    assert converter.convert(whole, 16000) + converter.rest() == resampled(whole, 16000, 8000)


def test_a_feed_joins_samples_mixes_channels_and_converts_the_rate() -> None:
    feed = AudioFeed(1, 8000)
    whole = sound(0.2, 16000, 2)
    got = b"".join(
        feed.take(OutputAudioRawFrame(whole[at : at + 77], 16000, 2))
        for at in range(0, len(whole), 77)
    )
    mono = AudioFeed(1, None).take(OutputAudioRawFrame(whole, 16000, 2))
    assert feed.has_rest
    assert got + feed.rest() == resampled(mono, 16000, 8000)
    feed.take(OutputAudioRawFrame(b"x" * 5, 16000, 2))
    feed.cut()
    assert feed.odd_bytes == 1
    feed.take(OutputAudioRawFrame(b"x" * 7, 16000, 2))
    feed.clear()
    assert feed.odd_bytes == 4
    assert not feed.has_rest


def test_a_feed_without_a_rate_takes_the_audio_s() -> None:
    feed = AudioFeed(1, None)
    for rate in (8000, 48000):
        assert feed.take(OutputAudioRawFrame(b"abcd", rate)) == b"abcd"
        assert feed.sample_rate == rate
    assert (feed.has_rest, feed.rest()) == (False, b"")
    feed.clear()
    with pytest.raises(ValueError, match="sample_rate is 1"):
        feed.take(OutputAudioRawFrame(b"", 1))
