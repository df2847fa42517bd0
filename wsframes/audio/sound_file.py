"""Whole sound files, in the format that they are wanted in. Needs the extra `audio`."""

import wave
from functools import lru_cache
from os import PathLike, fspath, stat
from typing import Any, TypeAlias

from wsframes.audio.pcm import bytes_per_frame, remix
from wsframes.audio.resample import StreamResampler
from wsframes.exceptions import MissingExtraError

try:
    import numpy as np
except ImportError as exc:
    raise MissingExtraError("numpy", "audio") from exc

__all__ = ["load_sound"]

_Samples: TypeAlias = "np.ndarray[Any, np.dtype[np.int16]]"


def load_sound(path: str | PathLike[str], sample_rate: int, num_channels: int) -> _Samples:
    """The samples of a file, interleaved, at this rate and with so many channels.

    The latest eight are kept, and given to all who ask for them: nobody may write into them. A file
    that has changed is read again.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no sound file, or there is no sound in it.
        MissingExtraError: it is no 16-bit WAV file, and soundfile is not installed.
    """
    name = fspath(path)
    return _load(name, stat(name).st_mtime_ns, sample_rate, num_channels)


@lru_cache(maxsize=8)
def _load(name: str, mtime_ns: int, sample_rate: int, num_channels: int) -> _Samples:
    audio, rate, channels = _read_wav(name) or _read_any(name)
    audio = remix(audio, channels, num_channels)
    if rate != sample_rate:
        resampler = StreamResampler(rate, sample_rate, num_channels)
        audio = resampler.push(audio) + resampler.flush()
    if len(audio) < bytes_per_frame(num_channels):
        raise ValueError(f"{name} has no sound in it")
    return np.frombuffer(audio, "<i2")  # of bytes, so it is read-only


def _read_wav(name: str) -> tuple[bytes, int, int] | None:
    try:
        with wave.open(name, "rb") as file:
            if file.getsampwidth() != 2:
                return None
            channels = file.getnchannels()
            audio = file.readframes(file.getnframes())
            whole = len(audio) // bytes_per_frame(channels) * bytes_per_frame(channels)
            samples = np.frombuffer(audio[:whole], np.int16)  # in the order of the machine
            return samples.astype("<i2").tobytes(), file.getframerate(), channels
    except (wave.Error, EOFError):
        return None


def _read_any(name: str) -> tuple[bytes, int, int]:
    try:
        import soundfile
    except ImportError as exc:
        raise MissingExtraError("soundfile", "audio") from exc
    try:
        samples, rate = soundfile.read(name, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as exc:
        raise ValueError(f"{name} cannot be read: {exc}") from exc
    scaled = np.rint(samples * 32768).clip(-32768, 32767)
    return scaled.astype("<i2").tobytes(), rate, samples.shape[1]
