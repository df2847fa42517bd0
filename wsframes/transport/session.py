"""The life of one connection, as a table. It knows no socket and no clock.

    CONNECTING   not accepted yet
    OPEN         both may send
    FAILING      a send has failed: nothing more is sent; the reader may still learn the close code
    GIVEN_UP     the peer counts as gone, and what is left of the connection is to be closed
    CLOSING      this side has begun to close it
    CLOSED       this side has closed it
    GONE         the peer has closed it, or it was lost

The last two are final. `on_client_disconnected` is told on the way into GIVEN_UP or GONE, and only
there: a connection that this side closes is never told as the peer's doing, and one that the peer
ends is told once, whichever of the reader, a send and the write deadline notices it first.
"""

from enum import Enum, auto

__all__ = ["TRANSITIONS", "Connection", "ConnectionEvent", "ConnectionState"]


class ConnectionState(Enum):
    """Where a connection stands; the module tells what each means."""

    CONNECTING = auto()
    OPEN = auto()
    FAILING = auto()
    GIVEN_UP = auto()
    CLOSING = auto()
    CLOSED = auto()
    GONE = auto()


class ConnectionEvent(Enum):
    """What happens to a connection."""

    ACCEPTED = auto()
    """The handshake is done."""
    SEND_FAILED = auto()
    """The server did not take a message."""
    GIVE_UP = auto()
    """The peer has to be taken for gone, whatever the server says."""
    LOST = auto()
    """The server says that the peer is gone."""
    CLOSE = auto()
    """This side wants it closed."""
    CLOSE_DONE = auto()
    """The close frame is out, or its deadline is past."""


_S = ConnectionState
_E = ConnectionEvent

# Whatever is not in the table changes nothing.
TRANSITIONS: dict[tuple[ConnectionState, ConnectionEvent], ConnectionState] = {
    (_S.CONNECTING, _E.ACCEPTED): _S.OPEN,
    (_S.CONNECTING, _E.CLOSE): _S.CLOSING,
    (_S.CONNECTING, _E.LOST): _S.GONE,
    (_S.OPEN, _E.SEND_FAILED): _S.FAILING,
    (_S.OPEN, _E.GIVE_UP): _S.GIVEN_UP,
    (_S.OPEN, _E.LOST): _S.GONE,
    (_S.OPEN, _E.CLOSE): _S.CLOSING,
    (_S.FAILING, _E.GIVE_UP): _S.GIVEN_UP,
    (_S.FAILING, _E.LOST): _S.GONE,
    (_S.FAILING, _E.CLOSE): _S.CLOSING,
    (_S.GIVEN_UP, _E.LOST): _S.GONE,
    (_S.GIVEN_UP, _E.CLOSE): _S.CLOSING,
    (_S.CLOSING, _E.LOST): _S.CLOSED,
    (_S.CLOSING, _E.CLOSE_DONE): _S.CLOSED,
}

_WITHOUT_PEER = (ConnectionState.GIVEN_UP, ConnectionState.GONE)


class Connection:
    """Where a connection stands, and how it ended.

    Attributes:
        state: read it; the methods change it.
        close_code: of the side that ended it, once it is known.
        close_reason: likewise.
    """

    __slots__ = ("close_code", "close_reason", "state")

    def __init__(self, state: ConnectionState) -> None:
        self.state = state
        self.close_code: int | None = None
        self.close_reason = ""

    def on(self, event: ConnectionEvent) -> bool:
        """Take an event; says whether it changed the state."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            return False
        self.state = state
        return True

    def without_peer(self, event: ConnectionEvent, code: int, reason: str) -> bool:
        """Take LOST or GIVE_UP; says whether that has ended it, by the peer's doing."""
        over = self.state in _WITHOUT_PEER
        if not self.on(event) or over or self.state not in _WITHOUT_PEER:
            return False
        self.close_code = code
        self.close_reason = reason
        return True

    def close(self, code: int, reason: str) -> bool:
        """Begin to close it; False if there is nothing to close."""
        if not self.on(ConnectionEvent.CLOSE):
            return False
        if self.close_code is None:
            self.close_code = code
            self.close_reason = reason
        return True
