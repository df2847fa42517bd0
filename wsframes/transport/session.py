"""The life of one connection, as a table. It knows no socket and no clock.

    CONNECTING   not accepted yet
    OPEN         both may send
    CLOSING      this side has begun to close it
    FAILING      a send has failed: nothing more is sent; the reader may still learn the close code
    CLOSED       this side has closed it
    GONE         the peer has closed it, or it was lost

The last two are final, and only the way into GONE tells `on_client_disconnected`: a connection
that this side closes is never told as the peer's doing, and one that the peer ends is told once,
whichever of the reader, a send and the write deadline notices it first.
"""

from enum import Enum, auto

__all__ = ["Connection", "ConnectionEvent", "ConnectionState"]


class ConnectionState(Enum):
    CONNECTING = auto()
    OPEN = auto()
    CLOSING = auto()
    FAILING = auto()
    CLOSED = auto()
    GONE = auto()


class ConnectionEvent(Enum):
    ACCEPTED = auto()
    """The handshake is done."""
    CLOSE = auto()
    """This side wants it closed."""
    CLOSE_DONE = auto()
    """The close frame is out, or its deadline is past."""
    SEND_FAILED = auto()
    """The server did not take a message."""
    LOST = auto()
    """The server says that the peer is gone, or it has to be taken for gone."""


_S = ConnectionState
_E = ConnectionEvent

# Whatever is not in the table changes nothing.
TRANSITIONS: dict[tuple[ConnectionState, ConnectionEvent], ConnectionState] = {
    (_S.CONNECTING, _E.ACCEPTED): _S.OPEN,
    (_S.CONNECTING, _E.CLOSE): _S.CLOSING,
    (_S.CONNECTING, _E.LOST): _S.GONE,
    (_S.OPEN, _E.CLOSE): _S.CLOSING,
    (_S.OPEN, _E.SEND_FAILED): _S.FAILING,
    (_S.OPEN, _E.LOST): _S.GONE,
    (_S.FAILING, _E.LOST): _S.GONE,
    (_S.FAILING, _E.CLOSE): _S.CLOSING,
    (_S.CLOSING, _E.CLOSE_DONE): _S.CLOSED,
    (_S.CLOSING, _E.LOST): _S.CLOSED,
}


class Connection:
    """Where a connection stands, and how it ended.

    Attributes:
        state: read it; `on` changes it.
        close_code: of the side that closed, once it is known.
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

    def lost(self, code: int, reason: str) -> bool:
        """The peer is gone; True if it is the peer's doing and not told before."""
        if not self.on(ConnectionEvent.LOST):
            return False
        if self.state is not ConnectionState.GONE:
            return False
        self.close_code = code
        self.close_reason = reason
        return True
