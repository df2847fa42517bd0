"""PCM at one rate in, PCM at another out, as a stream.

A polyphase filter: a lowpass (a sinc under a Kaiser window) whose stopband begins where the lower
of the two rates has no room, so that nothing folds back into what is heard. Output sample n belongs
to the instant of input sample n * from_rate / to_rate, so the audio is not shifted, and comes out
as soon as the half of the filter that lies ahead of it has come in: `StreamResampler.delay_s`.

Coefficients are whole numbers, scaled, in floats of 53 bits, and so is every sum of their products
with samples: exact, in whatever order and on whatever machine it is added up. That is why the
output does not depend on how the input was cut.

`benchmarks/bench_resample.py` compares it with what other packages have. Needs the extra `audio`.
"""

from functools import cache, lru_cache
from math import ceil, gcd, lcm
from typing import Protocol

from wsframes.audio.pcm import bytes_per_frame
from wsframes.exceptions import MissingExtraError
from wsframes.frames.codec import audio_problem

try:
    import numpy as np
    import numpy.typing as npt
    from numpy.lib.stride_tricks import as_strided
except ImportError as exc:
    raise MissingExtraError("numpy", "audio") from exc

__all__ = ["StreamResampler", "mean_of_channels"]

_Floats = npt.NDArray[np.float64]

# The filter reaches over so many samples of the lower rate, to either side: 4.6 ms at 8 kHz.
_REACH = 37
_ATTENUATION_DB = 100.0  # what is left of a full tone is less than half a step of 16 bits
# Kaiser's estimate of the transition band, as a part of the lower rate; it ends at a half of it.
_TRANSITION = (_ATTENUATION_DB - 7.95) / (14.36 * 2 * _REACH)
_CUTOFF = 0.5 - _TRANSITION / 2

# 16 bits of sample, 32 of coefficient and 2 of headroom for the sum stay below 53.
_ONE = float(2**32)

# Outputs that are computed together, about. More is less to copy, and more to multiply by zero.
_GROUP = 16
_LARGEST_TABLE = 1 << 16  # numbers
_BLOCK = 1 << 14  # numbers copied at a time; small enough to be multiplied without threads
_POINTS = 2048  # of the filter to a sample of the lower rate: a line between two errs by -130 dB
_PLACES = 32  # to a sample of the lower rate: a cubic between them errs by -113 dB
_SMALL_GROUP = 8


