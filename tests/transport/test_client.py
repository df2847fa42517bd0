"""`wsframes.transport.client`: the seed page's client, by itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.transport.sessions import Session
from wsframes import StartFrame
from wsframes.exceptions import ClosedByUsError, PeerGoneError, UsageError
from wsframes.testing import (
    HYPERCORN,
    PROFILES,
    UVICORN_SANSIO,
    UVICORN_WEBSOCKETS,
    MemoryPeer,
    ServerProfile,
    settle,
)
from wsframes.transport import WebsocketCallbacks, WebsocketClient

every_profile = pytest.mark.parametrize("profile", PROFILES)

CANCELLABLE = [profile for profile in PROFILES if not profile.shields_send]


class Told:
    def __init__(self) -> None:
        self.names: list[tuple[str, object]] = []

    def callbacks(self) -> WebsocketCallbacks:
        return WebsocketCallbacks(
            on_client_connected=self._note("connected"),
            on_client_disconnected=self._note("disconnected"),
            on_session_timeout=self._note("timeout"),
        )

    def _note(self, name: str) -> Callable[[WebSocket], Awaitable[None]]:
        async def note(websocket: WebSocket) -> None:
            self.names.append((name, websocket))

        return note


class App:
    """Makes a client for the connection, and does with it what it is told."""

    def __init__(
        self, does: Callable[[WebsocketClient], Awaitable[None]], *, setup: bool = True
    ) -> None:
        self._does = does
        self._setup = setup
        self.told = Told()
        self.gone: list[int | None] = []
        self.failed = 0
        self.client: WebsocketClient

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = WebsocketClient((scope, receive, send), True, self.told.callbacks())
        client.when_gone = lambda: self.gone.append(client.close_code)
        client.when_failed = self._count_failed
        self.client = client
        if self._setup:
            await client.setup(StartFrame())
        await self._does(client)

    def _count_failed(self) -> None:
        self.failed += 1


async def read_all(client: WebsocketClient) -> None:
    assert [data async for data in client.receive()] == []


# --- life


async def test_it_accepts_what_nobody_has_accepted() -> None:
    states: list[tuple[bool, bool, bool]] = []

    def note(client: WebsocketClient) -> None:
        states.append((client.is_connected, client.is_closing, client.is_gone))

    async def does(client: WebsocketClient) -> None:
        note(client)
        await client.setup(StartFrame())
        note(client)
        assert client.is_binary
        assert isinstance(client.websocket, WebSocket)
        assert client.close_code is None
        await client.disconnect()
        note(client)
        assert client.close_code == 1000

    async with MemoryPeer(App(does, setup=False)) as peer:
        await peer.connect()
        assert await peer.wait_closed() == (1000, "")
    assert states == [(False, False, False), (True, False, False), (False, True, False)]


async def test_what_is_accepted_is_not_accepted_again() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        client = WebsocketClient(websocket, False, Told().callbacks())
        assert client.is_connected
        assert client.websocket is websocket
        await client.setup(StartFrame())
        await client.disconnect(4000, "bye")

    async with MemoryPeer(app) as peer:
        assert await peer.wait_closed() == (4000, "bye")


async def test_the_socket_is_closed_when_the_last_one_lets_go() -> None:
    async def does(client: WebsocketClient) -> None:
        await client.setup(StartFrame())
        await client.disconnect(4000)
        assert client.is_connected
        await client.send("still open")
        await client.disconnect(4001)
        assert client.is_closing
        await client.disconnect(4002)

    async with MemoryPeer(App(does)) as peer:
        assert await peer.receive() == "still open"
        assert await peer.wait_closed() == (4001, "")


async def test_two_that_set_it_up_at_once_accept_it_once() -> None:
    async def does(client: WebsocketClient) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.setup, StartFrame())
            tasks.start_soon(client.setup, StartFrame())
        await client.disconnect()
        assert client.is_connected
        await client.disconnect()

    async with MemoryPeer(App(does, setup=False), profile=HYPERCORN) as peer:
        assert (await peer.wait_closed()).code == 1000


async def test_one_that_is_closed_serves_no_second_connection() -> None:
    async def does(client: WebsocketClient) -> None:
        await client.disconnect()
        with pytest.raises(ClosedByUsError, match="a client serves one connection"):
            await client.setup(StartFrame())

    async with MemoryPeer(App(does)) as peer:
        await peer.wait_closed()


async def test_letting_go_without_holding_closes_it_too() -> None:
    async def does(client: WebsocketClient) -> None:
        await client.disconnect(1001)

    async with MemoryPeer(App(does, setup=False)) as peer:
        await peer.wait_closed()
        assert peer.denied_status == 403


async def test_a_peer_that_leaves_before_it_is_accepted() -> None:
    async def does(client: WebsocketClient) -> None:
        await anyio.sleep(1)
        for _ in range(2):
            with pytest.raises(PeerGoneError):
                await client.setup(StartFrame())
        assert client.is_gone

    app = App(does, setup=False)
    async with MemoryPeer(app) as peer:
        peer.reset()
    assert app.gone == [1006]
    assert peer.statistics().sends_after_close <= 1


async def test_the_triggers_call_the_callbacks_with_the_websocket() -> None:
    async def does(client: WebsocketClient) -> None:
        await client.trigger_client_connected()
        await client.trigger_client_timeout()
        await client.trigger_client_disconnected()

    app = App(does)
    async with MemoryPeer(app) as peer:
        await peer.connect()
    websocket = app.client.websocket
    names = [("connected", websocket), ("timeout", websocket), ("disconnected", websocket)]
    assert app.told.names == names


# --- reading


@every_profile
async def test_messages_come_as_they_were_sent_until_the_peer_closes(
    profile: ServerProfile,
) -> None:
    got: list[str | bytes] = []

    async def does(client: WebsocketClient) -> None:
        got.extend([data async for data in client.receive()])
        got.extend([data async for data in client.receive()])  # nothing, and it does not hang

    app = App(does)
    async with MemoryPeer(app, profile=profile) as peer:
        await peer.send("text")
        await peer.send(b"bytes")
        peer.close(4001, "bye")
    assert got == ["text", b"bytes"]
    code = profile.peer_close_code or 4001
    assert app.gone == [code]
    assert app.client.is_gone
    assert app.client.statistics().received == 2
    assert app.client.statistics().received_bytes == 9
    assert peer.statistics().receives_after_close == 0


@every_profile
@pytest.mark.parametrize("fault", ["reset", "half_close"])
async def test_a_lost_peer_ends_the_reading(profile: ServerProfile, fault: str) -> None:
    app = App(read_all)
    async with MemoryPeer(app, profile=profile) as peer:
        await peer.connect()
        getattr(peer, fault)()
    assert app.gone == [profile.lost_code]


async def test_a_second_reader_is_refused() -> None:
    async def does(client: WebsocketClient) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read_all, client)
            await settle()
            with pytest.raises(UsageError, match="one reader at a time"):
                await read_all(client)

    async with MemoryPeer(App(does)) as peer:
        await peer.connect()
        await anyio.sleep(1)


async def test_reading_before_the_setup_is_refused() -> None:
    async def does(client: WebsocketClient) -> None:
        with pytest.raises(UsageError, match="call setup before receive"):
            await read_all(client)

    async with MemoryPeer(App(does, setup=False)):
        pass


async def test_cancelling_the_wait_for_a_message_loses_none() -> None:
    got: list[str | bytes] = []

    async def does(client: WebsocketClient) -> None:
        messages = client.receive()
        while len(got) < 3:
            with anyio.move_on_after(0.3):
                got.append(await anext(messages))

    async with MemoryPeer(App(does)) as peer:
        for text in "abc":
            await anyio.sleep(1)
            await peer.send(text)
    assert got == ["a", "b", "c"]


async def test_what_is_no_message_is_counted_and_the_next_one_read() -> None:
    got: list[str | bytes] = []

    async def does(client: WebsocketClient) -> None:
        got.extend([data async for data in client.receive()])

    app = App(does)
    async with MemoryPeer(app) as peer:
        await peer.connect()
        peer.send_raw_event({"type": "websocket.receive"})
        await peer.send("good")
    assert got == ["good"]
    assert app.client.statistics().malformed == 1


async def test_an_event_that_has_no_place_ends_the_connection() -> None:
    app = App(read_all)
    async with MemoryPeer(app) as peer:
        await peer.connect()
        peer.send_raw_event({"type": "websocket.nonsense"})
        await settle()
    assert app.gone == [1006]


# --- sending


@every_profile
async def test_what_is_sent_arrives_in_order_and_is_counted(profile: ServerProfile) -> None:
    async def does(client: WebsocketClient) -> None:
        for number in range(50):
            assert await client.send(str(number))
            assert await client.send(bytes([number]))

    app = App(does)
    async with MemoryPeer(app, profile=profile) as peer:
        expected = [data for number in range(50) for data in (str(number), bytes([number]))]
        assert [await peer.receive() for _ in range(100)] == expected
    statistics = app.client.statistics()
    assert (statistics.sent, statistics.sent_bytes, statistics.unsent) == (100, 140, {})


async def test_senders_take_turns_in_the_order_of_their_calls() -> None:
    async def does(client: WebsocketClient) -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(client.send, str(number) * 40_000)
                await settle()

    async with MemoryPeer(App(does)) as peer:
        await peer.connect()
        peer.read_rate(100_000)
        assert [str(await peer.receive())[0] for _ in range(5)] == list("01234")


async def test_before_the_handshake_nothing_is_sent() -> None:
    async def does(client: WebsocketClient) -> None:
        assert not await client.send("early")

    app = App(does, setup=False)
    async with MemoryPeer(app, raise_app_error=False):
        pass
    assert app.client.statistics().unsent == {"connecting": 1}


async def test_after_the_close_nothing_is_sent() -> None:
    async def does(client: WebsocketClient) -> None:
        await client.disconnect()
        assert not await client.send("late")

    app = App(does)
    async with MemoryPeer(app) as peer:
        await peer.wait_closed()
    assert app.client.statistics().unsent == {"closed": 1}
    assert peer.statistics().sends_after_close == 0


@every_profile
async def test_a_send_to_a_lost_peer_fails_once_and_the_rest_is_not_tried(
    profile: ServerProfile,
) -> None:
    async def does(client: WebsocketClient) -> None:
        await anyio.sleep(1)
        sent = [await client.send("late") for _ in range(3)]
        assert sent == [profile.send_when_gone == "silent"] * 3

    app = App(does)
    async with MemoryPeer(app, profile=profile) as peer:
        await peer.connect()
        peer.reset()
    if profile.send_when_gone != "silent":
        assert app.failed == 1
        assert app.client.statistics().unsent == {"failed": 1, "failing": 2}
        assert not app.client.is_connected
        assert not app.client.is_closing


async def test_a_send_that_fails_without_anyone_listening() -> None:
    async def does(client: WebsocketClient) -> None:
        client.when_failed = None
        client.when_gone = None
        await anyio.sleep(1)
        assert not await client.send("late")
        await read_all(client)
        assert client.is_gone

    async with MemoryPeer(App(does)) as peer:
        await peer.connect()
        peer.reset()


@pytest.mark.parametrize("profile", CANCELLABLE)
async def test_a_blocked_send_can_be_cancelled_and_is_counted(profile: ServerProfile) -> None:
    async def does(client: WebsocketClient) -> None:
        assert client.write_deadline_s is None
        with anyio.move_on_after(1) as scope:
            while True:
                await client.send(bytes(16384))
        assert scope.cancelled_caught
        assert client.write_deadline_s is None
        await client.disconnect()

    app = App(does)
    async with MemoryPeer(app, profile=profile) as peer:
        await peer.connect()
        peer.stall()
        await app_is_over(peer)
    assert app.client.statistics().unsent == {"cancelled": 1}


async def app_is_over(peer: MemoryPeer) -> None:
    await peer.app.finished.wait()


@every_profile
async def test_the_deadline_of_a_write_grows_with_its_size(profile: ServerProfile) -> None:
    size = 256 * 1024

    async def does(client: WebsocketClient) -> None:
        await anyio.sleep(1)
        begun_s = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, bytes(size))
            tasks.start_soon(client.send, bytes(size))
            await anyio.sleep(0.5)
            assert client.write_deadline_s is not None
            blocked = client.write_deadline_s - begun_s
            assert blocked == pytest.approx(5 + 4)

    async with MemoryPeer(App(does), profile=profile) as peer:
        await peer.connect()
        peer.stall()
        await anyio.sleep(2)
        peer.resume()
        await peer.receive()
        await peer.receive()


# --- the end


@every_profile
async def test_closing_costs_no_more_than_its_timeout_where_the_server_lets_it(
    profile: ServerProfile,
) -> None:
    took_s: list[float] = []

    async def does(client: WebsocketClient) -> None:
        begun_s = anyio.current_time()
        await client.disconnect()
        took_s.append(anyio.current_time() - begun_s)
        assert not client.is_connected

    async with MemoryPeer(App(does), profile=profile, answers_close=False) as peer:
        await peer.connect()
        await app_is_over(peer)
    assert took_s[0] <= 0.5


@pytest.mark.parametrize("profile", [UVICORN_SANSIO, UVICORN_WEBSOCKETS])
async def test_giving_up_tells_who_asks_first_and_still_closes(profile: ServerProfile) -> None:
    async def does(client: WebsocketClient) -> None:
        assert client.give_up(1013, "too slow")
        assert not client.give_up()
        assert client.is_gone
        assert not client.is_closing
        assert not await client.send("late")
        await client.disconnect(1013, "slow_client")
        assert client.close_code == 1013

    app = App(does)
    async with MemoryPeer(app, profile=profile) as peer:
        assert await peer.wait_closed() == (1013, "slow_client")
    assert app.gone == []
    assert app.client.statistics().unsent == {"given_up": 1}


async def test_a_peer_that_leaves_while_this_side_closes_is_not_told() -> None:
    async def does(client: WebsocketClient) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read_all, client)
            await anyio.sleep(1)
            await client.disconnect(4000)
            tasks.cancel_scope.cancel()

    app = App(does)
    async with MemoryPeer(app, profile=UVICORN_WEBSOCKETS) as peer:
        assert (await peer.wait_closed()).code == 4000
    assert app.gone == []
    assert app.client.close_code == 4000


async def test_aborting_cuts_the_connection_under_a_write_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut: list[Any] = []
    monkeypatch.setattr("wsframes.transport.asgi.cut_connection", cut.append)
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        client = session.transport.client
        await client.abort()
        assert cut == []
        peer.stall()
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(client.send, bytes(200_000))
            await settle()
            await client.abort()
            assert cut == [client.websocket.scope]
            await session.transport.output().abort()
            assert len(cut) == 2
            tasks.cancel_scope.cancel()
