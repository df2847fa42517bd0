"""Noise suppression by the WebRTC audio processing module, which browsers use.

It knows 16, 32 and 48 kHz; audio at other rates is resampled on its way in and out. What is spoken
comes 6 to 7 ms later; where it is resampled, up to 10 ms more.

Needs the extra `denoise`.
"""

from wsframes.audio.filter import BaseAudioFilter
from wsframes.audio.packetizer import Packetizer
from wsframes.audio.pcm import bytes_per_frame
from wsframes.exceptions import MissingExtraError
from wsframes.frames import FilterEnableFrame, FilterUpdateSettingsFrame

try:
    import numpy as np
    from pywebrtc_audio import NoiseSuppressor
except ImportError as exc:
    raise MissingExtraError("pywebrtc-audio", "denoise") from exc

from wsframes.audio.resample import StreamResampler

__all__ = ["NoiseFilter"]

_RATES = (16000, 32000, 48000)
_LEVELS = range(4)
_BLOCKS_PER_S = 100


class NoiseFilter(BaseAudioFilter):
    """Suppresses steady noise: fans, streets, hiss. It takes some 10 us for 10 ms at 16 kHz.

    Changed while it runs by frames: `FilterEnableFrame` turns it off, and on again with nothing
    learned of the noise; `FilterUpdateSettingsFrame({"level": 3})` sets the level. Either way the
    audio goes on without a gap, but for the 7 ms that are silent when it begins.

    Args:
        level: how much noise is taken away: 0, 1, 2 or 3 for 6, 12, 18 or 21 dB. The more, the
            more of the voice goes with it.
        enabled: False: audio passes as it is until a `FilterEnableFrame` comes.

    Raises:
        ValueError: there is no such level.
    """

    runs_inline = True

    def __init__(self, level: int = 2, *, enabled: bool = True) -> None:
        self._level = _checked(level)
        self._enabled = enabled
        self._sample_rate: int | None = None
        self._running: _Suppression | None = None
        self._left = b""

    def start(self, sample_rate: int) -> None:
        """Begin a stream."""
        self._sample_rate = sample_rate
        self._begin()

    def stop(self) -> None:
        """Forget the stream."""
        self._sample_rate = self._running = None
        self._left = b""

    def filter(self, audio: bytes) -> bytes:
        """The audio without noise; less than 10 ms, and what is resampled, waits for the next."""
        left, self._left = self._left, b""
        return left + (audio if self._running is None else self._running.push(audio))

    def process_frame(self, frame: FilterUpdateSettingsFrame | FilterEnableFrame) -> None:
        """Take new settings.

        Raises:
            ValueError: there is no such setting, or level.
        """
        was = (self._enabled, self._level)
        if isinstance(frame, FilterEnableFrame):
            self._enabled = frame.enable
        else:
            unknown = frame.settings.keys() - {"level"}
            if unknown:
                raise ValueError(f"NoiseFilter has no setting {min(unknown)!r}, only 'level'")
            self._level = _checked(frame.settings.get("level", self._level))
        if (self._enabled, self._level) != was:
            self._begin()

    def _begin(self) -> None:
        if self._running is not None:
            self._left += self._running.flush()
            self._running = None
        if self._enabled and self._sample_rate is not None:
            self._running = _Suppression(self._sample_rate, self.num_channels, self._level)


class _Suppression:
    """One stream, and each of its channels by itself, in blocks of 10 ms."""

    def __init__(self, sample_rate: int, num_channels: int, level: int) -> None:
        rate = next((each for each in _RATES if each >= sample_rate), _RATES[-1])
        self._num_channels = num_channels
        self._to_rate = StreamResampler(sample_rate, rate, num_channels)
        self._from_rate = StreamResampler(rate, sample_rate, num_channels)
        self._blocks = Packetizer(rate // _BLOCKS_PER_S * bytes_per_frame(num_channels))
        self._suppressors = [NoiseSuppressor(rate, 1, level) for _ in range(num_channels)]

    def push(self, audio: bytes) -> bytes:
        blocks = self._blocks.push(self._to_rate.push(audio))
        return self._from_rate.push(b"".join(map(self._suppress, blocks)))

    def flush(self) -> bytes:
        blocks = self._blocks.push(self._to_rate.flush())
        rest = self._blocks.flush()
        blocks.append(rest.ljust(self._blocks.packet_bytes, b"\0"))
        clean = b"".join(map(self._suppress, blocks))
        clean = clean[: len(clean) + len(rest) - self._blocks.packet_bytes]
        return self._from_rate.push(clean) + self._from_rate.flush()

    def _suppress(self, block: bytes) -> bytes:
        samples = np.frombuffer(block, "<i2").reshape(-1, self._num_channels)
        clean = np.empty_like(samples)
        for channel, suppressor in enumerate(self._suppressors):
            clean[:, channel] = suppressor.process(np.ascontiguousarray(samples[:, channel]))
        return clean.tobytes()


def _checked(level: object) -> int:
    if not isinstance(level, int) or level not in _LEVELS:
        raise ValueError(f"NoiseFilter has the levels 0 to 3, not {level!r}")
    return level
