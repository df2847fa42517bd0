"""The block around an app: wsframes.testing.app_run, as `MemoryPeer` uses it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING
from weakref import ref

import anyio
import pytest

from wsframes.testing import (
    HYPERCORN_TRIO,
    ClientDisconnected,
    MemoryPeer,
    PeerClosed,
    PeerDenied,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wsframes.testing.app_run import Receive, Scope, Send

HOUR_S = 3600.0


class Odd(Exception):
    pass


async def accept(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    await accept(receive, send)
    await receive()
    raise Odd("from the app")


async def polite(scope: Scope, receive: Receive, send: Send) -> None:
    await accept(receive, send)
    assert await receive() == {"type": "websocket.disconnect", "code": 1000, "reason": ""}


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    await accept(receive, send)
    await anyio.sleep_forever()


async def run_block(peer: MemoryPeer, *steps: Callable[[], Awaitable[object]]) -> None:
    async with peer:
        for step in steps:
            await step()


# --- scope


async def test_scope() -> None:
    peer = MemoryPeer(
        polite,
        "/a%20b?token=1",
        headers={"Origin": "http://x"},
        subprotocols=["one", "two"],
        scope={"client": ("10.0.0.1", 1)},
    )
    assert peer.scope == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("testserver", 80),
        "client": ("10.0.0.1", 1),
        "root_path": "",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"token=1",
        "headers": [(b"host", b"testserver"), (b"origin", b"http://x")],
        "subprotocols": ["one", "two"],
        "state": {},
        "extensions": {"websocket.http.response": {}},
    }


async def test_scope_from_parts() -> None:
    peer = MemoryPeer(polite, query_string="x=2", headers=[("Host", "me"), ("X-A", "1")])
    assert peer.scope["query_string"] == b"x=2"
    assert peer.scope["headers"] == [(b"host", b"me"), (b"x-a", b"1")]


# --- the end of the block


async def test_the_peer_closes_at_the_end_and_the_app_finishes_by_itself() -> None:
    async with MemoryPeer(polite) as peer:
        await peer.connect()
        assert not peer.app.finished.is_set()
    assert peer.app.finished.is_set()
    assert not peer.app.cancelled
    assert anyio.current_time() == 0.0


async def test_an_app_that_stays_is_cancelled_at_its_bound() -> None:
    async with MemoryPeer(deaf) as peer:
        await peer.connect()
    assert peer.app.cancelled
    assert anyio.current_time() == pytest.approx(5.0)

    async with MemoryPeer(deaf, exit_timeout_s=1.0) as peer:
        await peer.connect()
    assert peer.app.cancelled
    assert anyio.current_time() == pytest.approx(6.0)


async def test_an_app_that_finishes_too_late_counts_as_cancelled() -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        with anyio.CancelScope(shield=True):
            await anyio.sleep(7)

    async with MemoryPeer(late) as peer:
        await peer.connect()
    assert peer.app.cancelled
    assert anyio.current_time() == pytest.approx(7.0)


async def test_an_app_may_take_its_time_within_the_bound() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await polite(scope, receive, send)
        await anyio.sleep(4)

    async with MemoryPeer(slow) as peer:
        await peer.connect()
    assert not peer.app.cancelled
    assert anyio.current_time() == pytest.approx(4.0)


async def test_a_send_that_cannot_be_cancelled_is_released_at_the_end() -> None:
    sent = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        while True:
            await send({"type": "websocket.send", "bytes": bytes(100)})
            sent.append(anyio.current_time())

    async with MemoryPeer(app, profile=HYPERCORN_TRIO, send_buffer_bytes=50) as peer:
        peer.stall()
        await peer.connect()
        await anyio.sleep(HOUR_S)
        assert peer.statistics().blocked_sends == 1
        peer.vanish()
    assert sent == pytest.approx([HOUR_S + 5.0])
    assert peer.app.cancelled
    assert peer.statistics().blocked_sends == 0
    assert peer.statistics().to_peer.lost == (1, 100)


async def test_a_block_that_raises_does_not_wait_for_the_app() -> None:
    async def fail() -> None:
        raise Odd("from the block")

    peer = MemoryPeer(deaf)
    with pytest.raises(Odd, match="from the block"):
        await run_block(peer, peer.connect, fail)
    assert peer.app.cancelled
    assert anyio.current_time() == 0.0


async def test_a_cancelled_block_ends_at_once_and_stays_cancelled() -> None:
    with anyio.move_on_after(1) as scope:
        async with MemoryPeer(deaf) as peer:
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert peer.app.cancelled
    assert anyio.current_time() == pytest.approx(1.0)


async def test_a_block_can_be_cancelled_while_it_waits_for_the_app() -> None:
    with anyio.move_on_after(1) as scope:
        async with MemoryPeer(deaf) as peer:
            await peer.connect()
    assert scope.cancelled_caught
    assert peer.app.cancelled
    assert anyio.current_time() == pytest.approx(1.0)


async def test_nothing_is_left_afterwards() -> None:
    tasks = len(anyio.get_running_tasks())

    class App:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await accept(receive, send)
            await anyio.sleep_forever()

    async def session() -> ref[App]:
        app = App()
        async with MemoryPeer(app) as peer:
            peer.read_rate(1.0)
            await peer.connect()
        return ref(app)

    app = await session()
    assert len(anyio.get_running_tasks()) == tasks
    gc.collect()
    await settle()
    assert app() is None


# --- errors


async def test_the_apps_error_is_raised_at_the_end() -> None:
    peer = MemoryPeer(failing)
    with pytest.raises(Odd, match="from the app"):
        await run_block(peer, lambda: peer.send("go"), peer.app.finished.wait)


async def test_the_apps_error_can_be_kept() -> None:
    async with MemoryPeer(failing, raise_app_error=False) as peer:
        await peer.send("go")
        assert await peer.wait_closed() == (1006, "")
    assert isinstance(peer.app.error, Odd)
    assert not peer.app.cancelled


async def test_an_app_that_meets_a_gone_peer_is_no_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await receive()
        await send({"type": "websocket.send", "text": "too late"})

    async with MemoryPeer(app) as peer:
        await peer.connect()
    assert isinstance(peer.app.error, ClientDisconnected)
    assert peer.statistics().sends_after_close == 1


@pytest.mark.parametrize("consequence", [PeerClosed, PeerDenied])
async def test_what_the_peer_saw_of_the_error_becomes_its_cause(
    consequence: type[Exception],
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if consequence is PeerDenied:
            raise Odd("from the app")
        await failing(scope, receive, send)

    peer = MemoryPeer(app)
    with pytest.raises(Odd, match="from the app") as raised:
        await run_block(peer, lambda: peer.send("go"), peer.receive)
    assert isinstance(raised.value.__cause__, consequence)


async def test_an_error_of_the_block_goes_first_and_tells_of_the_apps() -> None:
    async def fail() -> None:
        raise LookupError

    peer = MemoryPeer(failing)
    with pytest.raises(LookupError) as raised:
        await run_block(peer, lambda: peer.send("go"), peer.app.finished.wait, fail)
    assert raised.value.__notes__ == ["The app had raised Odd('from the app')"]


@pytest.mark.parametrize("outcome", [pytest.fail, pytest.skip, pytest.xfail])
async def test_what_pytest_raises_in_the_block_is_raised_as_it_is(
    outcome: Callable[[str], object],
) -> None:
    async def end() -> None:
        outcome("so be it")

    peer = MemoryPeer(failing)
    with pytest.raises(outcome.Exception, match="so be it") as raised:  # type: ignore[attr-defined]
        await run_block(peer, lambda: peer.send("go"), peer.app.finished.wait, end)
    assert raised.value.__notes__ == ["The app had raised Odd('from the app')"]


async def test_peer_closed_without_an_error_of_the_app_is_raised_as_it_is() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await send({"type": "websocket.close", "code": 4000, "reason": "done"})

    peer = MemoryPeer(app)
    with pytest.raises(PeerClosed) as raised:
        await run_block(peer, peer.receive)
    assert (raised.value.code, raised.value.reason) == (4000, "done")


async def test_what_is_no_exception_is_not_kept_for_later() -> None:
    class Halt(BaseException):
        pass

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise Halt

    with pytest.raises(BaseExceptionGroup) as raised:
        await run_block(MemoryPeer(app), anyio.sleep_forever)
    assert raised.value.subgroup(Halt)
