"""`wsframes.audio.opus`."""

import importlib.util
import math
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.audio import opus
from wsframes.audio.opus import OPUS_SAMPLE_RATES, OpusDecoder, OpusEncoder, OpusPacker
from wsframes.audio.pcm import rms
from wsframes.exceptions import MissingExtraError


def tone(seconds: float, rate: int, num_channels: int = 1, hz: float = 440.0) -> bytes:
    """A sine at a quarter of full scale."""
    samples = array("h")
    for n in range(round(seconds * rate)):
        value = round(8192 * math.sin(2 * math.pi * hz * n / rate))
        samples.extend([value] * num_channels)
    return samples.tobytes()


@pytest.mark.parametrize("bitrate", [6000, 24000, 96000])
@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("rate", OPUS_SAMPLE_RATES)
def test_the_rate_is_what_was_asked_for(rate: int, num_channels: int, bitrate: int) -> None:
    encoder = OpusEncoder(rate, num_channels, bitrate)
    whole = tone(1.0, rate, num_channels) + bytes(2 * num_channels * rate)
    bits = 8 * sum(map(len, encoder.encode(whole)))
    assert bits / 2 == pytest.approx(bitrate, rel=0.01)


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("rate", OPUS_SAMPLE_RATES)
def test_a_tone_is_heard_as_it_was(rate: int, num_channels: int) -> None:
    """6.5 ms later, and otherwise with an error 20 dB below it."""
    whole = tone(1.0, rate, num_channels)
    decoder = OpusDecoder(rate, num_channels)
    heard = b"".join(map(decoder.decode, OpusEncoder(rate, num_channels, 64000).encode(whole)))
    assert len(heard) == len(whole)
    delay = round(0.0065 * rate) * 2 * num_channels
    middle = slice(len(whole) // 4, len(whole) // 2)
    was = array("h", whole[middle])
    now = array("h", heard[delay:][middle])
    error = array("h", [max(-32768, min(32767, a - b)) for a, b in zip(was, now, strict=True)])
    assert rms(error.tobytes()) < 0.1 * rms(was.tobytes())


@pytest.mark.parametrize(
    ("frames", "sizes"),
    [(0, []), (1, [10]), (160, [10]), (161, [20]), (320, [20]), (480, [20, 10])],
)
def test_the_last_packet_is_filled_up(frames: int, sizes: list[int]) -> None:
    packets = OpusEncoder(16000, 1, 32000).encode(bytes(2 * frames))
    decoder = OpusDecoder(16000, 1)
    assert [decoder.frames_of(packet) // 16 for packet in packets] == sizes


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: OpusEncoder(44100, 1, 96000), "Opus has no 44100 Hz, but 8000, 12000"),
        (lambda: OpusDecoder(22050, 1), "no 22050 Hz"),
        (lambda: OpusEncoder(16000, 3, 96000), "1 or 2 channels here, not 3"),
        (lambda: OpusEncoder(16000, 1, 5999), "6000 to 510000 bits a second, not 5999"),
        (lambda: OpusPacker(510001, 2), "set audio_out_bitrate"),
        (lambda: OpusEncoder(16000, 2, 96000).encode(bytes(6)), "6 bytes of audio"),
        (lambda: OpusDecoder(16000, 1).decode(b""), "an empty Opus packet"),
        (lambda: OpusDecoder(16000, 1).decode(b"\x03"), "no Opus packet"),
    ],
)
def test_what_opus_does_not_have(make: object, problem: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=problem):
        make()


# --- both ways of a connection


@given(frames=st.lists(st.integers(0, 1000), max_size=8), num_channels=st.integers(1, 2))
def test_what_is_unpacked_is_as_long_as_what_was_packed(
    frames: list[int], num_channels: int
) -> None:
    """To the sample, however the audio was cut."""
    here, there = OpusPacker(32000, 2), OpusPacker(32000, 2)
    for count in frames:
        audio = bytes(2 * num_channels * count)
        packets = here.pack(audio, 16000, num_channels, None)
        assert there.unpack(packets, count, 16000, num_channels, None) == audio


def test_each_destination_has_a_stream_of_its_own() -> None:
    """What is said on one is not heard on another, where each packet hangs on the one before."""
    here, there = OpusPacker(32000, 2), OpusPacker(32000, 2)
    loud, heard = tone(0.02, 16000), {"a": b"", "b": b""}
    for _ in range(20):
        for name, audio in (("a", loud), ("b", bytes(640))):
            packets = here.pack(audio, 16000, 1, name)
            heard[name] += there.unpack(packets, 320, 16000, 1, name)
    assert rms(heard["a"]) > 0.1
    assert rms(heard["b"]) < 0.001


def test_a_stream_whose_format_changes_begins_anew() -> None:
    here, there = OpusPacker(32000, 2), OpusPacker(32000, 2)
    for rate, channels in ((16000, 1), (24000, 1), (24000, 2)):
        packets = here.pack(tone(0.2, rate, channels), rate, channels, None)
        assert rms(there.unpack(packets, rate // 5, rate, channels, None)) > 0.1


def test_what_a_peer_may_not_send() -> None:
    packets = OpusPacker(32000, 2).pack(bytes(640), 16000, 1, None)
    packer = OpusPacker(32000, 2)
    with pytest.raises(ValueError, match="321 samples announced, and 320 in the packets"):
        packer.unpack(packets, 321, 16000, 1, None)
    with pytest.raises(ValueError, match="more than 2 s of Opus in one message"):
        packer.unpack(packets * 101, 1, 16000, 1, None)
    assert len(packer.unpack(packets * 100, 32000, 16000, 1, None)) == 64000
    for number in range(15):
        packer.unpack(packets, 320, 16000, 1, f"{number}")
    with pytest.raises(ValueError, match="more than 16 streams of Opus"):
        packer.unpack(packets, 320, 16000, 1, "one more")


@given(packets=st.lists(st.binary(max_size=60), max_size=5), frames=st.integers(0, 40000))
def test_garbage_is_audio_or_an_error(packets: list[bytes], frames: int) -> None:
    """P15: whatever the packets, so many samples or a ValueError."""
    packer = OpusPacker(32000, 2)
    try:
        audio = packer.unpack(packets, frames, 16000, 1, None)
    except ValueError:
        return
    assert len(audio) == 2 * frames


def test_a_packet_that_breaks_in_the_decoder_is_no_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = OpusDecoder(16000, 1)
    (packet,) = OpusEncoder(16000, 1, 32000).encode(bytes(640))
    monkeypatch.setattr(decoder, "frames_of", lambda packet: 1)  # room for less than it holds
    with pytest.raises(ValueError, match="a broken Opus packet"):
        decoder.decode(packet)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opuslib_next", None)
    spec = importlib.util.spec_from_file_location("opus_again", opus.__file__)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(MissingExtraError, match=r'pip install "wsframes\[opus\]"'):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
