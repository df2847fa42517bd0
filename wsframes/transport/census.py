"""What an application counts of its sessions."""

from collections import Counter

import msgspec

from wsframes.transport.websocket import WebsocketTransport

__all__ = ["AppStatistics", "Census"]


class AppStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of an application.

    Attributes:
        running: now.
        accepted: in all.
        refused: before they were accepted, by reason.
        ended: by the reason of their end.
        received: messages of all peers.
        dropped: messages of all peers whose frame did not go downstream, by reason.
        throttled: how often a peer had sent faster than the limits allow.
        sent: messages to all peers.
        unsent: messages to peers that were not sent, by reason.
        lateness_s: how late the event loop has run lately, 19 of 20 times; None where
            `max_lateness_ms` is not set.
    """

    running: int
    accepted: int
    refused: dict[str, int]
    ended: dict[str, int]
    received: int
    dropped: dict[str, int]
    throttled: int
    sent: int
    unsent: dict[str, int]
    lateness_s: float | None


class Census:
    """Counts sessions while they run, and remembers of those that are over no more than sums.

    Attributes:
        running: the transports of the sessions that run.
        refused: connections, by reason.
    """

    def __init__(self) -> None:
        self.running: set[WebsocketTransport] = set()
        self.refused: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._past = _Sums()

    def end(self, transport: WebsocketTransport, reason: str) -> None:
        """A session is over."""
        self.running.discard(transport)
        self._ended[reason] += 1
        self._past.add(transport)

    def statistics(self, lateness_s: float | None = None) -> AppStatistics:
        sums = _Sums()
        for transport in self.running:
            sums.add(transport)
        past = self._past
        return AppStatistics(
            running=len(self.running),
            accepted=len(self.running) + self._ended.total(),
            refused=dict(self.refused),
            ended=dict(self._ended),
            received=past.received + sums.received,
            dropped=dict(past.dropped + sums.dropped),
            throttled=past.throttled + sums.throttled,
            sent=past.sent + sums.sent,
            unsent=dict(past.unsent + sums.unsent),
            lateness_s=lateness_s,
        )


class _Sums:
    __slots__ = ("dropped", "received", "sent", "throttled", "unsent")

    def __init__(self) -> None:
        self.received = 0
        self.dropped: Counter[str] = Counter()
        self.throttled = 0
        self.sent = 0
        self.unsent: Counter[str] = Counter()

    def add(self, transport: WebsocketTransport) -> None:
        session = transport.statistics()
        self.received += session.received
        self.dropped.update(session.input.dropped)
        self.throttled += session.input.throttled
        self.sent += session.sent
        self.unsent.update(session.unsent)
