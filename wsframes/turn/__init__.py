"""The end of the user's turn: whether who is silent has finished, or only pauses.

`SmartTurnAnalyzer` is in `wsframes.turn.smart_turn` (extra `turn`): this package does not load it.
"""

from wsframes.turn.analyzer import BaseTurnAnalyzer, EndOfTurnState
from wsframes.turn.params import TurnParams
from wsframes.turn.silence import SilenceTurnAnalyzer

__all__ = ["BaseTurnAnalyzer", "EndOfTurnState", "SilenceTurnAnalyzer", "TurnParams"]
