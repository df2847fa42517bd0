"""`wsframes.transport.admission.origin`: which pages may connect."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from wsframes.transport.admission.origin import origin_problem


def problem(
    origin: str | None, host: str | None = "bot.example", allowed: Collection[str] | None = None
) -> str | None:
    headers = [(b"origin", origin.encode())] if origin is not None else []
    headers += [(b"host", host.encode())] if host is not None else []
    return origin_problem(HTTPConnection({"type": "websocket", "headers": headers}), allowed)


@pytest.mark.parametrize("allowed", [None, [], ["https://a.example"], ["*"]])
def test_who_sends_no_origin_is_no_browser_and_is_let_in(allowed: list[str] | None) -> None:
    assert problem(None, allowed=allowed) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://bot.example", "bot.example"),
        ("http://bot.example", "bot.example"),
        ("https://bot.example", "bot.example:443"),
        ("http://bot.example", "bot.example:80"),
        ("https://bot.example:443", "bot.example"),
        ("https://bot.example", "bot.example:80"),  # TLS ends at a proxy
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://BOT.example", "bot.EXAMPLE"),
    ],
)
def test_the_same_host_is_let_in_by_default(origin: str, host: str) -> None:
    assert problem(origin, host) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "bot.example"),
        ("https://bot.example.evil.example", "bot.example"),
        ("https://evilbot.example", "bot.example"),
        ("https://bot.example@evil.example", "bot.example"),
        ("http://localhost:3000", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("http://localhost:8000", "localhost"),
        ("null", "bot.example"),
        ("null", ""),
        ("null", None),
        ("", ""),
        ("", None),
        ("file://", None),
        ("https://[", "["),
        ("https://bot.example:99999999", "bot.example:99999999"),
        ("https://bot.example:port", "bot.example:port"),
        ("//", "//"),
    ],
)
def test_any_other_origin_is_not(origin: str, host: str | None) -> None:
    assert problem(origin, host) == "the origin is not allowed"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", ["https://a.example"]),
        ("https://a.example", ["https://b.example", "https://a.example"]),
        ("https://a.example", ["https://A.example/"]),
        ("https://a.example", ["*"]),
        ("null", ["null"]),
        ("null", ["https://a.example", "*"]),
    ],
)
def test_a_listed_origin_is_let_in(origin: str, allowed: list[str]) -> None:
    assert problem(origin, allowed=allowed) is None


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", []),
        ("https://bot.example", ["https://a.example"]),
        ("http://a.example", ["https://a.example"]),
        ("https://a.example:8443", ["https://a.example"]),
        ("https://sub.a.example", ["https://a.example"]),
        ("https://a.example", ["https://*.example"]),
    ],
)
def test_with_a_list_nothing_else_is(origin: str, allowed: list[str]) -> None:
    assert problem(origin, allowed=allowed) is not None


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_the_headers_say_it_decides(origin: str, host: str) -> None:
    """Any text as Origin and Host gives an answer, and never an exception."""
    latin = origin.encode("latin-1", "replace"), host.encode("latin-1", "replace")
    headers = [(b"origin", latin[0]), (b"host", latin[1])]
    answer = origin_problem(HTTPConnection({"type": "websocket", "headers": headers}), None)
    assert answer in (None, "the origin is not allowed")


hosts = st.sampled_from(["a.example", "b.example", "a", "[::1]", "127.0.0.1"])
ports = st.sampled_from(["", ":80", ":443", ":8000", ":8443"])


@given(st.sampled_from(["http", "https"]), hosts, ports, hosts, ports)
def test_host_and_port_decide(
    scheme: str, from_host: str, from_port: str, to_host: str, to_port: str
) -> None:
    """By default a page may connect if its host and port are ours; 80 and 443 count as none."""
    plain = {":80": "", ":443": ""}
    same_port = plain.get(from_port, from_port) == plain.get(to_port, to_port)
    allowed = problem(f"{scheme}://{from_host}{from_port}", f"{to_host}{to_port}") is None
    assert allowed is (from_host == to_host and same_port)
