"""`wsframes.transport.asgi`: what the peer has sent and nobody has read when it is closed."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.websockets import WebSocket

from wsframes.exceptions import PeerGoneError
from wsframes.transport.asgi import AsgiSocket

MESSAGE = {"type": "websocket.receive", "text": "unread"}
DISCONNECT = {"type": "websocket.disconnect", "code": 1000}


class Server:
    """Hands over these events, then lets the application wait."""

    def __init__(self, *events: Any) -> None:
        self.events = [{"type": "websocket.connect"}, *events]

    async def receive(self) -> Any:
        await anyio.lowlevel.checkpoint()
        if not self.events:
            await anyio.sleep_forever()
        return self.events.pop(0)

    async def send(self, message: Any) -> None:
        pass

    def socket(self) -> AsgiSocket:
        return AsgiSocket(WebSocket({"type": "websocket"}, self.receive, self.send))


async def test_a_close_reads_until_the_server_says_that_the_peer_is_gone() -> None:
    server = Server(MESSAGE, MESSAGE, DISCONNECT, MESSAGE)
    socket = server.socket()
    await socket.accept()
    await socket.close(1000, "", 0.5)
    assert server.events == [MESSAGE]
    assert anyio.current_time() == pytest.approx(0)


async def test_a_peer_that_does_not_answer_is_waited_for_until_the_deadline() -> None:
    server = Server(MESSAGE)
    socket = server.socket()
    await socket.accept()
    await socket.close(1000, "", 0.5)
    assert server.events == []
    assert anyio.current_time() == pytest.approx(0.5)


async def test_nothing_is_read_after_the_disconnect() -> None:
    server = Server(DISCONNECT, MESSAGE)
    socket = server.socket()
    await socket.accept()
    with pytest.raises(PeerGoneError):
        socket.message(await socket.receive())
    await socket.close(1000, "", 0.5)
    assert server.events == [MESSAGE]


async def test_nothing_is_read_while_another_reads() -> None:
    server = Server()
    socket = server.socket()
    await socket.accept()
    socket.is_receiving = True
    await socket.close(1000, "", 0.5)
    assert anyio.current_time() == pytest.approx(0)


async def test_nothing_is_read_of_a_peer_that_was_refused() -> None:
    server = Server(MESSAGE)
    await server.socket().close(1000, "", 0.5)
    assert server.events == [{"type": "websocket.connect"}, MESSAGE]
