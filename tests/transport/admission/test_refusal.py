"""`wsframes.transport.admission.refusal`: what who is not let in is told, and how briefly."""

from collections import Counter
from typing import Any

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.websockets import WebSocket

from wsframes.graph.failures import FailureLog
from wsframes.transport.admission.refusal import (
    DRAINING,
    MAX_SESSIONS,
    MAX_SESSIONS_PER_KEY,
    NOT_AUTHORIZED,
    NOT_BUILT,
    OVERLOAD,
    Refusal,
    Refusals,
    Texts,
)

TEXTS = 10

EVERY = [NOT_AUTHORIZED, NOT_BUILT, DRAINING, OVERLOAD, MAX_SESSIONS, MAX_SESSIONS_PER_KEY]
DENIAL: dict[str, Any] = {"websocket.http.response": {}}


def refusals() -> Refusals:
    return Refusals(Counter(), FailureLog())


async def tell(to: Refusals, refusal: Refusal, extensions: Any = DENIAL) -> list[Any]:
    """What the server is handed."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "headers": [], "extensions": extensions}
    nothing: Any = anyio.sleep_forever
    await to.refuse(WebSocket(scope, nothing, send), refusal)
    return sent


async def status_and_body(to: Refusals, refusal: Refusal) -> tuple[int, bytes]:
    start, body = await tell(to, refusal)
    assert (start["type"], body["type"]) == (
        "websocket.http.response.start",
        "websocket.http.response.body",
    )
    assert (b"content-length", str(len(body["body"])).encode()) in start["headers"]
    assert not body.get("more_body", False)
    return start["status"], body["body"]


@pytest.mark.parametrize("refusal", EVERY)
async def test_it_says_why(refusal: Refusal) -> None:
    assert await status_and_body(refusals(), refusal) == (
        refusal.status,
        refusal.text.encode() + b"\n",
    )


@pytest.mark.parametrize("refusal", EVERY)
async def test_in_a_storm_it_gives_the_status_alone(refusal: Refusal) -> None:
    """P18: as few messages as the server can make that status of."""
    to = refusals()
    for _ in range(TEXTS):
        await tell(to, NOT_AUTHORIZED)
    if refusal.status == 403:
        assert [message["type"] for message in await tell(to, refusal)] == ["websocket.close"]
    else:
        assert await status_and_body(to, refusal) == (refusal.status, b"")
    await anyio.sleep(1)
    assert await status_and_body(to, refusal) == (refusal.status, refusal.text.encode() + b"\n")


@pytest.mark.parametrize("refusal", EVERY)
@pytest.mark.parametrize("extensions", [{}, None])
async def test_where_the_server_can_send_no_status(refusal: Refusal, extensions: Any) -> None:
    (message,) = await tell(refusals(), refusal, extensions)
    assert message["type"] == "websocket.close"


@example(gaps_ms=[0] * 30)
@given(gaps_ms=st.lists(st.integers(0, 400), max_size=80))
def test_ten_in_a_second(gaps_ms: list[int]) -> None:
    """Never more than twenty in any second, and none goes without that a second had no other."""
    texts = Texts()
    now_ms = 0
    asked, given_ms = [], []
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        asked.append(now_ms)
        if texts.take(now_ms / 1000):
            given_ms.append(now_ms)
    for at_ms in asked:
        assert any(abs(at_ms - other_ms) <= 1000 for other_ms in given_ms)
        assert sum(at_ms <= other_ms < at_ms + 1000 for other_ms in given_ms) <= 2 * TEXTS
