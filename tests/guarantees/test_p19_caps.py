"""P19: caps on sessions, in all and for each key; over the cap 503, or 1013 once accepted."""

from collections.abc import Callable

import anyio
from starlette.websockets import WebSocket

from tests.transport.test_app import app_of
from wsframes.testing import MemoryPeer, PeerDenied

Figure = Callable[[str, str], None]

CONNECTIONS = 60


async def test_caps_hold_under_a_rush(figure: Figure) -> None:
    """P19: exact, though all of them come at once and wait to be authorized."""

    async def authorize(websocket: WebSocket) -> bool:
        await anyio.sleep(0.1)
        return True

    app = app_of(
        authorize=authorize,
        max_sessions=30,
        max_sessions_per_key=4,
        session_key=lambda websocket: websocket.query_params["user"],
    )
    let_in: list[str] = []
    refused: list[int | None] = []
    most = 0

    async def connect(user: str) -> None:
        nonlocal most
        async with MemoryPeer(app, f"/?user={user}") as peer:
            try:
                await peer.connect()
            except PeerDenied as denied:
                refused.append(denied.status)
            else:
                let_in.append(user)
                most = max(most, app.statistics().running)
                await anyio.sleep(1)

    async with anyio.create_task_group() as tasks:
        for number in range(CONNECTIONS):
            tasks.start_soon(connect, "abc"[number % 3])
    assert sorted(let_in) == sorted("abc" * 4)
    assert refused == [503] * (CONNECTIONS - len(let_in))
    statistics = app.statistics()
    assert (statistics.running, statistics.accepted) == (0, len(let_in))
    assert statistics.refused == {"max_sessions": 30, "max_sessions_per_key": 18}
    await connect("a")  # the places are free again
    assert statistics.accepted + 1 == app.statistics().accepted
    figure("P19", f"{CONNECTIONS} at once, 4 for each of 3 keys: {len(let_in)} let in, rest 503")


async def test_one_that_was_accepted_already_is_closed_with_1013() -> None:
    """P19: where `authorize` has accepted it to ask for a token."""

    async def ask(websocket: WebSocket) -> bool:
        await websocket.accept()
        return await websocket.receive_text() == "token"

    app = app_of(authorize=ask, max_sessions_per_key=1)
    async with MemoryPeer(app) as one:
        await one.send("token")
        await one.send(bytes(1280))
        await one.receive()
        async with MemoryPeer(app) as two:
            await two.send("token")
            assert await two.wait_closed() == (1013, "too many sessions")
