"""wsframes.testing.faults"""

from contextlib import suppress
from typing import Any

import anyio
import pytest

from wsframes.testing import FailingSends, MemoryPeer, PeerClosed


class Teller:
    """Accepts, tells, closes; notes what failed, and goes on."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in (
            {"type": "websocket.accept"},
            {"type": "websocket.send", "text": "one"},
            {"type": "websocket.send", "text": "two"},
            {"type": "websocket.close"},
        ):
            try:
                with anyio.fail_after(1):
                    await send(message)
            except Exception as exc:
                self.failures.append(f"{message['type']} {type(exc).__name__}")


async def tell(app: FailingSends) -> list[object]:
    async with MemoryPeer(app) as peer:
        with suppress(PeerClosed):
            while True:
                await peer.receive()
    return [message.data for message in peer.received]


async def test_all_from_one_on_fail() -> None:
    teller = Teller()
    app = FailingSends(teller, 2)
    assert await tell(app) == []
    assert teller.failures == [
        "websocket.send OSError",
        "websocket.send OSError",
        "websocket.close OSError",
    ]
    assert app.sends == {"websocket.accept": 1, "websocket.send": 2, "websocket.close": 1}
    assert [message.get("text") for message in app.failed] == ["one", "two", None]


async def test_one_fails_and_the_next_go_through() -> None:
    teller = Teller()
    app = FailingSends(teller, 2, "raises once", lambda: RuntimeError("as it was told"))
    assert await tell(app) == ["two"]
    assert teller.failures == ["websocket.send RuntimeError"]
    assert len(app.failed) == 1


async def test_they_hang_until_they_are_cancelled() -> None:
    teller = Teller()
    app = FailingSends(teller, 3, "hangs")
    begun_s = anyio.current_time()
    assert await tell(app) == ["one"]
    assert teller.failures == ["websocket.send TimeoutError", "websocket.close TimeoutError"]
    assert app.failed_s == begun_s
    assert anyio.current_time() - begun_s == pytest.approx(2)


async def test_a_number_that_never_comes() -> None:
    teller = Teller()
    app = FailingSends(teller, 9)
    assert await tell(app) == ["one", "two"]
    assert teller.failures == []
    assert app.failed == []
    assert app.failed_s is None
