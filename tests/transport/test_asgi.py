"""`wsframes.transport.asgi`: what servers say, and what is made of it."""

import logging
from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import pytest
from starlette.websockets import WebSocket

from wsframes.exceptions import DecodeError, PeerGoneError, UsageError
from wsframes.transport.asgi import LOST, NO_CODE, AsgiSocket, as_websocket

SCOPE = {"type": "websocket", "headers": []}


class Server:
    """Hands over these events, or raises them, and takes what is sent."""

    def __init__(self, *events: Any, send: Callable[[Any], Any] | None = None) -> None:
        self.events = [{"type": "websocket.connect"}, *events]
        self.sent: list[dict[str, Any]] = []
        self._send = send

    async def receive(self) -> Any:
        event = self.events.pop(0)
        if isinstance(event, BaseException):
            raise event
        return event

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))
        if self._send is not None and message["type"] != "websocket.accept":
            await self._send(message)

    async def accepted(self) -> AsgiSocket:
        socket = AsgiSocket(WebSocket(dict(SCOPE), self.receive, self.send))
        await socket.accept()
        return socket


def message(**keys: Any) -> dict[str, Any]:
    return {"type": "websocket.receive", **keys}


def raising(error: Exception) -> Callable[[Any], Any]:
    async def send(message: Any) -> None:
        raise error

    return send


async def received(socket: AsgiSocket) -> str | bytes:
    """What its owner makes of it."""
    try:
        return socket.message(await socket.receive())
    except DecodeError:
        raise
    except Exception as exc:
        raise socket.gone(exc) from None


def never(message: Any) -> Any:
    return anyio.sleep_forever()


# --- as_websocket


async def test_a_starlette_websocket_is_itself_and_a_triple_becomes_one() -> None:
    server = Server()
    websocket = WebSocket(dict(SCOPE), server.receive, server.send)
    assert as_websocket(websocket) is websocket
    made = as_websocket((dict(SCOPE), server.receive, server.send))
    assert isinstance(made, WebSocket)
    assert made.scope == SCOPE


@pytest.mark.parametrize(
    ("thing", "problem"),
    [
        (None, "not NoneType"),
        ((1, 2), "not tuple"),
        (({"type": "http"}, None, None), "this scope has the type 'http'"),
        ((None, None, None), "this scope has the type None"),
    ],
)
def test_anything_else_is_refused(thing: object, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        as_websocket(thing)


async def test_a_websocket_that_is_closed_is_refused() -> None:
    server = Server({"type": "websocket.disconnect", "code": 1000})
    websocket = WebSocket(dict(SCOPE), server.receive, server.send)
    await websocket.accept()
    await websocket.receive()
    with pytest.raises(UsageError, match="closed already"):
        as_websocket(websocket)
    server = Server()
    websocket = WebSocket(dict(SCOPE), server.receive, server.send)
    await websocket.close()
    with pytest.raises(UsageError, match="closed already"):
        as_websocket(websocket)


# --- accept


async def test_accept() -> None:
    server = Server()
    socket = AsgiSocket(WebSocket(dict(SCOPE), server.receive, server.send))
    assert not socket.is_accepted
    await socket.accept()
    assert socket.is_accepted
    assert [message["type"] for message in server.sent] == ["websocket.accept"]


async def test_accepting_a_peer_that_has_left() -> None:
    server = Server()
    server.events = [{"type": "websocket.disconnect", "code": 1006}]
    socket = AsgiSocket(WebSocket(dict(SCOPE), server.receive, server.send))
    with pytest.raises(PeerGoneError) as gone:
        await socket.accept()
    assert gone.value.code == LOST


# --- receive


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (message(text="a"), "a"),
        (message(bytes=b"a"), b"a"),
        (message(text="a", bytes=None), "a"),
        (message(text=None, bytes=b"a"), b"a"),
        (message(text=""), ""),
        (message(text=None, bytes=b""), b""),
        (message(bytes=bytearray(b"a")), b"a"),
        (message(bytes=memoryview(b"a")), b"a"),
    ],
)
async def test_a_message(event: dict[str, Any], data: str | bytes) -> None:
    socket = await Server(event).accepted()
    got = await received(socket)
    assert got == data
    assert type(got) is type(data)


@pytest.mark.parametrize("event", [message(), message(text=None, bytes=None), message(text=1)])
async def test_an_event_that_is_no_message(event: dict[str, Any]) -> None:
    socket = await Server(event, message(text="next")).accepted()
    with pytest.raises(DecodeError, match="neither text nor bytes"):
        await received(socket)
    assert await received(socket) == "next"


