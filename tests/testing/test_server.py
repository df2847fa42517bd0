"""The app's end of a connection in memory, and what each server profile does there:
wsframes.testing.server, wsframes.testing.profiles, wsframes.testing.connection."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from wsframes.testing import (
    ANYCORN,
    HYPERCORN,
    HYPERCORN_TRIO,
    PROFILES,
    UVICORN_SANSIO,
    UVICORN_WEBSOCKETS,
    UVICORN_WSPROTO,
    ClientDisconnected,
    MemoryPeer,
    PeerClosed,
    ServerProfile,
    UnexpectedMessage,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from wsframes.testing.app_run import Message, Receive, Scope, Send

HOUR_S = 3600.0
ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close", "code": 4000, "reason": "enough"}
DISCONNECT = "websocket.disconnect"

every_profile = pytest.mark.parametrize("profile", PROFILES)
UVICORNS = (UVICORN_WEBSOCKETS, UVICORN_SANSIO, UVICORN_WSPROTO)
SANS_IO = (UVICORN_SANSIO, UVICORN_WSPROTO)


class Driven:
    """An app that accepts and then lets the test call its receive and send."""

    receive: Receive
    send: Send

    def __init__(self) -> None:
        self.ready = anyio.Event()
        self.done = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.receive, self.send = receive, send
        assert await receive() == {"type": "websocket.connect"}
        await send(ACCEPT)
        self.ready.set()
        await self.done.wait()

    async def send_bytes(self, size: int) -> None:
        await self.send({"type": "websocket.send", "bytes": bytes(size)})


@asynccontextmanager
async def driven(
    profile: ServerProfile, **options: Any
) -> AsyncIterator[tuple[Driven, MemoryPeer]]:
    app = Driven()
    async with MemoryPeer(app, profile=profile, **options) as peer:
        await app.ready.wait()
        yield app, peer
        app.done.set()


async def is_blocked(waiting: Callable[[], Any]) -> bool:
    with anyio.move_on_after(HOUR_S) as scope:
        await waiting()
    return scope.cancelled_caught


# --- messages to the app


@every_profile
async def test_a_message_has_one_key_or_both(profile: ServerProfile) -> None:
    both = profile in (HYPERCORN, HYPERCORN_TRIO, ANYCORN)
    async with driven(profile) as (app, peer):
        await peer.send("text")
        await peer.send(b"bytes")
        text: Message = {"type": "websocket.receive", "text": "text"}
        data: Message = {"type": "websocket.receive", "bytes": b"bytes"}
        if both:
            text["bytes"] = data["text"] = None
        assert [await app.receive(), await app.receive()] == [text, data]
        assert peer.scope["asgi"]["spec_version"] == ("2.3" if both else "2.4")


@every_profile
async def test_messages_sent_before_the_end_come_before_it(profile: ServerProfile) -> None:
    async with driven(profile) as (app, peer):
        await peer.send("one")
        await peer.send("two")
        peer.reset()
        assert [(await app.receive())["type"] for _ in range(3)] == [
            "websocket.receive",
            "websocket.receive",
            DISCONNECT,
        ]


# --- how the app learns of the end


@every_profile
async def test_close_by_the_peer(profile: ServerProfile) -> None:
    async with driven(profile) as (app, peer):
        peer.close(4001, "bye")
        event = await app.receive()
    if profile in UVICORNS:
        assert event == {"type": DISCONNECT, "code": 4001, "reason": "bye"}
    elif profile is ANYCORN:
        assert event == {"type": DISCONNECT, "code": 4001}
    else:
        assert event == {"type": DISCONNECT, "code": 1006}


@every_profile
async def test_close_by_the_peer_without_a_code(profile: ServerProfile) -> None:
    async with driven(profile) as (app, peer):
        peer.close(None)
        assert (await app.receive())["code"] == (
            1006 if profile in (HYPERCORN, HYPERCORN_TRIO) else 1005
        )
        assert await peer.wait_closed() == (1005, "")


@every_profile
@pytest.mark.parametrize("fault", [MemoryPeer.reset, MemoryPeer.half_close])
async def test_loss_without_a_close_frame(
    profile: ServerProfile, fault: Callable[[MemoryPeer], None]
) -> None:
    async with driven(profile) as (app, peer):
        fault(peer)
        assert await app.receive() == {
            "type": DISCONNECT,
            "code": 1005 if profile in SANS_IO else 1006,
        }
        assert await peer.wait_closed() == (1006, "")


@every_profile
async def test_loss_before_the_app_has_accepted(profile: ServerProfile) -> None:
    events = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        events.extend([await receive(), await receive()])

    async with MemoryPeer(app, profile=profile) as peer:
        await settle()
        peer.reset()
        with pytest.raises(PeerClosed, match="1006"):
            await peer.connect()
    assert events == [{"type": "websocket.connect"}, {"type": DISCONNECT, "code": 1006}]


@every_profile
@pytest.mark.parametrize("fault", [MemoryPeer.reset, MemoryPeer.close])
async def test_receive_after_the_disconnect_event(
    profile: ServerProfile, fault: Callable[[MemoryPeer], None]
) -> None:
    async with driven(profile) as (app, peer):
        fault(peer)
        await app.receive()
        assert peer.statistics().receives_after_close == 0
        again = {"type": DISCONNECT, "code": 1005}
        if profile is UVICORN_WEBSOCKETS:
            assert [await app.receive() for _ in range(5)] == [again] * 5
        elif profile in SANS_IO and fault is MemoryPeer.close:
            assert await app.receive() == again
            assert await is_blocked(app.receive)
        else:
            assert await is_blocked(app.receive)
        assert peer.statistics().receives_after_close >= 1


# --- sending to no one


async def send_close(app: Driven) -> None:
    await app.send(CLOSE)


async def reaction_to(sending: Callable[[], Any]) -> type[Exception] | None:
    try:
        await sending()
    except Exception as error:
        return type(error)
    return None


@every_profile
@pytest.mark.parametrize("fault", [MemoryPeer.reset, MemoryPeer.half_close, MemoryPeer.close])
async def test_send_when_the_peer_has_gone(
    profile: ServerProfile, fault: Callable[[MemoryPeer], None]
) -> None:
    async with driven(profile) as (app, peer):
        fault(peer)
        sent = await reaction_to(lambda: app.send_bytes(3))
        closed = await reaction_to(lambda: app.send(CLOSE))
        await app.receive()
        sent_later = await reaction_to(lambda: app.send_bytes(3))
        closed_later = await reaction_to(lambda: app.send(CLOSE))
        statistics = peer.statistics()

    assert statistics.sends_after_close == 4
    assert statistics.to_peer.offered == (0, 0)
    reactions = [sent, closed, sent_later, closed_later]
    if profile is UVICORN_WEBSOCKETS:
        assert reactions == [ClientDisconnected, None, RuntimeError, RuntimeError]
    elif profile in SANS_IO:
        assert reactions == [ClientDisconnected] * 4
    else:
        assert reactions == [None] * 4
    assert issubclass(ClientDisconnected, OSError)


@every_profile
async def test_send_after_the_apps_own_close(profile: ServerProfile) -> None:
    async with driven(profile, answers_close=False) as (app, peer):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_close, app)
            await settle()
            before_answer = await reaction_to(lambda: app.send_bytes(3))
        await anyio.sleep(30)  # the server has given up by now
        after_answer = await reaction_to(lambda: app.send_bytes(3))
        assert peer.statistics().sends_after_close == 2

    if profile is UVICORN_WEBSOCKETS:
        assert (before_answer, after_answer) == (RuntimeError, RuntimeError)
    elif profile in SANS_IO:
        assert (before_answer, after_answer) == (RuntimeError, ClientDisconnected)
    else:  # which never give up
        assert (before_answer, after_answer) == (UnexpectedMessage, UnexpectedMessage)
    assert not issubclass(UnexpectedMessage, OSError | RuntimeError)


# --- the app's own close


@every_profile
async def test_the_apps_close_reaches_the_peer_and_comes_back(profile: ServerProfile) -> None:
    async with driven(profile) as (app, peer):
        await app.send(CLOSE)
        assert await peer.wait_closed() == (4000, "enough")
        event = await app.receive()
        assert anyio.current_time() == 0.0
    if profile in SANS_IO:
        assert event == {"type": DISCONNECT, "code": 4000, "reason": "enough"}
    elif profile is ANYCORN:
        assert event == {"type": DISCONNECT, "code": 4000}
    elif profile is UVICORN_WEBSOCKETS:
        assert event == {"type": DISCONNECT, "code": 1005}
    else:
        assert event == {"type": DISCONNECT, "code": 1000}


@every_profile
async def test_send_after_an_answered_close(profile: ServerProfile) -> None:
    async with driven(profile) as (app, peer):
        await app.send(CLOSE)
        reaction = await reaction_to(lambda: app.send_bytes(3))
    if profile is UVICORN_WEBSOCKETS:
        assert reaction is RuntimeError
    else:
        assert reaction is (ClientDisconnected if profile in SANS_IO else None)


async def test_close_defaults() -> None:
    async with driven(UVICORN_SANSIO) as (app, peer):
        await app.send({"type": "websocket.close", "reason": None})
        assert await peer.wait_closed() == (1000, "")


@every_profile
async def test_a_close_that_is_never_answered_runs_out(profile: ServerProfile) -> None:
    async with driven(profile, answers_close=False) as (app, peer):
        await app.send(CLOSE)
        # Only one server makes the app wait for the answer.
        assert anyio.current_time() == (20.0 if profile is UVICORN_WEBSOCKETS else 0.0)
        assert await peer.wait_closed() == (4000, "enough")
        if profile in SANS_IO:
            assert [(await app.receive())["code"] for _ in range(2)] == [4000, 1005]
            assert anyio.current_time() == 10.0
        elif profile is UVICORN_WEBSOCKETS:
            assert await app.receive() == {"type": DISCONNECT, "code": 1005}
        else:
            assert await is_blocked(app.receive)


@every_profile
async def test_close_to_a_peer_that_does_not_read(profile: ServerProfile) -> None:
    reactions: list[tuple[float, type[Exception] | None]] = []

    async with driven(profile, send_buffer_bytes=100) as (app, peer):

        async def note(message: Message) -> None:
            reaction = await reaction_to(lambda: app.send(message))
            reactions.append((anyio.current_time(), reaction))

        peer.stall()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(note, {"type": "websocket.send", "bytes": bytes(101)})
            await settle()
            tasks.start_soon(note, CLOSE)
            await anyio.sleep(HOUR_S)
            peer.resume()
        closed = await peer.wait_closed()

    if profile is UVICORN_WEBSOCKETS:  # gives up and cuts the connection
        assert sorted(reactions, key=str) == [(20.0, ClientDisconnected), (20.0, None)]
        assert closed == (1006, "")
    elif profile in SANS_IO:
        assert reactions == [(0.0, None), (HOUR_S, None)]
        assert closed == (4000, "enough")
    else:
        assert reactions == [(HOUR_S, None), (HOUR_S, None)]
        assert closed == (4000, "enough")


@every_profile
async def test_both_close_at_once(profile: ServerProfile) -> None:
    async with driven(profile) as (app, peer):
        peer.stall()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_close, app)
            await settle()
            peer.close(1001)
        peer.resume()
        assert await peer.wait_closed() == (4000, "enough")
        assert (await app.receive())["type"] == DISCONNECT


# --- full buffers


@every_profile
async def test_send_waits_while_the_buffer_is_full(profile: ServerProfile) -> None:
    async with driven(profile, send_buffer_bytes=1000) as (app, peer):
        peer.stall()
        before = profile in SANS_IO
        for _ in range(10 + before):
            await app.send_bytes(100)
        assert peer.statistics().blocked_sends == 0

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.send_bytes, 100)
            await anyio.sleep(HOUR_S)
            assert peer.statistics().blocked_sends == 1
            assert peer.statistics().to_peer.waiting == (11, 1100)
            peer.resume()
        assert anyio.current_time() == HOUR_S
        assert peer.statistics().blocked_sends == 0
        assert peer.statistics().to_peer.delivered.messages == 11 + before


@every_profile
async def test_cancelling_a_send_that_waits(profile: ServerProfile) -> None:
    shielded = profile in (HYPERCORN_TRIO, ANYCORN)
    async with driven(profile, send_buffer_bytes=1000) as (app, peer):
        peer.stall()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(resume_after, peer, 18.0)
            await app.send_bytes(1000)
            if profile in SANS_IO:
                await app.send_bytes(1000)
            with anyio.move_on_after(2.0):
                await app.send_bytes(1)
            assert anyio.current_time() == (18.0 if shielded else 2.0)
        # Where the wait comes first, a cancelled send has sent nothing.
        assert (b"\0" in await drain(peer)) is (profile not in SANS_IO)


async def resume_after(peer: MemoryPeer, delay_s: float) -> None:
    await anyio.sleep(delay_s)
    peer.resume()


async def drain(peer: MemoryPeer) -> list[str | bytes]:
    await settle()
    return [message.data for message in peer.received]


@every_profile
@pytest.mark.parametrize("fault", [MemoryPeer.reset, MemoryPeer.half_close, MemoryPeer.close])
async def test_the_peer_goes_while_a_send_waits(
    profile: ServerProfile, fault: Callable[[MemoryPeer], None]
) -> None:
    reactions: list[type[Exception] | None] = []
    async with driven(profile, send_buffer_bytes=10) as (app, peer):

        async def flood() -> None:
            while not reactions or reactions[-1] is None and len(reactions) < 3:
                reactions.append(await reaction_to(lambda: app.send_bytes(100)))

        peer.stall()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(flood)
            await settle()
            assert peer.statistics().blocked_sends == 1
            fault(peer)
        assert peer.statistics().to_peer.offered == (1, 100)
    if profile is UVICORN_WEBSOCKETS:
        assert reactions == [ClientDisconnected]
    elif profile in SANS_IO:
        assert reactions == [None, ClientDisconnected]
    else:
        assert reactions == [None, None, None]


async def test_the_app_closes_while_another_of_its_sends_waits() -> None:
    async with driven(UVICORN_SANSIO, send_buffer_bytes=10) as (app, peer):
        peer.stall()
        await app.send_bytes(11)
        reactions: list[type[Exception] | None] = []

        async def send_and_note(message: Message) -> None:
            reactions.append(await reaction_to(lambda: app.send(message)))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_and_note, CLOSE)
            tasks.start_soon(send_and_note, CLOSE)
            await settle()
            peer.resume()
        # The first of them closes, the second finds the connection closed.
        assert sorted(reactions, key=str) == [ClientDisconnected, None]


async def test_a_server_that_is_silent_about_a_wait_in_vain() -> None:
    profile = replace(
        UVICORN_SANSIO, name="mine", send_when_gone="silent", close_when_gone="silent"
    )
    async with driven(profile, send_buffer_bytes=10) as (app, peer):
        peer.stall()
        await app.send_bytes(11)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.send_bytes, 12)
            tasks.start_soon(send_close, app)
            await settle()
            peer.reset()
        assert peer.statistics().to_peer.offered == (1, 11)


# --- the app's end


@every_profile
@pytest.mark.parametrize("fails", [False, True])
async def test_an_app_that_ends_without_closing(profile: ServerProfile, fails: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.send", "text": "last words"})
        if fails:
            raise LookupError

    async with MemoryPeer(app, profile=profile, raise_app_error=False) as peer:
        assert await peer.receive() == "last words"
        assert (await peer.wait_closed()).code == (1006 if profile in UVICORNS else 1011)
    assert isinstance(peer.app.error, LookupError) is fails


# --- apps that break the protocol


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"type": "websocket.send"}, RuntimeError),
        ({"type": "websocket.send", "bytes": None, "text": None}, RuntimeError),
        ({"type": "websocket.send", "bytes": b"", "text": ""}, RuntimeError),
        ({"type": "websocket.send", "bytes": "text"}, TypeError),
        ({"type": "websocket.send", "text": b"bytes"}, TypeError),
        ({"type": "websocket.accept"}, RuntimeError),
        ({"type": "http.response.start"}, RuntimeError),
    ],
)
async def test_wrong_messages_are_refused(message: Message, error: type[Exception]) -> None:
    async with driven(UVICORN_SANSIO) as (app, peer):
        with pytest.raises(error):
            await app.send(message)
        assert peer.statistics().to_peer.offered == (0, 0)


@pytest.mark.parametrize("data", [b"x", bytearray(b"x"), memoryview(b"x")])
async def test_bytes_of_any_kind_arrive_as_bytes(data: bytes | bytearray | memoryview) -> None:
    async with driven(UVICORN_SANSIO) as (app, peer):
        await app.send({"type": "websocket.send", "bytes": data, "text": None})
        received = await peer.receive()
        assert received == b"x"
        assert type(received) is bytes


async def test_messages_before_the_accept_are_refused() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError, match=r"websocket\.accept"):
            await send({"type": "websocket.send", "text": "too early"})
        await send({"type": "websocket.http.response.start", "status": 401})
        with pytest.raises(RuntimeError, match=r"http\.response\.body"):
            await send(ACCEPT)

    async with MemoryPeer(app) as peer:
        await peer.wait_closed()
    assert peer.denied_status == 500  # a response that was never finished


# --- yielding


@every_profile
@pytest.mark.parametrize("calls", ["receives", "sends"])
async def test_whether_calls_that_need_not_wait_yield(profile: ServerProfile, calls: str) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with driven(profile) as (app, peer):
        for _ in range(10):
            peer.send_nowait(b"")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other)
            before = turns
            for _ in range(10):
                await (app.receive() if calls == "receives" else app.send_bytes(0))
            yielded = turns - before
            tasks.cancel_scope.cancel()
    assert (yielded > 0) is (profile is HYPERCORN_TRIO)


@every_profile
async def test_an_app_that_sends_without_end_lets_others_run_now_and_then(
    profile: ServerProfile,
) -> None:
    async with driven(profile) as (app, peer):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(cancel_soon, scope)
                while True:
                    await app.send_bytes(100)
        assert scope.cancelled_caught
        assert peer.statistics().to_peer.offered.bytes < 1_000_000


async def cancel_soon(scope: anyio.CancelScope) -> None:
    scope.cancel()


def test_profiles_have_names_for_ids() -> None:
    assert [profile.__name__ for profile in PROFILES] == [
        "uvicorn-websockets",
        "uvicorn-sansio",
        "uvicorn-wsproto",
        "hypercorn",
        "hypercorn-trio",
        "anycorn",
    ]
