"""The state of one in-memory websocket connection, seen from both of its ends.

Decides and never waits: `server.MemoryServer` is the async shell on the app's side,
`peer.MemoryPeer` the one on the peer's. They call `Connection.advance` before and after
everything else.

States, in the only order there is (any of them can be skipped):

* connecting: the app has not answered the handshake
* denying: the app has begun a response of its own instead of accepting
* open
* closing: the app has closed, the peer has not answered
* ended: nothing the app sends goes anywhere. The peer may still have to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from .wire import Data, End, Event, Inbox, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .profiles import ServerProfile

__all__ = ["Closed", "Connection", "Handshake", "Log", "Phase", "Received"]

_LOST = End(1006, "")


class Phase(Enum):
    """The module's docstring says what each is."""

    CONNECTING = auto()
    DENYING = auto()
    OPEN = auto()
    CLOSING = auto()
    ENDED = auto()


class Closed(NamedTuple):
    """How the connection ended for the peer. 1006: without a close frame."""

    code: int
    reason: str


class Received(NamedTuple):
    """A message the peer has read, and when it had read all of it."""

    time_s: float
    data: Data


@dataclass
class Handshake:
    """The app's answer. ``denied_status`` is an HTTP status, once the response is
    complete: 403 for a close before the accept, 500 for an app that ended without an
    answer, or the ``status`` of the app's own response."""

    accepted: bool = False
    subprotocol: str | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    status: int = 0
    denied_status: int | None = None
    denied_body: bytes = b""


@dataclass
class _OwnClose:
    code: int
    reason: str
    answer_by_s: float = inf


class Log:
    """What the peer has read: all of it, or the latest ``keep`` messages."""

    def __init__(self, keep: int | None) -> None:
        self.messages: list[Received] = []
        self.forgotten = 0
        self._keep = keep

    def __len__(self) -> int:
        return self.forgotten + len(self.messages)

    def add(self, message: Received) -> None:
        self.messages.append(message)
        if self._keep is not None and len(self.messages) > self._keep:
            del self.messages[0]
            self.forgotten += 1


class Connection:
    """What has happened, and what each end can see of it."""

    def __init__(
        self, profile: ServerProfile, inbox: Inbox, wire: Wire, log: Log, *, answers_close: bool
    ) -> None:
        self.profile = profile
        self.phase = Phase.CONNECTING
        self.handshake = Handshake()
        self.inbox = inbox
        self.wire = wire
        self.log = log
        self.end: Closed | None = None  # set when the peer knows
        self.own_close: _OwnClose | None = None  # the app's
        self.clean = False  # ended by close frames
        self.vanished = False
        self._answers_close = answers_close
        inbox.put_event(Event({"type": "websocket.connect"}))

    # --- time

    def advance(self, now_s: float) -> None:
        """Makes happen what time has brought: the peer reads, a close runs out."""
        for time_s, item in self.wire.advance(now_s):
            if not isinstance(item, End):
                self.log.add(Received(time_s, item))
                continue
            self.end = Closed(*item)
            if self._answers_close:
                self._answered()
        if self.own_close and self.phase is Phase.CLOSING and now_s >= self.own_close.answer_by_s:
            self.cut(flush=False)

    def next_change_s(self) -> float:
        """When time alone will bring the next change; inf for never."""
        change_s = self.wire.next_change_s()
        if self.own_close and self.phase is Phase.CLOSING:
            change_s = min(change_s, self.own_close.answer_by_s)
        return change_s

    @property
    def congested(self) -> bool:
        """The app's ``send()`` has to wait."""
        return self.wire.over_limit and self.phase in (Phase.OPEN, Phase.CLOSING)

    # --- the app's side

    def accept(self, subprotocol: str | None, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.phase = Phase.OPEN
        self.handshake.accepted = True
        self.handshake.status = 101
        self.handshake.subprotocol = subprotocol
        self.handshake.headers = headers

    def begin_denial(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.phase = Phase.DENYING
        self.handshake.status = status
        self.handshake.headers = headers

    def add_denial(self, body: bytes, more_body: bool) -> None:
        self.handshake.denied_body += body
        if not more_body:
            self.deny(self.handshake.status)

    def deny(self, status: int) -> None:
        self.phase = Phase.ENDED
        self.handshake.status = self.handshake.denied_status = status
        self.end = Closed(*_LOST)
        self._tell(1006)

    def put(self, data: Data) -> None:
        self.wire.put(data)

    def close(self, code: int, reason: str) -> None:
        self.phase = Phase.CLOSING
        self.own_close = _OwnClose(code, reason)
        self.wire.put(End(code, reason))
        if self.profile.own_close_told_at_once:
            self._tell_own_close(self.own_close)

    def expect_answer(self, now_s: float) -> None:
        """From now on the peer has the profile's time to answer the app's close."""
        if self.own_close and self.own_close.answer_by_s == inf:
            self.own_close.answer_by_s = now_s + self.profile.close_timeout_s

    def app_ended(self) -> None:
        if self.phase in (Phase.CONNECTING, Phase.DENYING):
            self.deny(500)
        elif self.phase is Phase.OPEN:
            self.phase = Phase.ENDED
            self.wire.put(End(self.profile.app_end_code, ""))

    # --- the peer's side

    def offer(self, data: Data) -> None:
        if self.phase is Phase.OPEN and not self.vanished:
            self.inbox.put(data)
        else:
            self.inbox.lose(data)

    @property
    def crowded(self) -> bool:
        """The peer has to wait before it can send."""
        return self.inbox.full and self.phase is Phase.OPEN and not self.vanished

    def peer_close(self, code: int | None, reason: str) -> None:
        """A close frame from the peer. Before the handshake is over it just hangs up."""
        if self.phase is Phase.OPEN:
            self.phase = Phase.ENDED
            self.clean = True
            self._tell(
                self.profile.peer_close_code or code or 1005,
                reason if self.profile.reports_reason else None,
            )
            self.wire.put(End(code or 1005, reason))  # the server's answer
        else:
            self.cut(flush=True)

    def cut(self, *, flush: bool) -> None:
        """The connection ends without a close frame from the peer. ``flush``: the peer
        still reads what is on its way to it."""
        if self.phase is Phase.CLOSING:
            self._answered()
        elif self.phase is not Phase.ENDED:
            self._tell(self.profile.lost_code if self.phase is Phase.OPEN else 1006)
            self.phase = Phase.ENDED
            self.wire.put(_LOST)
        if not flush:
            self.wire.discard()
            self.end = self.end or Closed(*_LOST)

    def vanish(self) -> None:
        self.vanished = True
        self.wire.stalled = True
        self.end = self.end or Closed(*_LOST)

    # ---

    def _answered(self) -> None:
        """The app's own close is over, if it has closed."""
        if self.own_close and self.phase is Phase.CLOSING:
            self.phase = Phase.ENDED
            self.clean = True
            if not self.profile.own_close_told_at_once:
                self._tell_own_close(self.own_close)

    def _tell_own_close(self, close: _OwnClose) -> None:
        reason = close.reason if self.profile.reports_reason else None
        if self.profile.own_close_code is None:
            self._tell(close.code, reason)
        else:
            self._tell(self.profile.own_close_code)

    def _tell(self, code: int, reason: str | None = None) -> None:
        event: dict[str, Any] = {"type": "websocket.disconnect", "code": code}
        if reason is not None:
            event["reason"] = reason
        self.inbox.put_event(Event(event))
