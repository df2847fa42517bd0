"""The peer's end of a connection in memory: wsframes.testing.peer."""

from __future__ import annotations

from contextlib import suppress
from math import inf, nan
from typing import TYPE_CHECKING, Any, Literal

import anyio
import anyio.lowlevel
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsframes.testing import (
    ANYCORN,
    HYPERCORN,
    HYPERCORN_TRIO,
    PROFILES,
    Amount,
    FlowStatistics,
    MemoryPeer,
    PeerClosed,
    PeerDenied,
    ServerProfile,
    UnexpectedMessage,
    run_virtual,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from wsframes.testing.app_run import ASGIApp, Message, Receive, Scope, Send

HOUR_S = 3600.0

every_profile = pytest.mark.parametrize("profile", PROFILES)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    async for event in messages(receive):
        await send({**event, "type": "websocket.send"})


def app_that(does: Callable[[Receive, Send], Awaitable[None]]) -> ASGIApp:
    """An app that accepts and then ``does``."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await does(receive, send)

    return app


async def messages(receive: Receive) -> AsyncIterator[Message]:
    while (event := await receive())["type"] != "websocket.disconnect":
        yield event


def app_sending(*messages: dict[str, Any]) -> ASGIApp:
    """An app that sends these, accepted or not, and waits."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)
        await receive()

    return app


@app_that
async def wait_for_disconnect(receive: Receive, send: Send) -> None:
    async for _ in messages(receive):
        pass


@app_that
async def never_receive(receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


@app_that
async def send_a_hundred(receive: Receive, send: Send) -> None:
    for number in range(100):
        await send({"type": "websocket.send", "bytes": bytes([number]) * 100})
    await receive()


# --- behaving


@every_profile
async def test_messages_go_both_ways_in_order(profile: ServerProfile) -> None:
    async with MemoryPeer(echo, profile=profile) as peer:
        for number in range(50):
            await peer.send(f"text {number}")
            await peer.send(bytes([number]))
        assert [await peer.receive() for _ in range(100)] == [
            data for number in range(50) for data in (f"text {number}", bytes([number]))
        ]
        assert [message.time_s for message in peer.received] == [0.0] * 100
    statistics = peer.statistics()
    for flow in (statistics.to_app, statistics.to_peer):
        assert flow.offered == flow.delivered
        assert flow.offered.messages == 100
        assert flow.waiting == flow.lost == (0, 0)


async def test_received_has_the_times() -> None:
    @app_that
    async def tick(receive: Receive, send: Send) -> None:
        for number in range(3):
            await anyio.sleep(10)
            await send({"type": "websocket.send", "text": str(number)})
        await receive()

    async with MemoryPeer(tick) as peer:
        assert [await peer.receive(), await peer.receive()] == ["0", "1"]
        await anyio.sleep(100)
        assert peer.received == [(10.0, "0"), (20.0, "1"), (30.0, "2")]


async def test_iterating_ends_with_the_connection() -> None:
    app = app_sending(
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "one"},
        {"type": "websocket.send", "bytes": b"two"},
        {"type": "websocket.close", "code": 4000},
    )
    async with MemoryPeer(app) as peer:
        assert [message async for message in peer] == ["one", b"two"]
        with pytest.raises(PeerClosed, match="4000"):
            await peer.receive()
        assert await peer.wait_closed() == (4000, "")


async def test_wait_closed_waits_for_the_app_and_for_what_comes_before_the_close() -> None:
    @app_that
    async def app(receive: Receive, send: Send) -> None:
        await anyio.sleep(10)
        await send({"type": "websocket.send", "bytes": bytes(100)})
        await send({"type": "websocket.close", "code": 4000})

    async with MemoryPeer(app) as peer:
        peer.read_rate(10.0)
        assert await peer.wait_closed() == (4000, "")
        assert anyio.current_time() == pytest.approx(20)


async def test_only_the_latest_messages_are_kept_where_wanted() -> None:
    async with MemoryPeer(send_a_hundred, keep_received=10) as peer:
        assert await peer.receive() == bytes([90]) * 100
        assert len(peer.received) == 10
        assert [(await peer.receive())[0] for _ in range(9)] == list(range(91, 100))
        assert peer.statistics().to_peer.delivered == (100, 10000)


async def test_cancelling_loses_nothing() -> None:
    async with MemoryPeer(echo) as peer:
        await peer.connect()
        for calling in (lambda: peer.send("lost"), peer.receive):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await calling()
        await peer.send("kept")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await peer.receive()
        assert await peer.receive() == "kept"
        assert peer.statistics().to_app.offered == (1, 4)


@every_profile
async def test_send_waits_while_the_apps_buffer_is_full(profile: ServerProfile) -> None:
    take = anyio.Event()

    @app_that
    async def slow(receive: Receive, send: Send) -> None:
        await take.wait()
        async for _ in messages(receive):
            await anyio.sleep(1)

    async with MemoryPeer(slow, profile=profile) as peer:
        for _ in range(16):
            await peer.send(b"x")
        assert peer.statistics().to_app.waiting == (16, 16)
        with pytest.raises(anyio.WouldBlock):
            peer.send_nowait(b"x")
        with anyio.move_on_after(HOUR_S) as scope:
            await peer.send(b"x")
        assert scope.cancelled_caught
        assert peer.statistics().to_app.offered == (16, 16)

        take.set()
        await peer.send(b"y")
        assert anyio.current_time() == HOUR_S
        await peer.send(b"y")
        assert anyio.current_time() == pytest.approx(HOUR_S + 1)
        peer.half_close()
        await peer.app.finished.wait()


async def test_the_apps_buffer_is_bounded_in_bytes_too() -> None:
    async with MemoryPeer(never_receive, receive_buffer_bytes=1000) as peer:
        await peer.connect()
        peer.send_nowait(bytes(999))
        peer.send_nowait(bytes(5000))
        with pytest.raises(anyio.WouldBlock):
            peer.send_nowait(b"")


async def test_wrong_calls_are_named() -> None:
    async with MemoryPeer(echo) as peer:
        with pytest.raises(anyio.WouldBlock):
            peer.send_nowait("before the accept")
        with pytest.raises(TypeError, match="bytearray"):
            await peer.send(bytearray(3))  # type: ignore[arg-type]
        for rate in (0, -1, nan):
            with pytest.raises(ValueError, match="stall"):
                peer.read_rate(rate)
        peer.close()
        with pytest.raises(RuntimeError, match="closed"):
            await peer.send("after the close")


async def test_a_peer_is_used_in_its_block() -> None:
    peer = MemoryPeer(echo)
    waits: list[Callable[[], Awaitable[object]]] = [
        peer.connect,
        lambda: peer.send("too early"),
        peer.receive,
        peer.wait_closed,
    ]
    for wait in waits:
        with pytest.raises(RuntimeError, match="async with MemoryPeer"):
            await wait()
    async with peer:
        await peer.send("in time")
        assert await peer.receive() == "in time"
    with pytest.raises(RuntimeError, match="make another one"):
        await peer.__aenter__()
    assert (await peer.wait_closed()).code == 1000
    assert [message.data for message in peer.received] == ["in time"]


@pytest.mark.parametrize("keep", [0, -1])
def test_a_peer_keeps_one_message_at_least(keep: int) -> None:
    with pytest.raises(ValueError, match=f"keep_received is {keep}: at least 1"):
        MemoryPeer(echo, keep_received=keep)


# --- the handshake


async def test_accept_with_a_subprotocol_and_headers() -> None:
    app = app_sending(
        {"type": "websocket.accept", "subprotocol": "two", "headers": [(b"x-a", b"1")]}
    )
    async with MemoryPeer(app, subprotocols=["one", "two"]) as peer:
        assert not peer.accepted
        await peer.connect()
        assert peer.accepted
        assert peer.denied_status is None
        assert peer.handshake.subprotocol == "two"
        assert peer.handshake.headers == [(b"x-a", b"1")]
        assert peer.handshake.status == 101


async def test_what_is_sent_waits_for_the_accept() -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep(10)
        await echo(scope, receive, send)

    async with MemoryPeer(late) as peer:
        await peer.send("hello")
        assert anyio.current_time() == pytest.approx(10)
        assert await peer.receive() == "hello"


@every_profile
async def test_close_before_accept_is_a_403(profile: ServerProfile) -> None:
    events = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close"})
        with pytest.raises(RuntimeError):
            await send({"type": "websocket.accept"})
        events.append(await receive())

    async with MemoryPeer(app, profile=profile) as peer:
        with pytest.raises(PeerDenied) as raised:
            await peer.connect()
        await peer.app.finished.wait()
        with pytest.raises(PeerDenied):
            await peer.receive()
        assert await peer.wait_closed() == (1006, "")
    assert raised.value.status == peer.denied_status == 403
    assert raised.value.body == b""
    assert events == [{"type": "websocket.disconnect", "code": 1006}]


async def test_denial_with_a_response() -> None:
    app = app_sending(
        {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x", b"y")]},
        {"type": "websocket.http.response.body", "body": b"not ", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"you"},
    )
    async with MemoryPeer(app) as peer:
        with pytest.raises(PeerDenied) as raised:
            await peer.send("hello")
    assert (raised.value.status, raised.value.body) == (401, b"not you")
    assert raised.value.headers == [(b"x", b"y")]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_app_that_ends_before_accept_is_a_500(fails: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if fails:
            raise LookupError

    async with MemoryPeer(app, raise_app_error=False) as peer:
        with pytest.raises(PeerDenied, match="500"):
            await peer.connect()
    assert isinstance(peer.app.error, LookupError) is fails


# --- misbehaving


@every_profile
async def test_a_stalled_peer_stops_the_app_and_loses_nothing(profile: ServerProfile) -> None:
    async with MemoryPeer(send_a_hundred, profile=profile, send_buffer_bytes=1000) as peer:
        peer.stall()
        await peer.connect()
        await anyio.sleep(HOUR_S)
        statistics = peer.statistics()
        assert statistics.to_peer.waiting == (11, 1100)
        assert statistics.blocked_sends == 1
        assert peer.received == []

        peer.resume()
        assert [(await peer.receive())[0] for _ in range(100)] == list(range(100))
        assert {message.time_s for message in peer.received} == {HOUR_S}


async def test_the_default_buffer_is_64_kib() -> None:
    @app_that
    async def flood(receive: Receive, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "bytes": bytes(1024)})

    async with MemoryPeer(flood, exit_timeout_s=0, raise_app_error=False) as peer:
        peer.stall()
        await anyio.sleep(1)
        assert peer.statistics().to_peer.waiting == (65, 65 * 1024)


@every_profile
async def test_a_slow_peer_reads_at_its_rate(profile: ServerProfile) -> None:
    async with MemoryPeer(send_a_hundred, profile=profile, send_buffer_bytes=1000) as peer:
        peer.read_rate(50.0)
        await peer.connect()
        messages = [await peer.receive() for _ in range(100)]
        assert [message[0] for message in messages] == list(range(100))
        times_s = [message.time_s for message in peer.received]
        assert times_s == pytest.approx([2.0 * (number + 1) for number in range(100)])
        assert anyio.current_time() == pytest.approx(200)


async def test_a_slow_peer_slows_the_app_down() -> None:
    sent_s = []

    @app_that
    async def app(receive: Receive, send: Send) -> None:
        for _ in range(4):
            await send({"type": "websocket.send", "bytes": bytes(1000)})
            sent_s.append(anyio.current_time())
        await receive()

    async with MemoryPeer(app, send_buffer_bytes=500) as peer:
        peer.read_rate(100.0)
        await anyio.sleep(HOUR_S)
    # Each one but the first waits until no more than 500 bytes are on their way.
    assert sent_s == pytest.approx([0.0, 5.0, 15.0, 25.0])


async def test_stall_and_rate_changes_while_a_message_is_being_read() -> None:
    app = app_sending({"type": "websocket.accept"}, {"type": "websocket.send", "bytes": bytes(100)})
    async with MemoryPeer(app) as peer:
        peer.read_rate(10.0)  # 100 bytes: 10 s
        await anyio.sleep(2)  # 20 read
        peer.stall()
        await anyio.sleep(HOUR_S)
        peer.resume()  # at the old rate
        await anyio.sleep(3)  # 50 read
        peer.read_rate(50.0)  # 1 s more
        await peer.receive()
        assert anyio.current_time() == pytest.approx(HOUR_S + 6)

        peer.read_rate(1.0)
        peer.read_rate(inf)
        assert peer.statistics().to_peer.waiting == (0, 0)


async def test_a_peer_that_waits_is_woken_by_a_faster_rate() -> None:
    app = app_sending({"type": "websocket.accept"}, {"type": "websocket.send", "bytes": bytes(100)})
    async with MemoryPeer(app) as peer, anyio.create_task_group() as tasks:
        peer.read_rate(0.001)

        async def hurry() -> None:
            await anyio.sleep(10)
            peer.read_rate(inf)

        tasks.start_soon(hurry)
        await peer.receive()
        assert anyio.current_time() == pytest.approx(10)


@every_profile
async def test_half_close(profile: ServerProfile) -> None:
    async with MemoryPeer(wait_for_disconnect, profile=profile) as peer:
        await peer.send("before")
        peer.half_close()
        with pytest.raises(RuntimeError, match="half-closed"):
            await peer.send("after")
        await peer.app.finished.wait()
        assert await peer.wait_closed() == (1006, "")
    assert peer.statistics().to_app.delivered == (1, 6)


async def test_a_half_closed_peer_reads_on() -> None:
    async with MemoryPeer(send_a_hundred) as peer:
        await peer.connect()
        peer.stall()
        await settle()
        peer.half_close()
        peer.resume()
        assert len([message async for message in peer]) == 100


@every_profile
async def test_reset_loses_what_was_on_its_way(profile: ServerProfile) -> None:
    async with MemoryPeer(
        send_a_hundred, profile=profile, send_buffer_bytes=1000, raise_app_error=False
    ) as peer:
        peer.stall()
        await peer.connect()
        await settle()
        peer.reset()
        with pytest.raises(PeerClosed, match="1006"):
            await peer.receive()
        with pytest.raises(RuntimeError, match="reset"):
            await peer.send("after")
        await peer.app.finished.wait()
        statistics = peer.statistics()
    assert statistics.to_peer.lost == (11, 1100)
    assert statistics.to_peer.delivered == (0, 0)
    # The rest was sent to no one, and one exception or no exception told the app.
    assert statistics.sends_after_close == (0 if peer.app.error else 89)
    assert isinstance(peer.app.error, OSError | None)


@every_profile
async def test_a_vanished_peer_is_not_noticed(profile: ServerProfile) -> None:
    async with MemoryPeer(echo, profile=profile) as peer:
        await peer.send("before")
        assert await peer.receive() == "before"
        peer.vanish()
        await peer.send("into the void")
        await anyio.sleep(HOUR_S)
        assert not peer.app.finished.is_set()
        with pytest.raises(PeerClosed, match="1006"):
            await peer.receive()
        assert await peer.wait_closed() == (1006, "")
    assert peer.app.cancelled
    assert peer.statistics().to_app.lost == (1, 13)


async def test_a_vanished_peer_fills_the_buffer_and_does_nothing_more() -> None:
    @app_that
    async def app(receive: Receive, send: Send) -> None:
        await receive()
        while True:
            await send({"type": "websocket.send", "bytes": bytes(100)})

    async with MemoryPeer(app, send_buffer_bytes=1000) as peer:
        await peer.send("go")
        peer.vanish()
        for doing in (
            peer.resume,
            peer.close,
            peer.half_close,
            peer.reset,
            lambda: peer.read_rate(inf),
        ):
            with pytest.raises(RuntimeError, match="vanished"):
                doing()
        peer.stall()
        await anyio.sleep(HOUR_S)
        assert peer.statistics().to_peer.waiting == (11, 1100)
        assert peer.statistics().blocked_sends == 1


async def test_vanishing_before_the_accept() -> None:
    async def undecided(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await receive()

    async with MemoryPeer(undecided) as peer:
        peer.vanish()
        with pytest.raises(PeerClosed):
            await peer.connect()
    assert peer.app.cancelled


@pytest.mark.parametrize("profile", [HYPERCORN_TRIO, ANYCORN])
async def test_a_send_that_cannot_be_cancelled_ends_with_the_block(profile: ServerProfile) -> None:
    @app_that
    async def app(receive: Receive, send: Send) -> None:
        with anyio.move_on_after(10):
            await send({"type": "websocket.send", "bytes": bytes(2)})
        await send({"type": "websocket.close"})  # goes nowhere

    async with MemoryPeer(app, profile=profile, send_buffer_bytes=1) as peer:
        peer.vanish()
        await anyio.sleep(HOUR_S)
        assert peer.statistics().blocked_sends == 1
    assert anyio.current_time() == pytest.approx(HOUR_S + 5)
    assert peer.statistics().blocked_sends == 0
    assert peer.app.cancelled


@every_profile
async def test_no_send_waits_for_room_once_the_app_has_ended(profile: ServerProfile) -> None:
    sends: list[Send] = []
    end = anyio.Event()

    @app_that
    async def app(receive: Receive, send: Send) -> None:
        sends.append(send)
        await end.wait()

    async def send(message: dict[str, Any]) -> None:
        with suppress(OSError, RuntimeError):
            await sends[0](message)

    async with MemoryPeer(app, profile=profile, send_buffer_bytes=1) as peer:
        peer.stall()
        await peer.connect()
        await settle()
        # These tasks outlive the app, so it is not the end of the block that frees them.
        async with anyio.create_task_group() as tasks:
            for message in (
                {"type": "websocket.send", "bytes": bytes(2)},
                {"type": "websocket.close"},
            ):
                tasks.start_soon(send, message)
                await settle()
            assert peer.statistics().blocked_sends > 0
            end.set()
            await settle()
            assert peer.statistics().blocked_sends == 0
        assert anyio.current_time() <= 20  # where the close waits for an answer


async def test_the_apps_close_to_a_vanished_peer_runs_out() -> None:
    events = []

    @app_that
    async def app(receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close"})
        events.extend([await receive(), await receive(), anyio.current_time()])

    async with MemoryPeer(app, exit_timeout_s=HOUR_S) as peer:
        await peer.send("go")
        peer.vanish()
    assert events == [
        {"type": "websocket.disconnect", "code": 1000, "reason": ""},
        {"type": "websocket.disconnect", "code": 1005},
        10.0,
    ]


async def test_lies() -> None:
    got = []
    lies: list[dict[str, Any]] = [
        {"type": "websocket.receive", "bytes": None, "text": None},
        {"type": "websocket.receive"},
        {"type": "websocket.disconnect"},
        {"type": "nonsense"},
    ]

    @app_that
    async def app(receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            got.append(event)
            if event == {"type": "websocket.disconnect", "code": 1000, "reason": ""}:
                return

    async with MemoryPeer(app) as peer:
        await peer.send("true")
        for lie in lies:
            peer.send_raw_event(lie)
        await peer.send("true again")
    assert got[1:5] == lies
    assert [event.get("text") for event in (got[0], got[5])] == ["true", "true again"]
    assert peer.statistics().to_app.offered == (2, 14)
    assert peer.statistics().receives_after_close == 0


async def test_a_close_goes_behind_what_was_sent() -> None:
    got = []

    @app_that
    async def app(receive: Receive, send: Send) -> None:
        await anyio.sleep(1)
        got.extend([(await receive())["type"] for _ in range(3)])

    async with MemoryPeer(app) as peer:
        await peer.send("one")
        await peer.send("two")
        peer.close(4001, "bye")
        peer.close(4002, "again")
        assert await peer.wait_closed() == (4001, "bye")
    assert got == ["websocket.receive", "websocket.receive", "websocket.disconnect"]


async def test_a_peer_that_closes_reads_what_is_on_its_way() -> None:
    async with MemoryPeer(send_a_hundred) as peer:
        await peer.connect()
        peer.read_rate(100.0)
        await settle()
        peer.close()
        assert len([message async for message in peer]) == 100
        assert anyio.current_time() <= 100
        assert await peer.wait_closed() == (1000, "")


async def test_what_is_sent_to_an_app_that_has_closed_is_lost() -> None:
    app = app_sending({"type": "websocket.accept"}, {"type": "websocket.close"})
    async with MemoryPeer(app) as peer:
        await peer.connect()
        peer.stall()
        await settle()
    async with MemoryPeer(app) as peer:
        peer.stall()
        await peer.send("too late")  # the peer can't know
        assert peer.statistics().to_app.lost == (1, 8)
        peer.resume()
        with pytest.raises(PeerClosed, match="1000"):
            await peer.send("it knows now")


async def test_a_send_that_waits_gives_up_when_the_app_closes() -> None:
    @app_that
    async def app(receive: Receive, send: Send) -> None:
        await anyio.sleep(10)
        await send({"type": "websocket.close"})

    async with MemoryPeer(app, receive_buffer_messages=1) as peer:
        await peer.send("one")
        with pytest.raises(PeerClosed, match="1000"):
            await peer.send("two")
        assert anyio.current_time() == pytest.approx(10)


async def test_faults_after_the_end_change_nothing() -> None:
    app = app_sending({"type": "websocket.accept"}, {"type": "websocket.close", "code": 4000})
    async with MemoryPeer(app) as peer:
        await peer.wait_closed()
        for fault in (peer.close, peer.half_close, peer.reset, peer.stall, peer.vanish):
            fault()
            assert await peer.wait_closed() == (4000, "")


async def test_hanging_up_before_the_accept() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        assert await receive() == {"type": "websocket.disconnect", "code": 1006}

    async with MemoryPeer(app) as peer:
        await settle()
    assert not peer.app.cancelled
    assert not peer.accepted


# --- any script


def assert_conserved(flow: FlowStatistics) -> None:
    total = [0, 0]
    for amount in (flow.delivered, flow.waiting, flow.lost):
        total[0] += amount.messages
        total[1] += amount.bytes
    assert flow.offered == tuple(total)


SIZES = st.integers(0, 400)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), SIZES),
        st.tuples(st.just("app sends"), SIZES),
        st.tuples(st.just("app receives"), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 100])),
        st.tuples(st.sampled_from(["stall", "resume", "rate"]), st.sampled_from([1, 30, 10**6])),
        st.tuples(
            st.sampled_from(["close", "half_close", "reset", "vanish", "app closes"]), st.just(0)
        ),
    ),
    max_size=25,
)


