"""Every error that wsframes raises by itself.

WsframesError
+-- UsageError               you used it wrongly; the message says how to use it
|   +-- EncodeError          a frame cannot be put on this wire (also a ValueError)
|   +-- MissingExtraError    an optional package is not installed (also an ImportError)
+-- PeerError                the peer broke the rules
|   +-- DecodeError          a message cannot be decoded
+-- ConnectionClosedError    the socket is no longer open
    +-- ClosedByUsError      this side closed it
    +-- PeerGoneError        the other side closed it or was lost; has the code and the reason
"""

__all__ = [
    "ClosedByUsError",
    "ConnectionClosedError",
    "DecodeError",
    "EncodeError",
    "MissingExtraError",
    "PeerError",
    "PeerGoneError",
    "UsageError",
    "WsframesError",
]


class WsframesError(Exception):
    """The root: catch it to catch all of them."""


class UsageError(WsframesError):
    """The application broke a rule of the API."""


class EncodeError(UsageError, ValueError):
    """A frame holds something that this wire cannot carry."""


class MissingExtraError(UsageError, ImportError):
    """An optional package is missing.

    Args:
        package: the package that could not be imported.
        extra: the extra of wsframes that installs it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; it comes with the extra {extra!r}: "
            f'pip install "wsframes[{extra}]"'
        )
        self.package = package
        self.extra = extra


class PeerError(WsframesError):
    """The other side of the wire broke a rule."""


class DecodeError(PeerError):
    """A message from the peer is not what the serializer understands.

    The text never holds more than 256 bytes that the peer chose.
    """


class ConnectionClosedError(WsframesError):
    """The socket is not open (any more)."""


class ClosedByUsError(ConnectionClosedError):
    """Nothing can be sent or received: this side has closed, or is closing, the socket."""


class PeerGoneError(ConnectionClosedError):
    """The peer has closed the connection, or the connection was lost.

    Args:
        code: the close code (RFC 6455, section 7.4). Servers report a lost connection as 1006 or
            as 1005; both mean that no close frame with a code was seen.
        reason: the peer's text, empty where the server does not hand it on.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__(f"the peer is gone: code {code}" + (f", {reason!r}" if reason else ""))
        self.code = code
        self.reason = reason
