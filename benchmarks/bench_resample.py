"""How late, how evenly, how clean and at what cost does a stream come out at another rate?

Ours against the packages of PyPI that resample streams, those of them that are installed
(`pip install soxr samplerate av audio-resampler fast-audio-resampler`), and against the standard
library's where there is one. Mono, 16 bits, in pieces of 20 ms.

For each pair of rates: `cost_us` of a piece; `lag_ms`, how much of the audio is not out yet, at
worst; `burst_ms`, how much more than 20 ms one piece brings, at most. Then of full tones, from 8 to
16 kHz: `noise_db`, how far all that is not the tone lies below it, and `loss_db` of a tone at 3.4
kHz; and from 16 to 8 kHz: `alias_db`, what is heard of tones that the lower rate has no room for,
at worst. The bars are 5 ms, no bursts, and what the best of the others reached when we chose; none
of them reaches all.
"""

import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.timing import cpu_us
from wsframes.audio.resample import StreamResampler

__all__ = ["benchmark"]

Push = Callable[[bytes], bytes]

_PAIRS = ((8000, 16000), (16000, 8000), (24000, 8000), (48000, 16000), (44100, 16000))
_PIECES_PER_S = 50
_PIECES = {"full": 500, "quick": 100, "smoke": 10}
_ROUNDS = {"full": 3, "quick": 1, "smoke": 1}
_AMPLITUDE = 30000

# By name: what it needs, and how it is told from others of its package.
_PACKAGES = {
    "soxr-QQ": ("soxr", "QQ"),
    "soxr-LQ": ("soxr", "LQ"),
    "soxr-MQ": ("soxr", "MQ"),
    "soxr-HQ": ("soxr", "HQ"),
    "soxr-VHQ": ("soxr", "VHQ"),
    "samplerate-fastest": ("samplerate", "sinc_fastest"),
    "samplerate-medium": ("samplerate", "sinc_medium"),
    "av": ("av", ""),
    "audio-resampler": ("audio_resampler", ""),
    "fast-audio-resampler": ("fast_audio_resampler", "best"),
    "ratecv": ("audioop", ""),
}


def benchmark(options: Options) -> Benchmark:
    pieces = _PIECES[options.scale]
    others = tuple(
        Contender(name, resample, {"name": name, "pieces": pieces}, against="wsframes")
        for name, (package, _) in _PACKAGES.items()
        if find_spec(package) is not None
    )
    latest = (Bar("wsframes", f"{_pair_name(*pair)}_lag_ms", 5.0) for pair in _PAIRS)
    evenest = (Bar("wsframes", f"{_pair_name(*pair)}_burst_ms", 0.2) for pair in _PAIRS)
    return Benchmark(
        "resample",
        __doc__,
        _ROUNDS[options.scale],
        (Contender("wsframes", resample, {"name": "wsframes", "pieces": pieces}), *others),
        (
            *latest,
            *evenest,
            Bar("wsframes", "noise_1000_hz_db", -97.0),
            Bar("wsframes", "noise_3400_hz_db", -83.0),
            Bar("wsframes", "loss_3400_hz_db", 1.1),
            Bar("wsframes", "alias_db", -96.0),
        ),
    )


def resample(name: str, pieces: int) -> Measurement:
    make = _maker(name)
    figures = {}
    for pair in _PAIRS:
        lag_ms, burst_ms = _evenness(make(*pair), *pair, pieces)
        figures[f"{_pair_name(*pair)}_cost_us"] = _cost_us(make(*pair), pair[0], pieces)
        figures[f"{_pair_name(*pair)}_lag_ms"] = lag_ms
        figures[f"{_pair_name(*pair)}_burst_ms"] = burst_ms
    for hz in (1000, 3400):
        loss_db, noise_db = _loss_and_noise_db(make(8000, 16000), hz, 8000, 16000)
        figures[f"noise_{hz}_hz_db"] = noise_db
    figures["loss_3400_hz_db"] = loss_db
    figures["alias_db"] = max(
        _level_db(make(16000, 8000), hz, 16000) for hz in (4050, 4200, 4600, 5000, 6000, 7000, 7900)
    )
    return Measurement(figures)


def _pair_name(from_rate: int, to_rate: int) -> str:
    return f"{from_rate / 1000:g}to{to_rate / 1000:g}"


# --- what is measured -------------------------------------------------------------------------


def _cost_us(push: Push, from_rate: int, pieces: int) -> float:
    audio = list(_pieces_of(_tone(440, from_rate, pieces / _PIECES_PER_S), from_rate))

    def push_all() -> None:
        for piece in audio:
            push(piece)

    return cpu_us(push_all, len(audio), batches=3)