class Script:
    """Runs a script on both ends, each step of it in a task of its own, so that none
    keeps the next one from being tried."""

    def __init__(self, steps: list[tuple[str, int]]) -> None:
        self.steps = steps
        self.app_received: list[Any] = []
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.receive, self.send = receive, send
        self.ready.set()
        await self.over.wait()

    async def run(self, profile: ServerProfile) -> MemoryPeer:
        self.ready, self.over = anyio.Event(), anyio.Event()
        peer = MemoryPeer(
            self,
            profile=profile,
            receive_buffer_messages=3,
            receive_buffer_bytes=500,
            send_buffer_bytes=300,
        )
        async with peer:
            await self.ready.wait()
            async with anyio.create_task_group() as tasks:
                for what, size in self.steps:
                    tasks.start_soon(self.step, peer, what, size)
                    await settle(3)
                    if what == "wait":
                        await anyio.sleep(size)
                    statistics = peer.statistics()
                    assert_conserved(statistics.to_app)
                    assert_conserved(statistics.to_peer)
                    assert statistics.to_app.waiting.messages <= 3
                    assert statistics.to_app.waiting.bytes < 500 + 400
                await anyio.sleep(HOUR_S)
                # Whoever still waits does so for a reason that the peer can end.
                self.over.set()
                tasks.cancel_scope.cancel()
        return peer

    async def step(self, peer: MemoryPeer, what: str, size: int) -> None:
        try:
            match what:
                case "send":
                    await peer.send(bytes(size))
                case "app sends":
                    await self.send({"type": "websocket.send", "bytes": bytes(size)})
                case "app receives":
                    self.app_received.append(await self.receive())
                case "app closes":
                    await self.send({"type": "websocket.close"})
                case "rate":
                    peer.read_rate(size)
                case "wait":
                    pass
                case _:
                    getattr(peer, what)()
        except (PeerClosed, OSError, RuntimeError, UnexpectedMessage):
            self.refused += 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(steps=STEPS, profile=st.sampled_from(PROFILES))
