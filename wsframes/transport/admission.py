"""Who may connect: looked at before the connection is accepted."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

__all__ = ["origin_problem"]


def origin_problem(connection: HTTPConnection, allowed: Collection[str] | None) -> str | None:
    """Why the page that opened this connection may not; None if it may.

    A browser sends the page's origin with every websocket handshake, and would open one for any
    page to any server (RFC 6455, section 10.2). Other clients send none, and are let in.

    Args:
        connection: the handshake.
        allowed: origins such as `https://example.org`; `*` allows all; None allows only the host
            that is connected to.
    """
    origin = connection.headers.get("origin")
    if origin is None or (allowed is not None and ("*" in allowed or origin in allowed)):
        return None
    if allowed is None and _host(origin) == _host(f"//{connection.headers.get('host', '')}"):
        return None
    return "the origin is not allowed"


def _host(url: str) -> tuple[str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    # A proxy in front may speak TLS with the browser and not with us: a default port is no port.
    return parts.hostname, None if port in (80, 443) else port
