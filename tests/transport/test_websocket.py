"""`wsframes.transport.websocket`: the transport as its users see it, and under Pipecat's names."""

from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.transport.sessions import RATE, Echo, Session
from wsframes import (
    CancelFrame,
    EndFrame,
    FrameDirection,
    FrameProcessor,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
    StartFrame,
    TransportMessageFrame,
)
from wsframes.exceptions import UsageError
from wsframes.graph import EndReason
from wsframes.serializers import JsonFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import WebsocketParams, WebsocketTransport, fastapi_websocket
from wsframes.transport.base import BaseTransport
from wsframes.transport.fastapi_websocket import (
    FastAPIWebsocketCallbacks,
    FastAPIWebsocketClient,
    FastAPIWebsocketInputTransport,
    FastAPIWebsocketOutputTransport,
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)

SCOPE = {"type": "websocket", "headers": []}


def bare() -> tuple[Any, Any, Any]:
    return (dict(SCOPE), anyio.sleep_forever, anyio.sleep)


async def test_its_parts() -> None:
    params = WebsocketParams()
    transport = WebsocketTransport(bare(), params, "in", "out")
    assert isinstance(transport, BaseTransport)
    assert transport.params is params
    assert transport.input() is transport.input()
    assert transport.output() is transport.output()
    assert (transport.input().name, transport.output().name) == ("in", "out")
    assert transport.websocket is transport.client.websocket
    assert transport.statistics().received == 0
    other = WebsocketTransport(bare(), params)
    assert other.input().name.startswith("WebsocketInputTransport#")
    assert other.output().name.startswith("WebsocketOutputTransport#")


@pytest.mark.parametrize(
    ("serializer", "binary"),
    [(None, False), (JsonFrameSerializer(), False), (RawAudioSerializer(), True)],
)
async def test_whether_it_is_binary_is_the_serializer_s_business(
    serializer: Any, binary: bool
) -> None:
    transport = WebsocketTransport(bare(), WebsocketParams(serializer=serializer))
    assert transport.client.is_binary is binary


@pytest.mark.parametrize("params", [None, {}, {"audio_in_enabled": True}])
async def test_parameters_of_another_kind_are_refused(params: Any) -> None:
    with pytest.raises(UsageError, match="params must be WebsocketParams, not"):
        WebsocketTransport(bare(), params)


async def test_something_that_is_no_websocket_is_refused() -> None:
    with pytest.raises(UsageError, match="not str"):
        WebsocketTransport("ws://localhost", WebsocketParams())


async def test_an_unknown_event_is_refused_and_the_known_ones_named() -> None:
    transport = WebsocketTransport(bare(), WebsocketParams())
    with pytest.raises(UsageError, match="on_client_connected, on_client_disconnected, on_sess"):
        transport.event_handler("on_connect")(print)
    with pytest.raises(UsageError, match="has no event 'on_connect'"):
        transport.add_event_handler("on_connect", print)


async def test_handlers_are_called_with_transport_and_websocket_def_or_async() -> None:
    told: list[tuple[str, object, object]] = []
    transports: list[WebsocketTransport] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        transport = WebsocketTransport(websocket, WebsocketParams(session_timeout=1))
        transports.append(transport)

        @transport.event_handler("on_client_connected")
        async def connected(transport: WebsocketTransport, websocket: WebSocket) -> None:
            await anyio.sleep(0.1)
            told.append(("connected", transport, websocket))

        @transport.event_handler("on_client_connected")
        def connected_too(transport: WebsocketTransport, websocket: WebSocket) -> None:
            told.append(("connected too", transport, websocket))

        @transport.event_handler("on_session_timeout")
        async def timeout(transport: WebsocketTransport, websocket: WebSocket) -> None:
            told.append(("timeout", transport, websocket))

        await PipelineTask(Pipeline([transport.input(), transport.output()])).run()

    async with MemoryPeer(app) as peer:
        await peer.wait_closed()
    (transport,) = transports
    websocket = transport.websocket
    assert told == [
        ("connected", transport, websocket),
        ("connected too", transport, websocket),
        ("timeout", transport, websocket),
    ]


