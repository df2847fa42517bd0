"""What a turn is."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TurnParams"]


class TurnParams(BaseModel):
    """Keyword-only; unknown names are refused.

    Attributes:
        stop_secs: a silence of this length ends the turn, whatever else is thought of it. Counted
            from the last voice, so it has to be longer than `VADParams.stop_secs` to matter.
        pre_speech_ms: of the audio before the voice began that belong to the turn.
        max_duration_secs: of a longer turn, only the end is looked at.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop_secs: float = Field(default=3.0, gt=0, le=60)
    pre_speech_ms: float = Field(default=500.0, ge=0, le=5000)
    max_duration_secs: float = Field(default=8.0, gt=0, le=60)
