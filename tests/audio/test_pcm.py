"""`wsframes.audio.pcm`."""

import io
import math
import random
import struct
import wave
from array import array
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import channels, pcm, pieces, sample_rates
from wsframes.audio import pcm as module
from wsframes.audio.pcm import (
    FrameAligner,
    bytes_per_frame,
    duration_s,
    frame_count,
    peak,
    remix,
    rms,
    silence,
    wav_bytes,
)


def samples(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def values(audio: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(audio) // 2}h", audio))


# --- counting ---------------------------------------------------------------------------------


def test_frames_are_counted_not_bytes() -> None:
    assert bytes_per_frame(1) == 2
    assert bytes_per_frame(6) == 12
    assert frame_count(bytes(640), 1) == 320
    assert frame_count(bytes(640), 2) == 160
    assert frame_count(bytes(643), 2) == 160
    assert duration_s(bytes(640), 16000, 1) == 0.02
    assert duration_s(bytes(640), 16000, 2) == 0.01
    assert duration_s(b"", 8000, 1) == 0.0
    assert duration_s(bytes(2), 1, 1) == 1.0
    assert silence(3, 2) == bytes(12)


@pytest.mark.parametrize("num_channels", [0, -1])
def test_no_channels_are_refused(num_channels: int) -> None:
    with pytest.raises(ValueError, match=f"num_channels must be at least 1, not {num_channels}"):
        bytes_per_frame(num_channels)
    with pytest.raises(ValueError, match="num_channels"):
        remix(b"", 1, num_channels)
    with pytest.raises(ValueError, match="num_channels"):
        remix(b"", num_channels, 1)
    with pytest.raises(ValueError, match="num_channels"):
        FrameAligner(num_channels)


def test_a_rate_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate must be at least 1, not 0"):
        duration_s(bytes(2), 0, 1)


# --- remix ------------------------------------------------------------------------------------


def test_mono_is_copied_into_every_channel() -> None:
    assert remix(samples(1, -2), 1, 3) == samples(1, 1, 1, -2, -2, -2)


@pytest.mark.parametrize(
    ("stereo", "mono"),
    [
        ((1, 3), 2),
        ((0, 1), 1),
        ((0, -1), 0),
        ((-1, -2), -1),
        ((32767, 32767), 32767),
        ((-32768, -32768), -32768),
        ((32767, -32768), 0),
    ],
)
def test_stereo_becomes_its_rounded_mean(stereo: tuple[int, int], mono: int) -> None:
    assert values(remix(samples(*stereo), 2, 1)) == [mono]


def test_several_channels_go_through_mono() -> None:
    assert values(remix(samples(1, 2, 6, -1, -2, -6), 3, 2)) == [3, 3, -3, -3]


def test_equal_channels_give_the_same_object() -> None:
    audio = samples(1, 2, 3, 4)
    assert remix(audio, 2, 2) is audio


def test_incomplete_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="6 bytes of audio are not whole frames of 4 bytes"):
        remix(bytes(6), 2, 1)
    with pytest.raises(ValueError, match="3 bytes"):
        remix(bytes(3), 1, 1)


@given(data=st.data(), num_channels=channels)
def test_mono_survives_any_number_of_channels(data: st.DataObject, num_channels: int) -> None:
    """Mono to n channels and back is the identity."""
    audio = data.draw(pcm())
    assert remix(remix(audio, 1, num_channels), num_channels, 1) == audio


@given(data=st.data(), from_channels=channels, to_channels=channels)
def test_remix_keeps_the_duration(
    data: st.DataObject, from_channels: int, to_channels: int
) -> None:
    """Whatever the channels, the number of frames stays."""
    audio = data.draw(pcm(from_channels))
    out = remix(audio, from_channels, to_channels)
    assert frame_count(out, to_channels) == frame_count(audio, from_channels)
    assert len(out) == frame_count(audio, from_channels) * bytes_per_frame(to_channels)


@given(data=st.data(), num_channels=channels)
def test_the_mean_is_exact(data: st.DataObject, num_channels: int) -> None:
    """Each mono sample is the exact mean of its frame, rounded, halves up."""
    audio = data.draw(pcm(num_channels, max_frames=50))
    flat = values(audio)
    frames = [flat[at : at + num_channels] for at in range(0, len(flat), num_channels)]
    expected = [math.floor(Fraction(sum(f), num_channels) + Fraction(1, 2)) for f in frames]
    assert values(remix(audio, num_channels, 1)) == expected


def _swapped(audio: bytes) -> bytes:
    swapped = array("h", audio)
    swapped.byteswap()
    return swapped.tobytes()


@given(data=st.data(), from_channels=channels, to_channels=channels)
def test_the_other_byte_order(data: st.DataObject, from_channels: int, to_channels: int) -> None:
    """On a machine of the other byte order, the other byte order's audio is treated alike."""
    audio = data.draw(pcm(from_channels, max_frames=20))
    here = remix(audio, from_channels, to_channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SWAP", not module._SWAP)
        assert remix(_swapped(audio), from_channels, to_channels) == _swapped(here)
        assert peak(_swapped(audio)) == max(map(abs, values(audio)), default=0) / 32768


# --- WAV --------------------------------------------------------------------------------------


@given(data=st.data(), num_channels=channels, sample_rate=sample_rates)
def test_a_wav_file_is_read_back(data: st.DataObject, num_channels: int, sample_rate: int) -> None:
    """What the standard library reads from the file is what was put in."""
    audio = data.draw(pcm(num_channels))
    with wave.open(io.BytesIO(wav_bytes(audio, sample_rate, num_channels))) as file:
        assert file.getparams()[:4] == (
            num_channels,
            2,
            sample_rate,
            frame_count(audio, num_channels),
        )
        assert file.readframes(file.getnframes()) == audio


def test_a_wav_file_is_what_the_standard_library_writes() -> None:
    audio = samples(1, -2, 3, -4)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((2, 2, 24000, 2, "NONE", "not compressed"))
        file.writeframes(audio)
    assert wav_bytes(audio, 24000, 2) == written.getvalue()


def test_a_wav_file_has_whole_frames() -> None:
    with pytest.raises(ValueError, match="not whole frames of 4 bytes"):
        wav_bytes(bytes(6), 16000, 2)


# --- levels -----------------------------------------------------------------------------------


def test_levels() -> None:
    assert peak(b"") == rms(b"") == 0.0
    assert peak(samples(0, 0)) == rms(samples(0, 0)) == 0.0
    assert peak(samples(0, -32768, 5)) == 1.0
    assert peak(samples(16384, -5)) == 0.5
    assert rms(samples(16384, -16384)) == 0.5
    assert rms(samples(-32768)) == 1.0


@given(data=st.data())
def test_the_mean_level_is_below_the_peak(data: st.DataObject) -> None:
    """0 <= rms <= peak <= 1."""
    audio = data.draw(pcm())
    assert 0.0 <= rms(audio) <= peak(audio) * (1 + 1e-12) <= 1.0 + 1e-12


@pytest.mark.parametrize("level", [peak, rms])
def test_a_level_of_half_a_sample_is_refused(level: Callable[[bytes], float]) -> None:
    with pytest.raises(ValueError, match="3 bytes of audio are not whole frames of 2 bytes"):
        level(bytes(3))


# --- aligner ----------------------------------------------------------------------------------


def test_the_odd_byte_waits_for_its_other_half() -> None:
    aligner = FrameAligner(1)
    assert aligner.feed(b"\x01\x02\x03") == b"\x01\x02"
    assert len(aligner.kept) == 1
    assert aligner.feed(b"") == b""
    assert aligner.feed(b"\x04") == b"\x03\x04"
    assert len(aligner.kept) == 0
    assert aligner.feed(b"") == b""


def test_aligned_audio_is_the_same_object() -> None:
    audio = bytes(640)
    assert FrameAligner(2).feed(audio) is audio


def test_reset_counts_what_it_drops() -> None:
    aligner = FrameAligner(2)
    assert aligner.feed(bytes(7)) == bytes(4)
    assert aligner.reset() == 3
    assert aligner.reset() == 0
    assert aligner.feed(b"abcd") == b"abcd"


@given(split=pieces(), num_channels=channels)
def test_random_splits_reassemble(split: tuple[bytes, list[bytes]], num_channels: int) -> None:
    """Wherever audio is cut, whole frames come out, bit-exact; less than a frame is kept."""
    whole, parts = split
    aligner = FrameAligner(num_channels)
    out = b""
    for part in parts:
        aligned = aligner.feed(part)
        assert len(aligned) % bytes_per_frame(num_channels) == 0
        assert len(aligner.kept) < bytes_per_frame(num_channels)
        out += aligned
    complete = frame_count(whole, num_channels) * bytes_per_frame(num_channels)
    assert out == whole[:complete]
    assert aligner.reset() == len(whole) - complete


def test_a_hundred_thousand_splits() -> None:
    """P14: one stream cut at 1e5 random places comes out bit-exact."""
    rng = random.Random(14)
    aligner = FrameAligner(2)
    sent = bytearray()
    received = bytearray()
    for _ in range(100_000):
        piece = rng.randbytes(rng.randrange(9))
        sent += piece
        received += aligner.feed(piece)
    pending = aligner.reset()
    assert received == sent[: len(sent) - pending]
    assert pending == len(sent) % 4