@example(
    steps=[
        ("send", 1),
        ("app sends", 1),
        ("app receives", 0),
        ("stall", 1),
        ("resume", 1),
        ("rate", 1),
        ("wait", 1),
        ("app closes", 0),
        ("send", 1),
        ("app sends", 1),
        ("close", 0),
        ("half_close", 0),
        ("reset", 0),
        ("vanish", 0),
        ("resume", 1),
    ],
    profile=HYPERCORN,
)
# Once waited for ever: the app closes and ends while a send that can't be cancelled waits.
@example(
    steps=[("rate", 1), ("app sends", 400), ("vanish", 0), ("app closes", 0)],
    profile=ANYCORN,
)
def test_no_script_deadlocks_or_loses_count(
    backend: Literal["asyncio", "trio"], steps: list[tuple[str, int]], profile: ServerProfile
) -> None:
    """Invariant: whatever both ends do in whatever order, offered = delivered + waiting +
    lost in messages and bytes, the buffers keep their bounds, and the end comes."""
    script = Script(steps)
    peer = run_virtual(script.run, profile, backend=backend)

    statistics = peer.statistics()
    assert peer.app.error is None
    assert statistics.blocked_sends == 0
    taken = [event for event in script.app_received if event["type"] == "websocket.receive"]
    assert statistics.to_app.delivered == (
        len(taken),
        sum(len(event["bytes"]) for event in taken),
    )
    assert statistics.to_peer.delivered == Amount(
        len(peer.received), sum(len(data) for _, data in peer.received)
    )
    assert statistics.to_peer.waiting == (0, 0)  # the end has come
    ends = [event for event in script.app_received if event["type"] == "websocket.disconnect"]
    assert len(ends) <= max(profile.disconnects_after_close, 1)
