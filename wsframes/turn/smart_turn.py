"""The end of a turn by Smart Turn, a model that listens to how it was spoken.

The model (version 3: BSD-2-Clause, 8.7 MB) is not part of wsframes: you give the path of its file.
"""

import functools
import threading
from pathlib import Path
from typing import Any

from wsframes.audio.pcm import SAMPLE_BYTES
from wsframes.exceptions import MissingExtraError, UsageError
from wsframes.turn.analyzer import BaseTurnAnalyzer, EndOfTurnState
from wsframes.turn.features import SAMPLE_RATE, at_rate, log_mel
from wsframes.turn.params import TurnParams
from wsframes.turn.segment import TurnSegment
from wsframes.turn.silence import SilenceCount

try:
    import numpy as np
    import onnxruntime
except ImportError as exc:
    raise MissingExtraError(exc.name or "onnxruntime", "turn") from exc

__all__ = ["SmartTurnAnalyzer"]

_INPUT = "input_features"
_HEARD_S = 8
_HEARD = _HEARD_S * SAMPLE_RATE
_FULL_SCALE = 32768.0
_ERRORS_ONLY = 3

# Sessions that begin at once, each in a thread of its own, are not to load a model each.
_loading = threading.Lock()


class SmartTurnAnalyzer(BaseTurnAnalyzer):
    """Asks the model whenever the voice has stopped; about 75 ms, in a worker thread.

    The model is loaded once for each path, and shared. It hears the last 8 s of the turn at 16 kHz;
    audio of another rate is resampled.

    Args:
        model_path: the file of the model: ONNX, `input_features` (1, 80, 800) in, one probability
            out.
        params: what a turn is. At most 8 s of `max_duration_secs` are heard.
        threshold: from which probability on the turn is complete.

    Attributes:
        probability: that the turn was complete, as asked last; None: not asked yet.

    Raises:
        UsageError: there is no such file.
        MissingExtraError: on import of this module, where numpy or onnxruntime is not installed.
    """

    def __init__(
        self,
        *,
        model_path: str | Path,
        params: TurnParams | None = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(params=params)
        self._path = Path(model_path)
        if not self._path.is_file():
            raise UsageError(f"model_path: there is no file {str(self._path)!r}")
        self._threshold = threshold
        self._segment = TurnSegment()
        self._silence = SilenceCount()
        self.probability: float | None = None

    def prepare(self) -> None:
        """Load the model, unless another analyzer has done so."""
        with _loading:
            _session(self._path)

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        params, rate = self.params, self.sample_rate
        pre_roll = round((params.pre_speech_ms / 1000 + self.vad_start_secs) * rate)
        self._segment.add(buffer, is_speech, pre_roll=pre_roll, longest=self._longest())
        self._silence.add(len(buffer) // SAMPLE_BYTES, is_speech)
        if self._silence.frames >= params.stop_secs * rate:
            return EndOfTurnState.COMPLETE
        return EndOfTurnState.INCOMPLETE

    def analyze_end_of_turn(self) -> EndOfTurnState:
        audio = self._segment.audio(self._longest())
        samples = np.frombuffer(audio, "<i2").astype(np.float32) / _FULL_SCALE
        samples = at_rate(samples, self.sample_rate)[-_HEARD:]
        # The end is what matters, so what is missing is silence before the beginning.
        samples = np.pad(samples, (_HEARD - len(samples), 0))
        (logits, *_) = _session(self._path).run(None, {_INPUT: log_mel(samples)[None]})
        self.probability = float(np.asarray(logits).reshape(-1)[0])
        complete = self.probability >= self._threshold
        return EndOfTurnState.COMPLETE if complete else EndOfTurnState.INCOMPLETE

    def clear(self) -> None:
        self._segment.clear()
        self._silence.clear()

    def _longest(self) -> int:
        return round(min(self.params.max_duration_secs, _HEARD_S) * self.sample_rate)


@functools.cache
def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    # One core a turn: the threads of a runtime for itself would take those of other sessions.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
