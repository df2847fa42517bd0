"""When voice counts as speech."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["VADParams"]


class VADParams(BaseModel):
    """What a voice has to be. Keyword-only; unknown names are refused.

    Attributes:
        confidence: from which the analyzer has to be confident, 0 to 1.
        start_secs: so long a voice lasts until it is speech.
        stop_secs: so long it is absent until the speech is over.
        min_volume: from which its volume counts: 1 is full scale, and each 0.1 less is 10 dB less,
            so 0.6 is -40 dB. See `VADAnalyzer.volume`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: float = Field(default=0.7, ge=0, le=1)
    start_secs: float = Field(default=0.2, ge=0, le=60)
    stop_secs: float = Field(default=0.8, ge=0, le=60)
    min_volume: float = Field(default=0.6, ge=0, le=1)
