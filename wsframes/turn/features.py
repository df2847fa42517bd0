"""What Smart Turn's model hears: a log mel spectrogram, as Whisper's encoder takes it.

From "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al., 2022), section
2.2: 80 bands of windows of 25 ms every 10 ms; the bands are Slaney's (Auditory Toolbox, 1998).
"""

import functools

from wsframes.exceptions import MissingExtraError

try:
    import numpy as np
    import numpy.typing as npt
except ImportError as exc:
    raise MissingExtraError("numpy", "turn") from exc

__all__ = ["SAMPLE_RATE", "at_rate", "log_mel"]

SAMPLE_RATE = 16000
"""Hz of what `log_mel` takes."""

_BANDS = 80
_WINDOW = 400
_HOP = 160

# Slaney's scale: bands of equal width up to 1 kHz, and of equal ratio above.
_LINEAR_HZ = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27

_FLOOR = 1e-10
_RANGE = 8.0  # decades below the loudest


def at_rate(samples: "npt.NDArray[np.float32]", rate: int) -> "npt.NDArray[np.float32]":
    """A whole recording at `SAMPLE_RATE`, by way of its spectrum.

    Args:
        samples: at `rate`.
        rate: Hz.
    """
    if rate == SAMPLE_RATE or not len(samples):
        return samples
    length = round(len(samples) * SAMPLE_RATE / rate)
    resampled = np.fft.irfft(np.fft.rfft(samples)[: length // 2 + 1], length)
    return (resampled * (length / len(samples))).astype(np.float32)


def log_mel(samples: "npt.NDArray[np.float32]") -> "npt.NDArray[np.float32]":
    """The spectrogram of a recording, one column for each 160 samples: shape (80, columns).

    Args:
        samples: at 16 kHz, as long as the model takes; they are brought to mean 0 and variance 1.
    """
    samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    padded = np.pad(samples, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:-1:_HOP]
    spectrum = np.fft.rfft(windows * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bands = np.log10(np.maximum(_filters() @ power.T, _FLOOR))
    bands = (np.maximum(bands, bands.max() - _RANGE) + 4) / 4
    return np.asarray(bands, np.float32)


@functools.cache
def _hann() -> "npt.NDArray[np.float64]":
    return np.hanning(_WINDOW + 1)[:-1]  # periodic: the next one would begin with the last value


@functools.cache
def _filters() -> "npt.NDArray[np.float64]":
    """Triangles of equal area, one row a band."""
    edges = _hz(np.linspace(0, _mel(SAMPLE_RATE / 2), _BANDS + 2))
    bins = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
    below, centre, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - below) / (centre - below)
    falling = (above - bins) / (above - centre)
    filters: npt.NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    return filters * (2 / (above - below))


def _mel(hz: float) -> float:
    return float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)  # above the break


def _hz(mel: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)
