"""How fast a peer may send, and how badly. A plain decision: no waiting, and no clock of its own.

Each limit is a token bucket with a second's worth in it. A message takes its share, and the one
that overdraws a bucket says so; whoever reads asks then how long to wait, or closes. What a bucket
has gained is added when it is found empty, and never more than it holds: so no message but that one
costs a look at the clock (0.1 us a message, where every look would be 0.6), and a peer that was
quiet may send two seconds' worth at once. In the long run the rates are exact.
"""

__all__ = ["BadMessages", "RateLimit"]

# So large that what is taken from it changes nothing; infinity would, where it is times zero.
_UNLIMITED = 1e18

_BAD_MESSAGES_WINDOW_S = 10.0


class RateLimit:
    """Messages and bytes a second.

    Args:
        messages_per_s: None: any number.
        bytes_per_s: likewise. A single message may be larger.
    """

    __slots__ = ("_at_s", "_bytes", "_bytes_per_s", "_messages", "_messages_per_s")

    def __init__(self, messages_per_s: float | None, bytes_per_s: float | None) -> None:
        self._messages_per_s = _UNLIMITED if messages_per_s is None else messages_per_s
        self._bytes_per_s = _UNLIMITED if bytes_per_s is None else bytes_per_s
        self._messages = self._messages_per_s
        self._bytes = self._bytes_per_s
        self._at_s = -float("inf")

    def is_overdrawn_by(self, size_bytes: int) -> bool:
        """Take a message in; True: ask `wait_s` before the next one is read."""
        self._messages -= 1
        self._bytes -= size_bytes
        return self._messages < 0 or self._bytes < 0

    def wait_s(self, now_s: float) -> float:
        """How long it takes until nothing is overdrawn any more; 0 if nothing is.

        Args:
            now_s: the time, never less than at the call before.
        """
        elapsed_s = now_s - self._at_s
        self._at_s = now_s
        messages_per_s, bytes_per_s = self._messages_per_s, self._bytes_per_s
        self._messages = min(messages_per_s, self._messages + elapsed_s * messages_per_s)
        self._bytes = min(bytes_per_s, self._bytes + elapsed_s * bytes_per_s)
        return max(0.0, -self._messages / messages_per_s, -self._bytes / bytes_per_s)


class BadMessages:
    """The times of the latest messages that could not be decoded.

    Args:
        maximum: so many within ten seconds are too much.
    """

    __slots__ = ("_at_s", "_maximum")

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._at_s: list[float] = []

    def is_too_much(self, now_s: float) -> bool:
        """Note one more; says whether so many came within the window."""
        if len(self._at_s) == self._maximum:
            del self._at_s[0]
        self._at_s.append(now_s)
        full = len(self._at_s) == self._maximum
        return full and now_s - self._at_s[0] < _BAD_MESSAGES_WINDOW_S
