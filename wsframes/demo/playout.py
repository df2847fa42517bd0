"""When audio that arrives is heard."""

__all__ = ["PlayOut"]


class PlayOut:
    """A player with no patience: it plays what comes at once, or right after what came before.

    Pieces that come ahead of their time queue up in it, and are its cushion. A piece that comes
    when it has run dry leaves a gap that can be heard.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self.ends_s = 0.0
        """When it has played everything so far."""

    def take(self, samples: int, at_s: float) -> float:
        """Take a piece that comes at this time; give the time at which it is heard."""
        starts_s = max(at_s, self.ends_s)
        self.ends_s = starts_s + samples / self._sample_rate
        return starts_s

    def clear(self, at_s: float) -> None:
        """Play nothing more of what has come until now."""
        self.ends_s = min(self.ends_s, at_s)

    def wait(self, until_s: float) -> None:
        """Something else is played until then."""
        self.ends_s = max(self.ends_s, until_s)
