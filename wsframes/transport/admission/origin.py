"""Who may connect: looked at before the connection is accepted."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

__all__ = ["origin_problem"]

# A proxy in front may speak TLS with the browser and not with us, so both count as none.
_DEFAULT_PORTS = (None, 80, 443)


def origin_problem(connection: HTTPConnection, allowed: Collection[str] | None) -> str | None:
    """Why the page that opened this connection may not; None if it may.

    A browser sends the page's origin with every websocket handshake, and would open one for any
    page to any server (RFC 6455, section 10.2). Other clients send none, and are let in.

    Args:
        connection: the handshake.
        allowed: origins such as `https://example.org`; `*` allows all; None allows only the host
            that is connected to, as the `Host` header has it: behind a proxy that changes it, the
            origins have to be listed.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return None
    if allowed is None:
        host = _host(f"//{connection.headers.get('host', '')}")
        if host is not None and _host(origin) == host:
            return None
    elif "*" in allowed or _plain(origin) in map(_plain, allowed):
        return None
    return "the origin is not allowed"


def _host(url: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (name, None if port in _DEFAULT_PORTS else port) if name else None


def _plain(origin: str) -> str:
    """As browsers write it: people add a slash, or write the host as it looks best."""
    return origin.strip().rstrip("/").lower()
