"""Keeps what fails often from filling the log."""

__all__ = ["ReportLimit"]

_PERIOD_S = 1.0


class ReportLimit:
    """Lets one report a second pass for each reason; the counters have them all."""

    __slots__ = ("_last_s",)

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}

    def allows(self, reason: str, now_s: float) -> bool:
        """Whether to report it now. The reasons are ours, never the peer's."""
        last_s = self._last_s.get(reason)
        if last_s is not None and now_s - last_s < _PERIOD_S:
            return False
        self._last_s[reason] = now_s
        return True
