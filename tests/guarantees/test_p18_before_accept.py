"""P18: origin and authorization before accept; refusing costs next to nothing."""

import gc
import tracemalloc
from collections.abc import Callable

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.guarantees.scale import scaled
from tests.transport.test_app import app_of, denies, serves
from wsframes.testing import MemoryPeer, PeerDenied

Figure = Callable[[str, str], None]

REFUSED = scaled(1000, 10_000)


async def test_who_is_refused_starts_nothing(figure: Figure) -> None:
    """P18: 403 before accept, within 5 s, and no processor."""
    built: list[object] = []

    async def hang(websocket: WebSocket) -> None:
        await anyio.sleep_forever()

    app = app_of(built.append, authorize=hang)
    assert await denies(app) == (403, b"not authorized\n")
    assert anyio.current_time() == pytest.approx(5.0)
    evil = {"Origin": "https://evil.example"}
    assert await denies(app, headers=evil) == (403, b"the origin is not allowed\n")
    assert anyio.current_time() == pytest.approx(5.0)
    assert built == []
    figure("P18", "an authorize that hangs refused after 5.0 s, a foreign origin after 0.0 s")


async def test_a_storm_of_refused_connections(figure: Figure, quiet: None) -> None:
    """P18: it leaves no memory behind, and a session that runs goes on as before."""

    async def authorize(websocket: WebSocket) -> bool:
        await anyio.sleep(0.001)
        if websocket.url.path == "/boom":
            raise LookupError("x" * 1000)
        return websocket.url.path == "/yes"

    app = app_of(authorize=authorize)
    late_s = 0.0
    async with MemoryPeer(app, "/yes") as peer:
        await peer.send(bytes(1280))
        await peer.receive()

        async def storm() -> None:
            for number in range(REFUSED):
                async with MemoryPeer(app, ("/no", "/boom")[number % 2]) as stranger:
                    with pytest.raises(PeerDenied):
                        await stranger.connect()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(storm)
            for _ in range(50):
                begun_s = anyio.current_time()
                await peer.send(bytes(1280))
                await peer.receive()
                late_s = max(late_s, anyio.current_time() - begun_s)
                await anyio.sleep(0.02)
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(REFUSED // 5):
                assert (await denies(app, path=f"/no{number}"))[0] == 403
            gc.collect()
            left = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert left < 400_000  # what trio keeps of timers that are over, for a while
    assert late_s <= 0.04 + 0.005  # the echo's own chunk, and 5 ms
    assert app.statistics().refused == {"authorize": REFUSED + REFUSED // 5}
    await serves(app, path="/yes")
    figure(
        "P18",
        f"{REFUSED} refused connections: at most {1000 * late_s:.0f} ms for an echo beside them, "
        f"{left} bytes kept of {REFUSED // 5}",
    )
