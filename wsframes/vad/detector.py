"""An analyzer and the state machine, put together: pieces of audio in, changes of speech out.

Pure: it knows no clock but the audio itself.
"""

import operator

import msgspec

from wsframes.audio.packetizer import Packetizer
from wsframes.audio.pcm import SAMPLE_BYTES
from wsframes.vad.analyzer import VADAnalyzer
from wsframes.vad.params import VADParams
from wsframes.vad.states import VADState, VADStateMachine

__all__ = ["VoiceChange", "VoiceDetector"]

_SPEECH = (VADState.SPEAKING, VADState.STOPPING)


class VoiceChange(msgspec.Struct, frozen=True):
    """Speech has begun or is over.

    Attributes:
        is_speech: which of both.
        lasted_s: how long the voice had been there, or had been absent, before that was said.
    """

    is_speech: bool
    lasted_s: float


class VoiceDetector:
    """Cuts one stream of mono audio into the windows of an analyzer, and follows its verdicts.

    Args:
        analyzer: asked for each window.
        sample_rate: Hz of the audio.

    Raises:
        ValueError: the analyzer cannot analyze this rate, or says no length of its windows.
    """

    __slots__ = (
        "_machine",
        "_params",
        "_sample_rate",
        "_untold",
        "_window_frames",
        "_windows",
        "analyzer",
    )

    def __init__(self, analyzer: VADAnalyzer, sample_rate: int) -> None:
        self.analyzer = analyzer
        analyzer.set_sample_rate(sample_rate)
        self._sample_rate = sample_rate
        self._window_frames = _window_frames_of(analyzer)
        self._windows = Packetizer(SAMPLE_BYTES * self._window_frames)
        self._machine = VADStateMachine(0, 0)
        self._untold: list[VoiceChange] = []
        self.params = analyzer.params

    @property
    def params(self) -> VADParams:
        """What a voice has to be. Changing them changes no state by itself."""
        return self._params

    @params.setter
    def params(self, params: VADParams) -> None:
        self._params = params
        self._machine.start_frames = round(params.start_secs * self._sample_rate)
        self._machine.stop_frames = round(params.stop_secs * self._sample_rate)

    @property
    def state(self) -> VADState:
        """After the last whole window."""
        return self._machine.state

    @property
    def is_speech(self) -> bool:
        """Whether somebody speaks, or may have stopped just now."""
        return self._machine.state in _SPEECH

    def feed(self, audio: bytes) -> list[VoiceChange]:
        """Take a piece of any length; the changes that it brought, in order, mostly none.

        Raises:
            Exception: what the analyzer raises. The rest of the piece is not analyzed; changes that
                came before it are told with the next piece.
        """
        changes = self._untold
        machine, params = self._machine, self._params
        for window in self._windows.push(audio):
            voiced = (
                self.analyzer.voice_confidence(window) >= params.confidence
                and self.analyzer.volume(window) >= params.min_volume
            )
            before = machine.state
            if machine.update(voiced, self._window_frames) is not before:
                is_speech = self.is_speech
                if is_speech is not (before in _SPEECH):
                    lasted_s = machine.lasted_frames / self._sample_rate
                    changes.append(VoiceChange(is_speech, lasted_s))
        self._untold = []
        return changes

    def follow(self, before: "VoiceDetector") -> None:
        """Go on where another one was: the same voice, at another rate."""
        self._untold = before._untold
        self._machine.state = before._machine.state
        lasted_s = before._machine.lasted_frames / before._sample_rate
        self._machine.lasted_frames = round(lasted_s * self._sample_rate)

    def reset(self) -> None:
        """Forget the stream: nobody speaks."""
        self._windows.clear()
        self._untold = []
        self._machine.reset()
        self.analyzer.reset()


def _window_frames_of(analyzer: VADAnalyzer) -> int:
    required = analyzer.num_frames_required()
    try:
        frames = operator.index(required)
    except TypeError:
        frames = 0
    if frames < 1:
        raise ValueError(
            f"{type(analyzer).__name__}.num_frames_required() has to return an int of at least 1, "
            f"not {required!r}"
        )
    return frames