def _evenness(push: Push, from_rate: int, to_rate: int, pieces: int) -> tuple[float, float]:
    taken_s = given_s = lag_s = most_s = 0.0
    for piece in _pieces_of(_tone(440, from_rate, pieces / _PIECES_PER_S), from_rate):
        taken_s += len(piece) / 2 / from_rate
        new_s = len(push(piece)) / 2 / to_rate
        given_s += new_s
        most_s = max(most_s, new_s)
        lag_s = max(lag_s, taken_s - given_s)
    return 1000 * lag_s, 1000 * (most_s - 1 / _PIECES_PER_S)


def _loss_and_noise_db(push: Push, hz: int, from_rate: int, to_rate: int) -> tuple[float, float]:
    heard = _middle_of(push, _tone(hz, from_rate), from_rate)
    phase = 2 * np.pi * hz / to_rate * np.arange(len(heard))
    waves = np.stack((np.sin(phase), np.cos(phase)), axis=1)
    parts = np.linalg.lstsq(waves, heard, rcond=None)[0]
    level = float(np.hypot(*parts))
    rest = float(np.sqrt(np.mean((heard - waves @ parts) ** 2)))
    return _decibels(_AMPLITUDE / level), _decibels(rest * 2**0.5 / level)


def _level_db(push: Push, hz: int, from_rate: int) -> float:
    heard = _middle_of(push, _tone(hz, from_rate), from_rate)
    return _decibels(float(np.sqrt(np.mean(heard**2))) * 2**0.5 / _AMPLITUDE)


def _tone(hz: int, rate: int, seconds: float = 1.0) -> bytes:
    phase = 2 * np.pi * hz / rate * np.arange(round(rate * seconds))
    return bytes(np.rint(_AMPLITUDE * np.sin(phase)).astype("<i2").tobytes())


def _pieces_of(audio: bytes, rate: int) -> Iterator[bytes]:
    size = 2 * (rate // _PIECES_PER_S)
    for at in range(0, len(audio), size):
        yield audio[at : at + size]


def _middle_of(push: Push, audio: bytes, rate: int) -> npt.NDArray[np.float64]:
    """Of what comes out: neither the beginning, where a filter fills, nor the end."""
    heard = np.frombuffer(b"".join(map(push, _pieces_of(audio, rate))), "<i2")
    return heard[len(heard) // 4 : -len(heard) // 4].astype(np.float64)


def _decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-6)))


# --- who is measured --------------------------------------------------------------------------


def _maker(name: str) -> Callable[[int, int], Push]:
    if name == "wsframes":
        return lambda from_rate, to_rate: StreamResampler(from_rate, to_rate, 1).push
    package, variant = _PACKAGES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # audioop's
        module: Any = import_module(package)
    adapter = _ADAPTERS[package]
    return lambda from_rate, to_rate: adapter(module, variant, from_rate, to_rate)


def _soxr(soxr: Any, quality: str, from_rate: int, to_rate: int) -> Push:
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="int16", quality=quality)
    return lambda audio: stream.resample_chunk(np.frombuffer(audio, "<i2")).tobytes()


def _samplerate(samplerate: Any, converter: str, from_rate: int, to_rate: int) -> Push:
    stream, ratio = samplerate.Resampler(converter, channels=1), to_rate / from_rate

    def push(audio: bytes) -> bytes:
        samples = np.frombuffer(audio, "<i2").astype(np.float32) / 32768
        out = np.rint(32768 * stream.process(samples, ratio))
        return bytes(np.clip(out, -32768, 32767).astype("<i2").tobytes())

    return push


def _av(av: Any, _: str, from_rate: int, to_rate: int) -> Push:
    stream = av.AudioResampler(format="s16", layout="mono", rate=to_rate)

    def push(audio: bytes) -> bytes:
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(audio, "<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.time_base = from_rate, Fraction(1, from_rate)
        return b"".join(out.to_ndarray().tobytes() for out in stream.resample(frame))

    return push


def _audio_resampler(package: Any, _: str, from_rate: int, to_rate: int) -> Push:
    converter = package.Converter(from_rate, 1, to_rate, 1)
    return lambda audio: bytes(converter.process(audio))


def _fast_audio_resampler(package: Any, quality: str, from_rate: int, to_rate: int) -> Push:
    stream = package.I16Resampler(from_rate, to_rate, 1, quality=quality)
    return lambda audio: bytes(
        np.asarray(stream.process(np.frombuffer(audio, "<i2"))[0], "<i2").tobytes()
    )


def _ratecv(audioop: Any, _: str, from_rate: int, to_rate: int) -> Push:
    state: Any = None

    def push(audio: bytes) -> bytes:
        nonlocal state
        out, state = audioop.ratecv(audio, 2, 1, from_rate, to_rate, state)
        return bytes(out)

    return push


_ADAPTERS: dict[str, Callable[[Any, str, int, int], Push]] = {
    "soxr": _soxr,
    "samplerate": _samplerate,
    "av": _av,
    "audio_resampler": _audio_resampler,
    "fast_audio_resampler": _fast_audio_resampler,
    "audioop": _ratecv,
}