class StreamResampler:
    """Resamples one stream, cut anywhere between frames.

    The output is the same to the bit however the input is cut, and comes steadily: what 20 ms bring
    is 20 ms, once the first `delay_s` are over. Channels are kept apart; equal rates change
    nothing. Not for a stream whose rate or channels change: flush, and begin another one.

    Args:
        from_rate: Hz of what is pushed, 8000 to 192000.
        to_rate: Hz of what comes out, likewise.
        num_channels: interleaved, 1 to 8.

    Raises:
        ValueError: there is no such rate or number of channels.
    """

    __slots__ = ("_bank", "_from_rate", "_kept", "_num_channels", "_origin", "_produced", "_taken")

    def __init__(self, from_rate: int, to_rate: int, num_channels: int) -> None:
        for rate in (from_rate, to_rate):
            problem = audio_problem(0, rate, num_channels)
            if problem is not None:
                raise ValueError(problem)
        self._from_rate = from_rate
        self._num_channels = num_channels
        self._bank = None if from_rate == to_rate else _bank(from_rate, to_rate)
        if self._bank is not None:
            self._begin(self._bank)

    @property
    def delay_s(self) -> float:
        """How long audio stays in here, at most 4.9 ms: the group delay of the filter."""
        return 0.0 if self._bank is None else self._bank.ahead / self._from_rate

    def push(self, audio: bytes) -> bytes:
        """Take whole frames; give what they complete, maybe nothing.

        Raises:
            ValueError: the audio ends within a frame; nothing was taken.
        """
        size = bytes_per_frame(self._num_channels)
        if len(audio) % size:
            raise ValueError(f"{len(audio)} bytes of audio are not whole frames of {size} bytes")
        bank = self._bank
        if bank is None:
            return audio
        samples = np.frombuffer(audio, "<i2").reshape(-1, self._num_channels)
        self._taken += len(samples)
        complete = -(-(self._taken - bank.ahead) * bank.up // bank.down)
        return self._run(bank, samples, complete)

    def flush(self) -> bytes:
        """The rest. With it as many frames have come out as went in, times the ratio, rounded.

        Afterwards another stream may begin.
        """
        bank = self._bank
        if bank is None:
            return b""
        total = (2 * self._taken * bank.up + bank.down) // (2 * bank.down)
        silence = np.zeros((bank.ahead, self._num_channels), "<i2")
        tail = self._run(bank, silence, total)
        self._begin(bank)
        return tail

    def _begin(self, bank: "_Bank") -> None:
        self._kept: _Floats = np.zeros((self._num_channels, bank.ahead))
        self._origin = -bank.ahead  # the number of the first input that is kept
        self._taken = 0
        self._produced = 0

    def _run(self, bank: "_Bank", samples: npt.NDArray[np.int16], until: int) -> bytes:
        """Add input, and make the outputs up to this one."""
        kept = self._kept.shape[1]
        end = kept + len(samples)
        # A group of outputs may reach beyond what is there; what comes of that is not used.
        inputs = np.zeros((self._num_channels, end + bank.width))
        inputs[:, :kept] = self._kept
        inputs[:, kept:end] = samples.T
        count = max(until - self._produced, 0)
        out = np.empty((count, self._num_channels), "<i2")
        step = max(_BLOCK // (self._num_channels * bank.inputs_per_output), 1)
        for at in range(0, count, step):
            size = min(step, count - at)
            exact = bank.outputs(inputs, self._origin, self._produced + at, size)
            out[at : at + size] = np.clip(np.rint(exact.T / _ONE), -32768, 32767)
        self._forget(bank, inputs[:, :end], self._produced + count)
        return out.tobytes()

    def _forget(self, bank: "_Bank", inputs: _Floats, produced: int) -> None:
        """Keep the inputs that outputs to come need, and let the counts begin anew."""
        needed = bank.first_input(produced)
        self._kept = inputs[:, needed - self._origin :].copy()
        periods = produced // bank.period
        past = periods * bank.period * bank.down // bank.up
        self._origin = needed - past
        self._taken -= past
        self._produced = produced - periods * bank.period


def mean_of_channels(audio: bytes, num_channels: int) -> bytes:
    """What `remix` to one channel gives for whole frames, some thirty times as fast."""
    sums = np.frombuffer(audio, "<i2").reshape(-1, num_channels).sum(axis=1, dtype=np.int32)
    return bytes(((2 * sums + num_channels) // (2 * num_channels)).astype("<i2").tobytes())


class _Bank(Protocol):
    """The filters of a pair of rates, one for each place that an output has between two inputs.

    Attributes:
        up: `to_rate`, and down: `from_rate`, in lowest terms.
        ahead: inputs after its own that an output needs; before it no more than these.
        period: outputs after which the same filters come again.
        width: inputs that are needed at a time, at most.
        inputs_per_output: numbers that are copied for an output, about.
    """

    up: int
    down: int
    ahead: int
    period: int
    width: int
    inputs_per_output: int

    def first_input(self, output: int) -> int:
        """The number of the first input that this output and the later ones need."""

    def outputs(self, inputs: _Floats, origin: int, first: int, count: int) -> _Floats:
        """Of each channel, in units of 1 / `_ONE`; `inputs` begin with number `origin`."""


class _PeriodicBank:
    """For two rates whose filters come again soon: one matrix for each group of outputs."""

    def __init__(self, from_rate: int, to_rate: int, group: int) -> None:
        self.up, self.down = _lowest_terms(to_rate, from_rate)
        self.ahead = _ahead(from_rate, to_rate)
        self.period = max(self.up, group)
        self._group = group
        taps = 2 * self.ahead
        # Rows of a matrix: inputs. Columns: outputs, each a bit further down.
        self.width = taps + (group * self.down - 1) // self.up + 1
        self.inputs_per_output = self.width // group + 1
        outputs = np.arange(self.period)
        at, phase = np.divmod(outputs * self.down, self.up)
        at -= np.repeat(at[::group], group)
        rows = np.zeros((self.period, self.width))
        where = at[:, None] + np.arange(taps)
        np.put_along_axis(rows, where, _coefficients(phase / self.up, from_rate, to_rate), axis=1)
        matrices = rows.reshape(-1, group, self.width).swapaxes(1, 2)
        self._matrices = np.ascontiguousarray(matrices)

    def first_input(self, output: int) -> int:
        return output // self._group * self._group * self.down // self.up - self.ahead + 1

    def outputs(self, inputs: _Floats, origin: int, first: int, count: int) -> _Floats:
        group = self._group
        begin, end = first // group, -(-(first + count) // group)
        starts = np.arange(begin, end) * (group * self.down) // self.up - (self.ahead - 1 + origin)
        windows = _windows(inputs, self.width)[:, starts]
        out = np.empty((len(inputs), end - begin, group))
        cycle = len(self._matrices)
        for number in range(min(cycle, end - begin)):
            matrix = self._matrices[(begin + number) % cycle]
            np.matmul(windows[:, number::cycle], matrix, out=out[:, number::cycle])
        skip = first - begin * group
        return out.reshape(len(inputs), -1)[:, skip : skip + count]


class _InterpolatingBank:
    """For any two rates: matrices for a few places, and a cubic through four of them between."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self.up, self.down = _lowest_terms(to_rate, from_rate)
        # The places around an output lie up to an input further on, and up to one before it.
        self.ahead = _ahead(from_rate, to_rate) + 1
        self.period = lcm(self.up, _SMALL_GROUP)
        taps = 2 * (self.ahead - 1)
        self.width = taps + _SMALL_GROUP * self.down // self.up + 3
        self.inputs_per_output = self.width // _SMALL_GROUP + 1
        self._places = ceil(_PLACES * min(from_rate, to_rate) / from_rate)
        steps = np.arange(-1, self._places + 2) / self._places
        after = steps[:, None] + np.arange(_SMALL_GROUP) * self.down / self.up
        whole = np.floor(after)
        rows = np.zeros((*after.shape, self.width))
        where = whole[..., None].astype(np.intp) + 1 + np.arange(taps)
        filters = _coefficients((after - whole).ravel(), from_rate, to_rate)
        np.put_along_axis(rows, where, filters.reshape(*after.shape, taps), axis=2)
        # For each place the four matrices around it, side by side.
        columns = rows.transpose(2, 0, 1)
        self._matrices = np.stack(
            [columns[:, at : at + 4].reshape(self.width, -1) for at in range(self._places)]
        )

    def first_input(self, output: int) -> int:
        return output // _SMALL_GROUP * _SMALL_GROUP * self.down // self.up - self.ahead + 1

    def outputs(self, inputs: _Floats, origin: int, first: int, count: int) -> _Floats:
        begin, end = first // _SMALL_GROUP, -(-(first + count) // _SMALL_GROUP)
        at, phase = np.divmod(np.arange(begin, end) * (_SMALL_GROUP * self.down), self.up)
        windows = _windows(inputs, self.width)[:, at - (self.ahead - 1 + origin)]
        place, rest = np.divmod(phase * self._places, self.up)
        around = np.empty((len(inputs), end - begin, 4, _SMALL_GROUP))
        for each in set(place.tolist()):
            here = np.flatnonzero(place == each)
            sums = windows[:, here] @ self._matrices[each]
            around[:, here] = sums.reshape(len(inputs), -1, 4, _SMALL_GROUP)
        # The sums are exact, and the rest is done output by output.
        x = (rest / self.up)[:, None]
        out = around[:, :, 0] * (-x * (x - 1) * (x - 2) / 6)
        out += around[:, :, 1] * ((x + 1) * (x - 1) * (x - 2) / 2)
        out += around[:, :, 2] * (-(x + 1) * x * (x - 2) / 2)
        out += around[:, :, 3] * ((x + 1) * x * (x - 1) / 6)
        skip = first - begin * _SMALL_GROUP
        return out.reshape(len(inputs), -1)[:, skip : skip + count]


@lru_cache(maxsize=16)
def _bank(from_rate: int, to_rate: int) -> _Bank:
    """Shared by all streams; a megabyte at most, and made in a few milliseconds."""
    up, down = _lowest_terms(to_rate, from_rate)
    group = _group(up)
    if group is not None:
        width = 2 * _ahead(from_rate, to_rate) + group * down // up + 1
        if max(up, group) * width <= _LARGEST_TABLE:
            return _PeriodicBank(from_rate, to_rate, group)
    return _InterpolatingBank(from_rate, to_rate)


def _group(up: int) -> int | None:
    """Outputs to compute at once: a multiple or a divisor of how many different ones there are."""
    if up <= _GROUP:
        return up * (_GROUP // up)
    return next((size for size in range(_GROUP, 2 * _GROUP) if up % size == 0), None)


def _lowest_terms(to_rate: int, from_rate: int) -> tuple[int, int]:
    common = gcd(to_rate, from_rate)
    return to_rate // common, from_rate // common


def _ahead(from_rate: int, to_rate: int) -> int:
    return ceil(_REACH * max(from_rate / to_rate, 1))


def _coefficients(places: _Floats, from_rate: int, to_rate: int) -> _Floats:
    """The filters of outputs that lie so far behind an input, one a row: whole numbers.

    Each row sums up to one, so a constant stays what it is.
    """
    ahead = _ahead(from_rate, to_rate)
    points, slopes = _filter()
    scale = _POINTS * min(to_rate / from_rate, 1)
    at = np.abs(np.arange(1 - ahead, ahead + 1) - places[:, None]) * scale
    below = np.minimum(at.astype(np.intp), len(slopes) - 1)
    rows = points[below] + slopes[below] * (at - below)
    rows *= _ONE / rows.sum(axis=1, keepdims=True)
    exact: _Floats = np.rint(rows)
    return exact


@cache
def _filter() -> tuple[_Floats, _Floats]:
    """The right half of the filter at equal steps, and how far it is to the next point.

    It ends with zeros, for what lies beyond its reach.
    """
    time = np.arange(_REACH * _POINTS) / _POINTS
    window = np.i0(0.1102 * (_ATTENUATION_DB - 8.7) * np.sqrt(1 - (time / _REACH) ** 2))
    points = np.concatenate((np.sinc(2 * _CUTOFF * time) * window, (0, 0)))
    return points[:-1], np.diff(points)


def _windows(inputs: _Floats, width: int) -> _Floats:
    """All runs of so many inputs, of each channel; not copied."""
    channels, length = inputs.shape
    over, step = inputs.strides
    return as_strided(inputs, (channels, length - width + 1, width), (over, step, step))
