"""`wsframes.transport.app`: who is let in, how sessions run, and how all of them end."""

import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.transport.sessions import RATE, Echo, audio_of
from wsframes import FrameProcessor, OutputAudioRawFrame, Pipeline, PipelineTask, StartFrame
from wsframes.exceptions import UsageError
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import (
    HYPERCORN,
    PROFILES,
    MemoryPeer,
    PeerDenied,
    ServerProfile,
    settle,
)
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport

every_profile = pytest.mark.parametrize("profile", PROFILES)

PARAMS = WebsocketParams(
    audio_in_enabled=True, audio_out_enabled=True, serializer=RawAudioSerializer(RATE)
)


nothing: Any = anyio.sleep_forever
"""Receives nothing."""


def echo(transport: WebsocketTransport) -> Pipeline:
    return Pipeline([transport.input(), Echo(), transport.output()])


def app_of(build: Any = echo, params: Any = PARAMS, **options: Any) -> WebsocketApp:
    return WebsocketApp(build, params=params, **options)


async def serves(app: WebsocketApp, **options: Any) -> None:
    """It echoes for one who connects."""
    async with MemoryPeer(app, **options) as peer:
        await peer.send(bytes(1280))
        assert await peer.receive() == bytes(1280)


async def denies(app: WebsocketApp, **options: Any) -> tuple[int | None, bytes]:
    async with MemoryPeer(app, **options) as peer:
        with pytest.raises(PeerDenied) as denied:
            await peer.connect()
        assert not peer.accepted
    return denied.value.status, denied.value.body


# --- sessions


@every_profile
async def test_it_runs_a_pipeline_for_each_connection(profile: ServerProfile) -> None:
    app = app_of()
    async with MemoryPeer(app, profile=profile) as one, MemoryPeer(app, profile=profile) as two:
        await one.send(b"1" * 1280)
        await two.send(b"2" * 1280)
        assert await one.receive() == b"1" * 1280
        assert await two.receive() == b"2" * 1280
        assert app.statistics().running == 2
    statistics = app.statistics()
    assert (statistics.running, statistics.accepted, statistics.refused) == (0, 2, {})
    assert sum(statistics.ended.values()) == 2


async def build_later(transport: WebsocketTransport) -> Pipeline:
    await anyio.sleep(1)
    return echo(transport)


def build_task(transport: WebsocketTransport) -> PipelineTask:
    return PipelineTask(echo(transport))


@pytest.mark.parametrize("build", [echo, build_later, build_task])
async def test_a_pipeline_can_be_built_in_any_way(build: Any) -> None:
    await serves(app_of(build))


