"""`wsframes.audio.resample`."""

import importlib.util
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsframes.audio import resample
from wsframes.audio.pcm import remix
from wsframes.audio.resample import StreamResampler, mean_of_channels
from wsframes.exceptions import MissingExtraError

Samples = npt.NDArray[np.float64]

# Up, down, by little, by much; rates without a common measure; with a filter for each output, and
# with filters that are interpolated.
RATES = [
    (8000, 16000),
    (16000, 8000),
    (24000, 16000),
    (44100, 16000),
    (16000, 44100),
    (22050, 48000),
    (8000, 192000),
    (192000, 8000),
    (16001, 16000),
    (8000, 8011),
    (191999, 8001),
]
AMPLITUDE = 30000

rates = st.one_of(
    st.sampled_from(RATES), st.tuples(st.integers(8000, 192000), st.integers(8000, 192000))
)


def resampled(audio: bytes, from_rate: int, to_rate: int, num_channels: int = 1) -> bytes:
    resampler = StreamResampler(from_rate, to_rate, num_channels)
    return resampler.push(audio) + resampler.flush()


def noise(frames: int, num_channels: int = 1, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(2 * frames * num_channels)


def tone(hz: float, rate: int, seconds: float = 0.25) -> bytes:
    phase = 2 * np.pi * hz / rate * np.arange(round(rate * seconds))
    return bytes(np.rint(AMPLITUDE * np.sin(phase)).astype("<i2").tobytes())


def samples_of(audio: bytes) -> Samples:
    return np.frombuffer(audio, "<i2").astype(np.float64)


def middle_of(audio: bytes) -> Samples:
    """Without the ends, where the filter still fills."""
    samples = samples_of(audio)
    return samples[len(samples) // 5 : -len(samples) // 5]


def decibels(value: float) -> float:
    return float(20 * np.log10(max(value, 1e-9)))


def gain_and_noise_db(hz: float, from_rate: int, to_rate: int) -> tuple[float, float]:
    """Of a tone: how loud it comes out, and how far everything else lies below it."""
    heard = middle_of(resampled(tone(hz, from_rate), from_rate, to_rate))
    phase = 2 * np.pi * hz / to_rate * np.arange(len(heard))
    waves = np.stack((np.sin(phase), np.cos(phase)), axis=1)
    parts = np.linalg.lstsq(waves, heard, rcond=None)[0]
    level = float(np.hypot(*parts))
    rest = float(np.sqrt(np.mean((heard - waves @ parts) ** 2)))
    return decibels(level / AMPLITUDE), decibels(level / 2**0.5 / max(rest, 1e-9))


def cut_up(audio: bytes, frame_bytes: int, sizes: Iterator[int]) -> Iterator[bytes]:
    at = 0
    while at < len(audio):
        size = next(sizes) * frame_bytes
        yield audio[at : at + size]
        at += size


# --- how much comes out, and when -------------------------------------------------------------


@given(rates, st.integers(1, 8), st.lists(st.integers(0, 700), max_size=12), st.integers(0, 9))
@example((8000, 150152), 1, [94, 1], 0)
def test_the_output_does_not_depend_on_how_the_input_is_cut(
    pair: tuple[int, int], num_channels: int, sizes: list[int], seed: int
) -> None:
    """However it is cut, the output is the same to the bit, and so it is of the next stream."""
    audio = noise(sum(sizes), num_channels, seed)
    whole = resampled(audio, *pair, num_channels)
    resampler = StreamResampler(*pair, num_channels)
    for _ in range(2):
        pieces = cut_up(audio, 2 * num_channels, iter(sizes))
        assert b"".join(map(resampler.push, pieces)) + resampler.flush() == whole


@given(rates, st.integers(1, 8), st.integers(0, 3000))
def test_the_duration_stays(pair: tuple[int, int], num_channels: int, frames: int) -> None:
    """As many frames come out as went in, times the ratio, rounded."""
    from_rate, to_rate = pair
    out = len(resampled(noise(frames, num_channels), from_rate, to_rate, num_channels))
    assert out % (2 * num_channels) == 0
    assert abs(out // (2 * num_channels) - frames * to_rate / from_rate) <= 0.5


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_it_comes_as_steadily_as_it_goes_in(from_rate: int, to_rate: int) -> None:
    """At any time all is out but the delay, of at most 5 ms: nothing is saved up for a burst."""
    resampler = StreamResampler(from_rate, to_rate, 1)
    assert 0 < resampler.delay_s < 0.005
    taken = given_out = 0
    for _ in range(100):  # 20 ms at a time, for two seconds
        taken += from_rate // 50
        given_out += len(resampler.push(bytes(2 * (from_rate // 50)))) // 2
        behind_s = taken / from_rate - given_out / to_rate
        assert abs(behind_s - resampler.delay_s) <= 1 / to_rate


def test_a_long_piece_is_worked_off_in_blocks() -> None:
    audio = noise(16000, 8)
    parts = StreamResampler(16000, 24000, 8)
    pieces = cut_up(audio, 16, iter([331] * 1000))
    assert b"".join(map(parts.push, pieces)) + parts.flush() == resampled(audio, 16000, 24000, 8)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_days_of_audio_leave_nothing_behind(from_rate: int, to_rate: int) -> None:
    """What it has counted and kept after many periods is as little as after a few."""
    resampler = StreamResampler(from_rate, to_rate, 1)
    for _ in range(30):
        resampler.push(bytes(2 * (from_rate // 5)))
    bank = resampler._bank
    assert bank is not None
    assert resampler._produced < bank.period
    assert resampler._kept.shape[1] <= 2 * bank.width


# --- how it sounds ----------------------------------------------------------------------------


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_what_both_rates_can_carry_passes_unchanged(from_rate: int, to_rate: int) -> None:
    """Up to 0.84 of the band the error of a full tone is that of its rounding."""
    lower = min(from_rate, to_rate)
    for part in (0.04, 0.25, 0.5, 0.75, 0.82):
        gain_db, noise_db = gain_and_noise_db(part * lower / 2, from_rate, to_rate)
        assert abs(gain_db) < 0.01
        assert noise_db > 92
    gain_db, noise_db = gain_and_noise_db(0.85 * lower / 2, from_rate, to_rate)
    assert gain_db > -0.1  # 3400 Hz of a telephone
    assert noise_db > 92


@pytest.mark.parametrize(("from_rate", "to_rate"), [pair for pair in RATES if pair[0] > pair[1]])
def test_what_the_lower_rate_cannot_carry_is_gone(from_rate: int, to_rate: int) -> None:
    """From half the lower rate on, nothing folds back that is louder than the rounding."""
    highest = min(from_rate / 2, 4 * to_rate)
    for part in (0.001, 0.01, 0.05, 0.2, 0.5, 0.9):
        hz = to_rate / 2 + part * (highest - to_rate / 2)
        heard = middle_of(resampled(tone(hz, from_rate), from_rate, to_rate))
        assert float(np.abs(heard).max()) <= 1


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_the_audio_is_not_shifted(from_rate: int, to_rate: int) -> None:
    """An instant of the input is the same instant of the output."""
    seconds, at_s, width_s = 0.1, 0.05, 0.001
    when = np.arange(round(seconds * from_rate)) / from_rate
    bump = np.rint(20000 * np.exp(-(((when - at_s) / width_s) ** 2))).astype("<i2").tobytes()
    heard = samples_of(resampled(bump, from_rate, to_rate))
    centre = float((heard * np.arange(len(heard))).sum() / heard.sum())
    assert centre / to_rate == pytest.approx(at_s, abs=2e-6)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_a_constant_stays_what_it_is(from_rate: int, to_rate: int) -> None:
    heard = middle_of(
        resampled(np.full(from_rate // 10, 12345, "<i2").tobytes(), *(from_rate, to_rate))
    )
    assert set(heard) == {12345}


@given(rates, st.integers(2, 8), st.integers(0, 500), st.integers(0, 9))
def test_channels_are_kept_apart(
    pair: tuple[int, int], num_channels: int, frames: int, seed: int
) -> None:
    """Each channel comes out as it does alone."""
    audio = np.frombuffer(noise(frames, num_channels, seed), "<i2").reshape(-1, num_channels)
    together = resampled(audio.tobytes(), *pair, num_channels)
    apart = [resampled(audio[:, each].tobytes(), *pair) for each in range(num_channels)]
    heard = np.frombuffer(together, "<i2").reshape(-1, num_channels)
    assert [heard[:, each].tobytes() for each in range(num_channels)] == apart


def test_what_swings_beyond_full_scale_is_clipped() -> None:
    square = np.where(np.arange(800) // 8 % 2, 32767, -32768).astype("<i2").tobytes()
    heard = samples_of(resampled(square, 8000, 24000))
    assert heard.max() == 32767
    assert heard.min() == -32768
    assert (np.abs(np.diff(heard)) < 40000).all()


@given(st.integers(1, 8), st.integers(0, 300), st.integers(0, 9))
def test_the_mean_of_channels_is_that_of_remix(num_channels: int, frames: int, seed: int) -> None:
    """Which of the two mixes makes no difference but in time."""
    audio = noise(frames, num_channels, seed)
    assert mean_of_channels(audio, num_channels) == remix(audio, num_channels, 1)


# --- its edges --------------------------------------------------------------------------------


def test_equal_rates_change_nothing() -> None:
    resampler = StreamResampler(16000, 16000, 2)
    audio = noise(320, 2)
    assert resampler.push(audio) is audio
    assert resampler.flush() == b""
    assert resampler.delay_s == 0


def test_nothing_gives_nothing() -> None:
    resampler = StreamResampler(8000, 16000, 1)
    assert resampler.push(b"") == b""
    assert resampler.flush() == b""


@pytest.mark.parametrize("to_rate", [16000, 8000])
def test_half_a_frame_is_refused_and_changes_nothing(to_rate: int) -> None:
    resampler = StreamResampler(16000, to_rate, 2)
    first = resampler.push(noise(100, 2))
    with pytest.raises(ValueError, match="6 bytes of audio are not whole frames of 4 bytes"):
        resampler.push(bytes(6))
    assert first + resampler.flush() == resampled(noise(100, 2), 16000, to_rate, 2)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((7999, 8000, 1), "sample_rate is 7999"),
        ((8000, 192001, 1), "sample_rate is 192001"),
        ((8000, 16000, 0), "num_channels is 0"),
        ((8000, 16000, 9), "num_channels is 9"),
    ],
)
def test_what_there_is_not_is_refused(arguments: tuple[int, int, int], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        StreamResampler(*arguments)


def test_filters_are_shared_and_of_bounded_size() -> None:
    first, second = StreamResampler(8000, 16000, 1), StreamResampler(8000, 16000, 2)
    assert first._bank is second._bank
    for from_rate in (8000, 8011, 11025, 16001, 44100, 96000, 191999):
        for to_rate in (8001, 11025, 16000, 44100, 48000, 192000):
            bank = resample._bank(from_rate, to_rate)
            arrays = [each for each in vars(bank).values() if isinstance(each, np.ndarray)]
            assert 0 < sum(each.nbytes for each in arrays) <= 1_100_000


def test_without_numpy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    spec = importlib.util.find_spec("wsframes.audio.resample")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.raises(MissingExtraError, match=r'pip install "wsframes\[audio\]"'):
        spec.loader.exec_module(module)
