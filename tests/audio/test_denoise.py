"""`wsframes.audio.denoise`."""

import importlib.util
import sys

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes import FilterEnableFrame, FilterUpdateSettingsFrame
from wsframes.audio import denoise
from wsframes.audio.denoise import NoiseFilter
from wsframes.exceptions import MissingExtraError

Samples = npt.NDArray[np.int16]

RATES = [8000, 11025, 16000, 24000, 32000, 44100, 48000, 96000]


def hiss(seconds: float, rate: int, num_channels: int = 1, level: float = 600) -> Samples:
    """Noise up to 3.5 kHz, as a line has it: the same sound at any rate."""
    frames = round(seconds * rate)
    spectrum = np.zeros((frames // 2 + 1, num_channels), complex)
    top = round(3500 * seconds)
    random = np.random.default_rng(5)
    spectrum[:top] = random.normal(size=(top, num_channels)) * 1j
    spectrum[:top] += random.normal(size=(top, num_channels))
    noise = np.fft.irfft(spectrum, frames, axis=0)
    noise *= level / noise.std(axis=0)
    return np.rint(noise).astype(np.int16)


def started(rate: int, num_channels: int = 1, level: int = 2) -> NoiseFilter:
    audio_filter = NoiseFilter(level)
    audio_filter.num_channels = num_channels
    audio_filter.start(rate)
    return audio_filter


def samples_of(audio: bytes, num_channels: int = 1) -> Samples:
    return np.frombuffer(audio, "<i2").reshape(-1, num_channels)


def fed(audio_filter: NoiseFilter, audio: bytes) -> bytes:
    """In pieces of 640 bytes."""
    return b"".join(audio_filter.filter(audio[at : at + 640]) for at in range(0, len(audio), 640))


def level_db(samples: Samples) -> float:
    return float(20 * np.log10(max(samples.astype(float).std(), 1e-3)))


@pytest.mark.parametrize("rate", RATES)
def test_noise_is_suppressed_at_any_rate(rate: int) -> None:
    noise = hiss(2.0, rate)
    heard = samples_of(fed(started(rate), noise.tobytes()))
    assert level_db(heard[rate:]) < level_db(noise) - 10
    assert 0 <= len(noise) - len(heard) <= 0.02 * rate


def test_the_higher_the_level_the_less_is_left() -> None:
    noise = hiss(2.0, 16000)
    left = [
        level_db(samples_of(fed(started(16000, level=level), noise.tobytes()))[16000:])
        for level in range(4)
    ]
    assert left == sorted(left, reverse=True)
    assert left[0] - left[3] > 8


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_voice_like_sound_stays(rate: int) -> None:
    """A tone that comes and goes, 20 dB over the noise, keeps its strength."""
    seconds = 3.0
    time = np.arange(round(seconds * rate)) / rate
    tone = 9000 * np.sin(2 * np.pi * 500 * time) * (time % 0.6 < 0.3)
    mixed = tone + hiss(seconds, rate)[:, 0]
    heard = samples_of(fed(started(rate), np.rint(mixed).astype("<i2").tobytes()))
    assert abs(level_db(heard[rate:]) - level_db(np.rint(tone[rate:]).astype(np.int16))) < 2


def test_channels_are_kept_apart() -> None:
    noise = hiss(1.0, 16000, 2)
    noise[:, 1] = 0
    heard = samples_of(fed(started(16000, 2), noise.tobytes()), 2)
    alone = samples_of(fed(started(16000), noise[:, :1].tobytes()))
    assert (heard[:, :1] == alone).all()
    assert not heard[:, 1].any()


@given(
    st.lists(st.integers(0, 700), max_size=15), st.sampled_from([8000, 16000]), st.integers(1, 2)
)
def test_the_output_does_not_depend_on_how_the_audio_is_cut(
    sizes: list[int], rate: int, num_channels: int
) -> None:
    """However it is cut, the output is the same, and what is still missing is less than 30 ms."""
    noise = hiss(0.5, rate, num_channels)[: sum(sizes)].tobytes()
    audio_filter, at, heard = started(rate, num_channels), 0, b""
    for size in (each * 2 * num_channels for each in sizes):
        heard += audio_filter.filter(noise[at : at + size])
        at += size
    assert heard == started(rate, num_channels).filter(noise)
    missing = (len(noise) - len(heard)) // (2 * num_channels)
    assert len(heard) % (2 * num_channels) == 0
    assert missing / rate < 0.03


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_it_is_turned_off_and_on_while_it_runs(rate: int) -> None:
    piece = hiss(0.333, rate).tobytes()
    audio_filter = NoiseFilter(3, enabled=False)
    audio_filter.start(rate)
    assert audio_filter.filter(piece) is piece
    audio_filter.process_frame(FilterEnableFrame(True))
    audio_filter.process_frame(FilterEnableFrame(True))
    heard = audio_filter.filter(piece)
    audio_filter.process_frame(FilterEnableFrame(False))
    rest = audio_filter.filter(piece)
    assert rest.endswith(piece)
    assert abs(len(heard + rest) - 2 * len(piece)) <= 2
    assert audio_filter.filter(piece) is piece


def test_its_level_is_changed_while_it_runs() -> None:
    noise = hiss(2.0, 16000).tobytes()
    audio_filter = started(16000, level=0)
    weak = fed(audio_filter, noise)
    audio_filter.process_frame(FilterUpdateSettingsFrame({}))
    audio_filter.process_frame(FilterUpdateSettingsFrame({"level": 3}))
    strong = fed(audio_filter, noise)
    assert len(strong) == len(weak)
    assert level_db(samples_of(strong)[16000:]) < level_db(samples_of(weak)[16000:]) - 8


@pytest.mark.parametrize("settings", [{"level": 4}, {"level": "high"}, {"volume": 1}])
def test_what_it_does_not_have_is_refused(settings: dict[str, object]) -> None:
    audio_filter, same = started(16000), started(16000)
    with pytest.raises(
        ValueError, match=r"NoiseFilter has (the levels 0 to 3|no setting 'volume')"
    ):
        audio_filter.process_frame(FilterUpdateSettingsFrame(settings))
    noise = hiss(0.1, 16000).tobytes()
    assert audio_filter.filter(noise) == same.filter(noise)


def test_a_level_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="not -1"):
        NoiseFilter(-1)


def test_a_stream_begins_anew() -> None:
    noise = hiss(0.1, 16000).tobytes()
    audio_filter = started(16000)
    first = audio_filter.filter(noise[:-10])
    audio_filter.stop()
    audio_filter.process_frame(FilterEnableFrame(False))
    audio_filter.process_frame(FilterEnableFrame(True))
    audio_filter.start(16000)
    assert audio_filter.filter(noise[:-10]) == first


@pytest.mark.parametrize("package", ["numpy", "pywebrtc_audio"])
def test_without_the_package_it_says_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    spec = importlib.util.spec_from_file_location("denoise_again", denoise.__file__)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(MissingExtraError, match=r'pip install "wsframes\[denoise\]"'):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