async def test_a_session_told_to_begin_by_its_connection() -> None:
    """As bots do: the greeting is queued in `on_client_connected`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        transport = WebsocketTransport(
            (scope, receive, send), WebsocketParams(serializer=JsonFrameSerializer())
        )
        task = PipelineTask(Pipeline([transport.input(), transport.output()]))

        @transport.event_handler("on_client_connected")
        async def greet(transport: WebsocketTransport, websocket: WebSocket) -> None:
            await task.queue_frame(TransportMessageFrame("hello"))

        await task.run()

    async with MemoryPeer(app) as peer:
        assert await peer.receive() == '{"type":"message","message":"hello"}'


# --- Pipecat's names


def test_pipecat_s_names_are_the_same_classes() -> None:
    from wsframes import transport

    for name in fastapi_websocket.__all__:
        ours = getattr(transport, name.removeprefix("FastAPI"))
        assert getattr(fastapi_websocket, name) is ours
    assert len(fastapi_websocket.__all__) == 6


# The seed page's members, by class.
MEMBERS = {
    FastAPIWebsocketClient: (
        "setup receive send disconnect trigger_client_disconnected trigger_client_connected "
        "trigger_client_timeout is_connected is_closing"
    ),
    FastAPIWebsocketInputTransport: "start stop cancel cleanup",
    FastAPIWebsocketOutputTransport: (
        "start stop cancel cleanup process_frame send_message write_audio_frame "
        "write_video_frame write_dtmf"
    ),
    FastAPIWebsocketTransport: "input output event_handler",
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_the_seed_page_s_members_are_there(kind: type) -> None:
    assert [name for name in MEMBERS[kind].split() if not hasattr(kind, name)] == []


async def test_a_bot_that_was_written_for_pipecat() -> None:
    """Only its imports were changed."""
    log: list[str] = []

    async def bot(websocket: Any) -> None:
        transport = FastAPIWebsocketTransport(
            websocket=websocket,
            params=FastAPIWebsocketParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                add_wav_header=False,
                serializer=RawAudioSerializer(RATE),
                session_timeout=60 * 3,
            ),
        )
        pipeline = Pipeline([transport.input(), Echo(), transport.output()])
        task = PipelineTask(pipeline)

        @transport.event_handler("on_client_connected")
        async def on_client_connected(transport: Any, client: Any) -> None:
            log.append("connected")
            await task.queue_frames([TransportMessageFrame({"greeting": "hello"})])

        @transport.event_handler("on_client_disconnected")
        async def on_client_disconnected(transport: Any, client: Any) -> None:
            log.append("disconnected")
            await task.cancel()

        @transport.event_handler("on_session_timeout")
        async def on_session_timeout(transport: Any, client: Any) -> None:
            raise AssertionError("it is over long before")

        await task.run()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await bot(websocket)

    async with MemoryPeer(app) as peer:
        assert await peer.receive() == '{"greeting":"hello"}'
        await peer.send(bytes(1280))
        assert await peer.receive() == bytes(1280)
    assert log == ["connected", "disconnected"]


async def test_parts_put_together_by_hand() -> None:
    """The constructors of the seed page: a client, and an input and an output that share it."""
    log: list[str] = []

    async def note(websocket: WebSocket) -> None:
        log.append("told")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        params = FastAPIWebsocketParams(audio_out_enabled=True, serializer=RawAudioSerializer())
        transport = FastAPIWebsocketTransport((scope, receive, send), params)
        callbacks = FastAPIWebsocketCallbacks(
            on_client_connected=note, on_client_disconnected=note, on_session_timeout=note
        )
        client = FastAPIWebsocketClient(transport.websocket, True, callbacks)
        assert client.websocket is transport.websocket
        assert not client.is_connected
        assert not client.is_closing
        await client.trigger_client_connected()
        assert log == ["told"]
        entrance = FastAPIWebsocketInputTransport(transport, transport.client, params, name="in")
        exit = FastAPIWebsocketOutputTransport(transport, transport.client, params, name="out")
        task = PipelineTask(Pipeline([entrance, exit]))
        await task.queue_frames([OutputAudioRawFrame(bytes(1280), RATE), EndFrame()])
        result = await task.run()
        assert result.reason is EndReason.ENDED

    async with MemoryPeer(app) as peer:
        assert await peer.receive() == bytes(1280)
        assert (await peer.wait_closed()).code == 1000


async def test_the_hooks_can_be_called_as_pipecat_s_are() -> None:
    """`await super().start(frame)` and the like, in a subclass."""
    log: list[str] = []

    class MyInput(FastAPIWebsocketInputTransport):
        async def start(self, frame: StartFrame) -> None:  # type: ignore[override]
            super().start(frame)
            log.append("input start")

        async def stop(self, frame: EndFrame) -> None:  # type: ignore[override]
            super().stop(frame)
            log.append("input stop")

        async def cancel(self, frame: CancelFrame) -> None:
            super().cancel(frame)
            log.append("input cancel")

    class MyOutput(FastAPIWebsocketOutputTransport):
        async def start(self, frame: StartFrame) -> None:
            await super().start(frame)
            log.append("output start")

        async def stop(self, frame: EndFrame) -> None:
            await super().stop(frame)
            log.append("output stop")

        async def cancel(self, frame: CancelFrame) -> None:
            await super().cancel(frame)
            log.append("output cancel")

        async def process_frame(self, frame: Any, direction: FrameDirection) -> None:
            await super().process_frame(frame, direction)

    for end in (EndFrame(), CancelFrame()):
        tasks: list[PipelineTask] = []

        async def app(scope: Any, receive: Any, send: Any, tasks: Any = tasks) -> None:
            params = WebsocketParams()
            transport = WebsocketTransport((scope, receive, send), params)
            pipeline = [
                MyInput(transport, transport.client, params),
                FrameProcessor(),
                MyOutput(transport, transport.client, params),
            ]
            tasks.append(PipelineTask(Pipeline(pipeline)))
            await tasks[0].run()

        async with MemoryPeer(app) as peer:
            await peer.connect()
            await settle()
            await tasks[0].queue_frame(end)
            await peer.wait_closed()
    assert log[:2] == ["input start", "output start"]
    assert log[2:4] == ["input stop", "output stop"]
    assert sorted(log[6:]) == ["input cancel", "output cancel"]


async def test_a_transport_in_a_pipeline_that_never_runs_can_be_cleaned_up() -> None:
    session = Session()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        session._build((scope, receive, send))
        await session.transport.output().cleanup()
        await session.transport.input().cleanup()

    async with MemoryPeer(app) as peer:
        await peer.wait_closed()
        assert peer.denied_status == 403