@pytest.mark.parametrize(
    ("event", "code", "reason"),
    [
        ({"code": 4001, "reason": "bye"}, 4001, "bye"),
        ({"code": 1000}, 1000, ""),
        ({"code": None, "reason": None}, NO_CODE, ""),
        ({}, NO_CODE, ""),
        ({"code": "1000", "reason": b"bye"}, NO_CODE, ""),
    ],
)
async def test_a_disconnect(event: dict[str, Any], code: int, reason: str) -> None:
    socket = await Server({"type": "websocket.disconnect", **event}).accepted()
    with pytest.raises(PeerGoneError) as gone:
        await received(socket)
    assert (gone.value.code, gone.value.reason) == (code, reason)


@pytest.mark.parametrize(
    "event", [RuntimeError("broken"), OSError("broken"), {"type": "websocket.nonsense"}, {}]
)
async def test_a_server_that_fails_to_receive_has_lost_the_peer(
    event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await Server(event).accepted()
    with pytest.raises(PeerGoneError) as gone:
        await received(socket)
    assert gone.value.code == LOST
    assert "the server failed to receive" in caplog.text


# --- send


async def test_send() -> None:
    server = Server()
    socket = await server.accepted()
    await socket.send("a")
    await socket.send(b"a")
    assert server.sent[1:] == [
        {"type": "websocket.send", "text": "a"},
        {"type": "websocket.send", "bytes": b"a"},
    ]


@pytest.mark.parametrize("error", [OSError(), RuntimeError(), ValueError()])
async def test_a_send_that_raises(error: Exception) -> None:
    socket = await Server(send=raising(error)).accepted()
    with pytest.raises(Exception):  # noqa: B017, PT011 - Starlette has its own for some
        await socket.send("a")


# --- close


async def test_close_tells_code_and_reason_within_what_a_frame_holds() -> None:
    server = Server()
    socket = await server.accepted()
    await socket.close(4000, "\u00e9" * 100 + "\ud800", 0.5)
    assert server.sent[-1] == {
        "type": "websocket.close",
        "code": 4000,
        "reason": "\u00e9" * 61,
    }


async def test_closing_before_the_handshake_refuses_it() -> None:
    server = Server()
    socket = AsgiSocket(WebSocket(dict(SCOPE), server.receive, server.send))
    await socket.close(1001, "", 0.5)
    assert [message["type"] for message in server.sent] == ["websocket.close"]


@pytest.mark.parametrize("error", [OSError("x"), RuntimeError("x"), ValueError("x")])
async def test_a_close_that_raises_is_silent(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await Server(send=raising(error)).accepted()
    with caplog.at_level(logging.DEBUG):
        await socket.close(1000, "", 0.5)
    assert "closing the socket failed" in caplog.text
    await socket.close(1000, "", 0.5)


async def test_a_close_that_hangs_has_its_deadline() -> None:
    socket = await Server(send=never).accepted()
    start_s = anyio.current_time()
    await socket.close(1000, "", 0.5)
    assert anyio.current_time() - start_s == pytest.approx(0.5)


async def test_a_nearer_deadline_of_the_caller_holds_with_something_to_spare() -> None:
    socket = await Server(send=never).accepted()
    start_s = anyio.current_time()
    with anyio.move_on_after(0.2) as scope:
        await socket.close(1000, "", 0.5)
    assert anyio.current_time() - start_s == pytest.approx(0.18)
    assert not scope.cancelled_caught


async def test_one_who_is_cancelled_closes_all_the_same() -> None:
    server = Server(send=never)
    socket = await server.accepted()
    start_s = anyio.current_time()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await socket.close(1000, "", 0.5)
    assert server.sent[-1]["type"] == "websocket.close"
    assert anyio.current_time() - start_s == pytest.approx(0.5)


@pytest.mark.parametrize("found", [True, False])
async def test_a_close_that_cannot_be_cancelled_is_cut(
    found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the servers do that shield their sends."""
    cut: list[Any] = []
    gone = anyio.Event()

    async def shielded(message: Any) -> None:
        with anyio.CancelScope(shield=True):
            if found:
                await gone.wait()
                raise OSError("broken pipe")
            await anyio.sleep(60)

    def cut_connection(scope: Any) -> None:
        cut.append(scope)
        anyio.from_thread.run_sync(gone.set)

    monkeypatch.setattr("wsframes.transport.asgi.cut_connection", cut_connection)
    socket = await Server(send=shielded).accepted()
    start_s = anyio.current_time()
    await socket.close(1000, "", 0.5)
    assert cut == [socket.websocket.scope]
    # A call in a worker thread takes real time, which the clock waits for.
    assert anyio.current_time() - start_s == pytest.approx(0.75 if found else 60, abs=0.2)
