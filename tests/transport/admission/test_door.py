"""`wsframes.transport.admission.door`: what is asked first, and who has a place until when."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocket

from wsframes.graph.failures import FailureLog
from wsframes.transport.admission.authorization import Authorization
from wsframes.transport.admission.door import Door
from wsframes.transport.admission.places import Places
from wsframes.transport.admission.refusal import Refusals

Send = Callable[[Any], Awaitable[None]]


async def _send(message: Any) -> None:
    """Takes everything."""


def websocket() -> WebSocket:
    nothing: Any = anyio.sleep_forever
    return WebSocket({"type": "websocket", "headers": [], "path": "/"}, nothing, _send)


class House:
    """A door, with everything that can keep somebody out.

    Attributes:
        draining: nobody is let in.
        busy: the event loop has no time.
        allows: what the application says.
        key: of the next one.
    """

    def __init__(self, most: int = 1, most_per_key: int | None = None) -> None:
        self.refused: Counter[str] = Counter()
        self.asked = 0
        self.draining = self.busy = False
        self.allows = True
        self.key: str | Exception = "key"
        self.in_it = 0
        failures = FailureLog()
        self.door = Door(
            ["https://example.org"],
            Authorization(self._authorize, 5.0, failures),
            Places(most, most_per_key),
            self._session_key,
            Refusals(self.refused, failures),
            is_draining=lambda: self.draining,
            admits=lambda: not self.busy,
        )

    def _authorize(self, _: WebSocket) -> bool:
        self.asked += 1
        return self.allows

    def _session_key(self, _: WebSocket) -> str:
        if isinstance(self.key, Exception):
            raise self.key
        return self.key

    async def stay(self, _: WebSocket) -> None:
        self.in_it += 1
        try:
            await anyio.sleep(1)
        finally:
            self.in_it -= 1

    async def come(self, one: WebSocket | None = None) -> None:
        await self.door.let_in(one or websocket(), self.stay)


async def test_who_is_let_in_has_a_place_until_it_is_over() -> None:
    house = House()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.come)
        await anyio.sleep(0.5)
        await house.come()
        assert (house.in_it, house.refused) == (1, {"max_sessions": 1})
    await house.come()
    assert house.refused == {"max_sessions": 1}


async def test_what_costs_least_is_asked_first() -> None:
    house = House(most=0)
    house.draining = house.busy = True
    house.allows = False
    stranger = websocket()
    stranger.scope["headers"] = [(b"origin", b"https://elsewhere.org")]
    await house.come(stranger)
    await house.come()
    house.draining = False
    await house.come()
    house.busy = False
    await house.come()
    assert list(house.refused) == ["origin", "draining", "overload", "max_sessions"]
    assert house.asked == 0


@pytest.mark.parametrize("reason", ["authorize", "build", "max_sessions_per_key"])
async def test_who_is_refused_later_gives_the_place_back(reason: str) -> None:
    house = House(most=1, most_per_key=0 if reason == "max_sessions_per_key" else 1)
    house.allows = reason != "authorize"
    if reason == "build":
        house.key = ValueError("no key")
    for _ in range(2):
        await house.come()
    assert house.refused == {reason: 2}