async def test_parameters_can_be_made_for_each_connection() -> None:
    seen: list[str] = []

    def params(websocket: WebSocket) -> WebsocketParams:
        seen.append(websocket.url.path)
        return PARAMS

    await serves(app_of(params=params), path="/a")
    await serves(app_of(params=params), path="/b")
    assert seen == ["/a", "/b"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"allowed_origins": "https://a.example"}, r"allowed_origins is a list of origins: \['ht"),
        ({"params": None}, "params must be WebsocketParams or a function .* not NoneType"),
        ({"params": {}}, "params must be WebsocketParams or a function .* not dict"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        WebsocketApp(echo, **{"params": PARAMS, **options})


def failing(transport: WebsocketTransport) -> Pipeline:
    raise OSError("no model")


async def failing_later(transport: WebsocketTransport) -> Pipeline:
    await anyio.sleep(1)
    raise OSError("no model")


def bad_params(websocket: WebSocket) -> WebsocketParams:
    raise OSError("no model")


@pytest.mark.parametrize(
    ("build", "params"),
    [
        (failing, PARAMS),
        (failing_later, PARAMS),
        (lambda transport: [transport.input()], PARAMS),
        (lambda transport: None, PARAMS),
        (echo, bad_params),
        (echo, lambda websocket: None),
    ],
)
async def test_a_session_that_cannot_be_built_is_refused_and_logged(
    build: Any, params: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_of(build, params)
    assert await denies(app) == (500, b"the session could not be built\n")
    assert app.statistics().refused == {"build": 1}
    assert app.statistics().accepted == 0
    (record,) = caplog.records
    assert "a session could not be built" in record.getMessage()
    assert "Error from\n" in record.getMessage()
    assert "line" in record.getMessage()


async def test_a_task_that_has_run_already_is_an_error_of_the_application() -> None:
    tasks: list[PipelineTask] = []

    def the_same(transport: WebsocketTransport) -> PipelineTask:
        tasks.append(tasks[0] if tasks else build_task(transport))
        return tasks[0]

    app = app_of(the_same)
    await serves(app)
    with pytest.raises(UsageError, match="has finished"):
        await serves(app)
    assert app.statistics().ended == {"client_disconnected": 1, "error": 1}
    assert app.statistics().running == 0


async def test_a_server_that_cancels_a_session_ends_it() -> None:
    app = app_of()
    async with MemoryPeer(app, raise_app_error=False) as peer:
        await peer.connect()
        peer.vanish()
    assert peer.app.cancelled
    assert app.statistics().ended == {"cancelled": 1}
    assert app.statistics().running == 0


# --- authorize


async def authorize_later(websocket: WebSocket) -> bool:
    await anyio.sleep(4.9)
    return websocket.query_params["token"] == "1"


@pytest.mark.parametrize(
    "authorize", [authorize_later, lambda websocket: websocket.query_params["token"] == "1"]
)
async def test_who_is_authorized_is_let_in_and_others_get_403(authorize: Any) -> None:
    app = app_of(authorize=authorize)
    await serves(app, query_string="token=1")
    assert await denies(app, query_string="token=2") == (403, b"not authorized\n")
    assert await denies(app) == (403, b"not authorized\n")  # it raises: there is no token
    assert app.statistics().refused == {"authorize": 2}


async def test_authorize_has_a_deadline(caplog: pytest.LogCaptureFixture) -> None:
    async def hang(websocket: WebSocket) -> None:
        await anyio.sleep_forever()

    app = app_of(authorize=hang)
    assert await denies(app) == (403, b"not authorized\n")
    assert anyio.current_time() == pytest.approx(5.0)
    assert "authorize did not return within 5.0 s" in caplog.text
    app = app_of(authorize=hang, authorize_timeout=1)
    begun_s = anyio.current_time()
    await denies(app)
    assert anyio.current_time() - begun_s == pytest.approx(1.0)


@pytest.mark.parametrize("result", [False, None, 0, ""])
async def test_any_false_result_refuses(result: Any) -> None:
    assert (await denies(app_of(authorize=lambda websocket: result)))[0] == 403


async def test_no_pipeline_is_built_for_who_is_refused() -> None:
    built: list[object] = []
    app = app_of(lambda transport: built.append(transport), authorize=lambda websocket: False)
    await denies(app)
    assert built == []


async def test_authorize_may_accept_to_ask_for_a_token() -> None:
    async def ask(websocket: WebSocket) -> bool:
        await websocket.accept()
        return await websocket.receive_text() == "open sesame"

    app = app_of(authorize=ask)
    async with MemoryPeer(app) as peer:
        await peer.send("open sesame")
        await peer.send(bytes(1280))
        assert await peer.receive() == bytes(1280)
    async with MemoryPeer(app) as peer:
        await peer.send("please")
        assert await peer.wait_closed() == (1008, "not authorized")


async def test_a_client_that_leaves_while_it_is_authorized(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def slow(websocket: WebSocket) -> bool:
        await anyio.sleep(1)
        return websocket.url.path == "/yes"

    app = app_of(authorize=slow)
    for path in ("/yes", "/no"):
        with caplog.at_level(logging.DEBUG):
            async with MemoryPeer(app, path) as peer:
                peer.reset()
        assert peer.app.error is None
    assert app.statistics().ended == {"client_lost": 1}
    assert app.statistics().refused == {"authorize": 1}
    assert "refusing a connection failed" in caplog.text


# --- origins


@pytest.mark.parametrize(
    ("allowed", "origin", "ok"),
    [
        (None, None, True),
        (None, "http://testserver", True),
        (None, "http://evil.example", False),
        (["https://a.example"], "https://a.example", True),
        (["https://a.example"], "http://testserver", False),
        (["*"], "http://evil.example", True),
        ([], "http://testserver", False),
    ],
)
async def test_origins(allowed: list[str] | None, origin: str | None, ok: bool) -> None:
    app = app_of(allowed_origins=allowed)
    headers = {} if origin is None else {"Origin": origin}
    if ok:
        await serves(app, headers=headers)
    else:
        assert await denies(app, headers=headers) == (403, b"the origin is not allowed\n")
        assert app.statistics().refused == {"origin": 1}


@pytest.mark.parametrize("extensions", [{}, None])
async def test_where_the_server_knows_no_denial_response_it_is_a_plain_403(
    extensions: Any,
) -> None:
    app = app_of(allowed_origins=[])
    status, _ = await denies(app, headers={"Origin": "http://x"}, scope={"extensions": extensions})
    assert status == 403


async def test_a_refusal_that_cannot_be_told_has_a_deadline() -> None:
    async def send(message: Any) -> None:
        await anyio.sleep_forever()

    app = app_of(authorize=lambda websocket: False)
    begun_s = anyio.current_time()
    await app({"type": "websocket", "headers": []}, nothing, send)
    assert anyio.current_time() - begun_s == pytest.approx(5.0)


# --- how many


async def test_more_than_may_run_are_refused() -> None:
    app = app_of(max_sessions=2)
    async with MemoryPeer(app) as one, MemoryPeer(app) as two:
        await one.connect()
        await two.connect()
        assert await denies(app) == (503, b"too many sessions\n")
    await serves(app)
    assert app.statistics().refused == {"max_sessions": 1}
    assert app.statistics().accepted == 3


async def test_those_that_wait_to_be_authorized_have_their_place() -> None:
    async def slow(websocket: WebSocket) -> bool:
        await anyio.sleep(1)
        return websocket.url.path == "/yes"

    app = app_of(max_sessions=1, authorize=slow)
    statuses: list[int | None] = []

    async def connect(path: str) -> None:
        async with MemoryPeer(app, path) as peer:
            try:
                await peer.connect()
                await anyio.sleep(0.5)
            except PeerDenied as denied:
                statuses.append(denied.status)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(connect, "/yes")
    assert statuses == [503] * 4
    await connect("/no")
    await connect("/yes")
    assert statuses == [503] * 4 + [403]
    assert app.statistics().accepted == 2


def asks_for(websocket: WebSocket) -> str | None:
    return websocket.query_params.get("user")


async def test_more_than_may_run_of_one_key_are_refused() -> None:
    app = app_of(max_sessions_per_key=1, session_key=asks_for)
    async with MemoryPeer(app, "/?user=a") as one, MemoryPeer(app, "/?user=b") as two:
        await one.connect()
        await two.connect()
        assert await denies(app, path="/?user=a") == (503, b"too many sessions\n")
        await serves(app)  # without a key
    await serves(app, path="/?user=a")
    assert app.statistics().refused == {"max_sessions_per_key": 1}


async def test_the_key_is_the_address_unless_it_is_said() -> None:
    app = app_of(max_sessions_per_key=1)
    async with MemoryPeer(app, scope={"client": ("10.0.0.1", 1)}) as peer:
        await peer.connect()
        assert (await denies(app, scope={"client": ("10.0.0.1", 2)}))[0] == 503
        await serves(app, scope={"client": ("10.0.0.2", 1)})
        await serves(app, scope={"client": None})  # as on a unix socket


async def test_who_is_not_let_in_takes_no_place_of_a_key() -> None:
    async def slow(websocket: WebSocket) -> bool:
        await anyio.sleep(1)
        return websocket.url.path == "/yes"

    app = app_of(max_sessions_per_key=1, session_key=asks_for, authorize=slow)
    async with MemoryPeer(app, "/no?user=a"), MemoryPeer(app, "/no?user=a"):
        await serves(app, path="/yes?user=a")


async def test_a_key_that_cannot_be_made_refuses_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def key(websocket: WebSocket) -> None:
        raise LookupError("no such user")

    app = app_of(max_sessions_per_key=1, session_key=key)
    assert (await denies(app))[0] == 500
    assert "no such user" in caplog.text


async def test_a_key_that_cannot_be_one_refuses_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def key(websocket: WebSocket) -> Any:
        return [websocket.url.path]

    app = app_of(max_sessions_per_key=1, session_key=key)
    for _ in range(2):  # and has its place back
        assert (await denies(app))[0] == 500
    assert "unhashable type: 'list'" in caplog.text
    assert app.statistics().refused == {"build": 2}


async def test_accepted_by_authorize_and_then_too_many() -> None:
    async def ask(websocket: WebSocket) -> bool:
        await websocket.accept()
        return True

    app = app_of(max_sessions_per_key=1, authorize=ask)
    async with MemoryPeer(app) as one:
        await one.send(bytes(1280))
        assert await one.receive() == bytes(1280)
        async with MemoryPeer(app) as two:
            assert await two.wait_closed() == (1013, "too many sessions")


async def test_what_it_counts_of_the_messages() -> None:
    app = app_of()
    async with MemoryPeer(app) as running:
        await running.send(bytes(1280))
        await running.send("no JSON")
        async with MemoryPeer(app) as over:
            await over.send("no JSON")
            await over.send(bytes(1280))
            await over.receive()
        await running.receive()
        statistics = app.statistics()
        assert (statistics.running, statistics.received, statistics.sent) == (1, 4, 2)
        assert statistics.dropped == {"bad_message": 2}
        assert (statistics.throttled, statistics.unsent) == (0, {})


async def test_none_at_all() -> None:
    assert (await denies(app_of(max_sessions=0)))[0] == 503


# --- draining


@asynccontextmanager
async def running(app: WebsocketApp, **options: Any) -> AsyncIterator[MemoryPeer]:
    async with MemoryPeer(app, exit_timeout_s=60, **options) as peer:
        await peer.connect()
        await settle()
        yield peer


async def test_draining_ends_sessions_with_1001_and_refuses_new_ones() -> None:
    tasks: list[PipelineTask] = []

    def keep(transport: WebsocketTransport) -> PipelineTask:
        tasks.append(build_task(transport))
        return tasks[-1]

    app = app_of(keep)
    async with running(app) as one, running(app) as two:
        await tasks[0].queue_frame(OutputAudioRawFrame(bytes(2 * RATE), RATE))
        async with anyio.create_task_group() as drain:
            begun_s = anyio.current_time()
            drain.start_soon(app.drain)
            await settle()
            assert await denies(app) == (503, b"the server is going away\n")
        assert anyio.current_time() - begun_s == pytest.approx(1.0)
        assert await one.wait_closed() == (1001, "ended")
        assert await two.wait_closed() == (1001, "ended")
        assert len(audio_of(one)) == 2 * RATE  # what was to be said has been said
    assert app.statistics().ended == {"ended": 2}
    assert app.statistics().refused == {"draining": 1}
    assert await app.drain() == 0


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    def long_winded(transport: WebsocketTransport) -> PipelineTask:
        task = build_task(transport)

        @task.event_handler("on_pipeline_started")
        async def talk(task: PipelineTask, frame: StartFrame) -> None:
            await task.queue_frame(OutputAudioRawFrame(bytes(2 * RATE * 100), RATE))

        return task

    app = app_of(long_winded, drain_timeout=20)
    async with running(app) as peer:
        begun_s = anyio.current_time()
        assert await app.drain() == 1
        assert anyio.current_time() - begun_s == pytest.approx(20, abs=1)
        assert await peer.wait_closed() == (1001, "cancelled")
    assert app.statistics().ended == {"cancelled": 1}
    async with running(app_of(long_winded)) as peer:
        pass


async def test_the_deadline_can_be_given() -> None:
    class Stuck(FrameProcessor):
        async def stop(self, frame: Any) -> None:
            await anyio.sleep_forever()

    app = app_of(lambda t: Pipeline([t.input(), Stuck(), t.output()]))
    async with running(app):
        begun_s = anyio.current_time()
        assert await app.drain(2) == 1
        assert anyio.current_time() - begun_s == pytest.approx(2, abs=1)


@pytest.mark.parametrize("slow", ["authorize", "build"])
async def test_a_connection_that_is_being_let_in_when_draining_begins_is_refused(
    slow: str,
) -> None:
    async def authorize(websocket: WebSocket) -> bool:
        await anyio.sleep(1)
        return True

    app = app_of(authorize=authorize) if slow == "authorize" else app_of(build_later)
    async with MemoryPeer(app) as peer:
        await settle()
        await app.drain()
        with pytest.raises(PeerDenied) as denied:
            await peer.connect()
    assert denied.value.status == 503
    assert app.statistics().accepted == 0


# --- what else may be asked of it


async def call(app: WebsocketApp, scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await app(scope, nothing, send)
    return sent


@pytest.mark.parametrize(("version", "upgrade"), [("1.1", True), ("2", False), ("3", False)])
async def test_a_plain_request_is_told_to_upgrade(version: str, upgrade: bool) -> None:
    start, body = await call(app_of(), {"type": "http", "http_version": version})
    assert start["status"] == 426
    assert ((b"upgrade", b"websocket") in start["headers"]) is upgrade
    assert body["body"] == b"this is a websocket endpoint\n"


async def test_any_other_kind_of_connection_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing here for a connection of type 'webtransport'"):
        await call(app_of(), {"type": "webtransport"})


async def test_the_shutdown_of_the_server_drains() -> None:
    app = app_of()
    shutdown = anyio.Event()
    sent: list[str] = []

    async def receive() -> Any:
        if not sent:
            return {"type": "lifespan.startup"}
        await shutdown.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async with anyio.create_task_group() as server:
        server.start_soon(app, {"type": "lifespan"}, receive, send)
        async with running(app) as peer:
            assert sent == ["lifespan.startup.complete"]
            shutdown.set()
            assert (await peer.wait_closed()).code == 1001
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def lifespan(app: WebsocketApp, *, started: anyio.Event, shutdown: anyio.Event) -> None:
    async def receive() -> Any:
        if not started.is_set():
            return {"type": "lifespan.startup"}
        await shutdown.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: Any) -> None:
        started.set()

    await app({"type": "lifespan"}, receive, send)


async def test_a_signal_drains_before_the_server_hears_of_it() -> None:
    """P24: on request, and a second one ends what the first one has not."""
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    app = app_of(handle_signals=True)
    started, shutdown = anyio.Event(), anyio.Event()
    try:
        async with anyio.create_task_group() as server:
            server.start_soon(lambda: lifespan(app, started=started, shutdown=shutdown))
            await started.wait()
            async with running(app) as peer, running(app) as stuck:
                stuck.stall()
                signal.raise_signal(signal.SIGTERM)
                assert await peer.wait_closed() == (1001, "ended")
                assert await denies(app) == (503, b"the server is going away\n")
            await anyio.sleep(0.1)
            assert told == [signal.SIGTERM]
            shutdown.set()
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_all_sessions_can_be_cancelled_at_once() -> None:
    app = app_of()
    async with running(app) as one, running(app) as two:
        await app.cancel()
        assert await one.wait_closed() == (1001, "cancelled")
        assert await two.wait_closed() == (1001, "cancelled")


async def test_mounted_in_starlette_and_in_fastapi() -> None:
    from fastapi import FastAPI
    from starlette.applications import Starlette
    from starlette.routing import Mount

    seen: list[str] = []

    def path(websocket: WebSocket) -> WebsocketParams:
        seen.append(websocket.url.path)
        return PARAMS

    mounted = app_of(params=path)
    fastapi = FastAPI()
    fastapi.mount("/ws", mounted)
    outer: list[Callable[..., Any]] = [Starlette(routes=[Mount("/ws", mounted)]), fastapi]
    for app in outer:
        async with MemoryPeer(app, "/ws/here", profile=HYPERCORN) as peer:
            await peer.send(bytes(1280))
            assert await peer.receive() == bytes(1280)
    assert seen == ["/ws/here"] * 2
