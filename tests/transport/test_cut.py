"""`wsframes.transport.cut`, with real sockets: of this process, as a server's are."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from wsframes.transport.cut import cut_connection

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def pair(stack: ExitStack, family: int = socket.AF_INET) -> Pair:
    """The server's end of a connection, and the client's."""
    host = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}[socket.AddressFamily(family)]
    listener = stack.enter_context(socket.create_server((host, 0), family=family))
    client = stack.enter_context(socket.create_connection(listener.getsockname()[:2]))
    server, _ = listener.accept()
    return stack.enter_context(server), client


def scope_of(end: socket.socket, **items: Any) -> dict[str, Any]:
    return {
        "type": "websocket",
        "http_version": "1.1",
        "server": end.getsockname()[:2],
        "client": end.getpeername()[:2],
    } | items


def is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_it_is_this_connection_and_no_other_one(stack: ExitStack, family: int) -> None:
    unix = socket.socketpair()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for one in (*unix, datagrams):
        stack.enter_context(one)
    pairs = [pair(stack, family) for _ in range(4)]
    assert cut_connection(scope_of(pairs[2][0]))
    assert [is_open(client) for _, client in pairs] == [True, True, False, True]
    assert not is_open(pairs[2][0])
    assert not cut_connection(scope_of(pairs[2][0], client=("127.0.0.1", 1)))


def test_it_leaves_no_file_behind(stack: ExitStack) -> None:
    server, _ = pair(stack)
    before = sorted(os.listdir("/dev/fd"))
    assert cut_connection(scope_of(server))
    assert not cut_connection(scope_of(server, client=("127.0.0.1", 1)))
    assert sorted(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize(
    "items",
    [
        {"client": None},  # a unix socket
        {"server": None},
        {"server": ("/run/app.sock", None)},
        {"client": ("203.0.113.9", 0)},  # a proxy has told whom it speaks for
        {"client": ("203.0.113.9", 4711)},
        {"http_version": "2"},  # other streams share the connection
    ],
)
def test_what_cannot_be_told_for_certain_is_left_alone(
    stack: ExitStack, items: dict[str, Any]
) -> None:
    server, client = pair(stack)
    assert not cut_connection(scope_of(server, **items))
    assert is_open(client)


def test_the_other_end_in_the_same_process_is_not_mistaken_for_it(stack: ExitStack) -> None:
    server, client = pair(stack)
    swapped = scope_of(server, server=server.getpeername(), client=server.getsockname())
    assert cut_connection(swapped)  # that is the client's own: both ends are told apart
    assert not is_open(server)


def test_files_that_are_closed_in_the_meantime(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = pair(stack)
    numbers = os.listdir("/dev/fd")
    monkeypatch.setattr(os, "listdir", lambda path: ["999999", *numbers])
    assert cut_connection(scope_of(server))


def test_a_system_that_does_not_list_them(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = pair(stack)
    monkeypatch.setattr("wsframes.transport.cut._OPEN_FILES", "/no/such/directory")
    assert not cut_connection(scope_of(server))
    assert is_open(client)
