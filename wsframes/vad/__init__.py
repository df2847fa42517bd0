"""Voice activity detection: whether somebody speaks.

`EnergyVADAnalyzer` is in `wsframes.vad.energy` (extra `audio`), `SileroVADAnalyzer` in
`wsframes.vad.silero` (extra `vad`): this package loads neither.
"""

from wsframes.vad.analyzer import VADAnalyzer
from wsframes.vad.detector import VoiceChange, VoiceDetector
from wsframes.vad.params import VADParams
from wsframes.vad.states import VADState, VADStateMachine

__all__ = [
    "VADAnalyzer",
    "VADParams",
    "VADState",
    "VADStateMachine",
    "VoiceChange",
    "VoiceDetector",
]
