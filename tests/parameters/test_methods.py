"""The members of the seed page's six classes, each as it is seen from outside.

`test_`, the class in a word, and the member's name.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from pydantic import ValidationError
from starlette.websockets import WebSocket

from tests.transport.sessions import RATE, Echo, Session, audio_of, sound, texts_of
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputImageRawFrame,
    Pipeline,
    PipelineTask,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.audio.dtmf import dtmf_tone
from wsframes.exceptions import ClosedByUsError, UsageError
from wsframes.graph import EndReason
from wsframes.serializers import JsonFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import (
    WebsocketCallbacks,
    WebsocketClient,
    WebsocketInputTransport,
    WebsocketOutputTransport,
    WebsocketParams,
    WebsocketTransport,
)
from wsframes.transport import fastapi_websocket as seed

CALLBACKS = ("on_client_connected", "on_client_disconnected", "on_session_timeout")


class Told:
    """Callbacks that note what they are told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.websockets: list[WebSocket] = []

    def callbacks(self) -> WebsocketCallbacks:
        return WebsocketCallbacks(**{name: self._note(name) for name in CALLBACKS})

    def _note(self, name: str) -> Callable[[WebSocket], Awaitable[None]]:
        async def note(websocket: WebSocket) -> None:
            self.names.append(name)
            self.websockets.append(websocket)

        return note


class App:
    """An ASGI application that does one thing with the client of its connection."""

    def __init__(self, does: Callable[[WebsocketClient], Awaitable[None]]) -> None:
        self._does = does
        self.told = Told()
        self.client: WebsocketClient

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.client = WebsocketClient((scope, receive, send), True, self.told.callbacks())
        await self._does(self.client)


async def hold(client: WebsocketClient) -> None:
    """Open the connection, and keep it until the peer leaves."""
    await client.setup(StartFrame())
    async for _ in client.receive():
        raise AssertionError("the peer says nothing")


def test_the_seed_page_s_names_are_these_classes() -> None:
    assert seed.FastAPIWebsocketParams is WebsocketParams
    assert seed.FastAPIWebsocketCallbacks is WebsocketCallbacks
    assert seed.FastAPIWebsocketClient is WebsocketClient
    assert seed.FastAPIWebsocketInputTransport is WebsocketInputTransport
    assert seed.FastAPIWebsocketOutputTransport is WebsocketOutputTransport
    assert seed.FastAPIWebsocketTransport is WebsocketTransport


# --- WebsocketParams


def test_params_model_config() -> None:
    """A pydantic model, by keyword, that takes objects of any type and no name of its own."""
    assert WebsocketParams.model_config["arbitrary_types_allowed"] is True
    with pytest.raises(ValidationError, match="audio_out_enable"):
        WebsocketParams(audio_out_enable=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        WebsocketParams(True)  # type: ignore[call-arg]


# --- WebsocketCallbacks


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_are_all_required(name: str) -> None:
    rest = {each: getattr(Told().callbacks(), each) for each in CALLBACKS if each != name}
    with pytest.raises(ValidationError, match=name):
        WebsocketCallbacks(**rest)


async def test_callbacks_on_client_connected() -> None:
    app = App(WebsocketClient.trigger_client_connected)
    async with MemoryPeer(app):
        await settle()
    assert app.told.names == ["on_client_connected"]
    assert app.told.websockets == [app.client.websocket]


async def test_callbacks_on_client_disconnected() -> None:
    app = App(WebsocketClient.trigger_client_disconnected)
    async with MemoryPeer(app):
        await settle()
    assert app.told.names == ["on_client_disconnected"]
    assert app.told.websockets == [app.client.websocket]


async def test_callbacks_on_session_timeout() -> None:
    app = App(WebsocketClient.trigger_client_timeout)
    async with MemoryPeer(app):
        await settle()
    assert app.told.names == ["on_session_timeout"]
    assert app.told.websockets == [app.client.websocket]


# --- WebsocketClient


async def test_client_setup() -> None:
    """Accepts the connection, if nobody has."""
    app = App(hold)
    async with MemoryPeer(app) as peer:
        await peer.connect()
        assert peer.accepted
        assert app.client.is_connected


async def test_client_receive() -> None:
    """An async iterator of bytes and str, until the peer leaves."""
    got: list[str | bytes] = []

    async def read(client: WebsocketClient) -> None:
        await client.setup(StartFrame())
        messages = client.receive()
        got.extend([data async for data in messages])

    app = App(read)
    async with MemoryPeer(app) as peer:
        await peer.connect()
        await peer.send(b"\x01\x02")
        await peer.send("text")
        peer.close(4001)
        await settle()
    assert got == [b"\x01\x02", "text"]
    assert app.client.close_code == 4001


async def test_client_send() -> None:
    """bytes go out as binary messages, str as text; after the end there is nothing to raise."""
    results: list[bool] = []

    async def write(client: WebsocketClient) -> None:
        await client.setup(StartFrame())
        results.append(await client.send(b"\x01"))
        results.append(await client.send("text"))
        await client.disconnect()
        results.append(await client.send("late"))

    async with MemoryPeer(App(write)) as peer:
        await peer.wait_closed()
        assert [message.data for message in peer.received] == [b"\x01", "text"]
    assert results == [True, True, False]


async def test_client_disconnect() -> None:
    """The socket is closed when as many have let go of it as had taken hold."""

    async def two(client: WebsocketClient) -> None:
        await client.setup(StartFrame())
        await client.setup(StartFrame())
        await client.disconnect()
        await anyio.sleep(5)
        assert client.is_connected
        await client.disconnect()
        with pytest.raises(ClosedByUsError):
            await client.setup(StartFrame())

    async with MemoryPeer(App(two)) as peer:
        assert (await peer.wait_closed()).code == 1000
        assert anyio.current_time() == pytest.approx(5.0)


async def test_client_trigger_client_connected() -> None:
    session = Session()
    async with MemoryPeer(session):
        await session.started.wait()
        await settle()
        assert session.events[0] == "client_connected"
        await session.transport.client.trigger_client_connected()
        await settle()
        assert session.events.count("client_connected") == 2


async def test_client_trigger_client_disconnected() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.close()
        await session.finished()
    assert session.events.count("client_disconnected") == 1


async def test_client_trigger_client_timeout() -> None:
    session = Session()
    async with MemoryPeer(session):
        await session.started.wait()
        await session.transport.client.trigger_client_timeout()
        await settle()
        assert session.events.count("session_timeout") == 1


async def test_client_is_connected() -> None:
    states: list[bool] = []

    async def look(client: WebsocketClient) -> None:
        states.append(client.is_connected)
        await client.setup(StartFrame())
        states.append(client.is_connected)
        await client.disconnect()
        states.append(client.is_connected)

    async with MemoryPeer(App(look)) as peer:
        await peer.wait_closed()
    assert states == [False, True, False]


async def test_client_is_closing() -> None:
    """Told of this side's closing, never of the peer's."""
    states: list[bool] = []

    async def look(client: WebsocketClient) -> None:
        await client.setup(StartFrame())
        states.append(client.is_closing)
        await client.disconnect()
        states.append(client.is_closing)

    async with MemoryPeer(App(look)) as peer:
        await peer.wait_closed()
    assert states == [False, True]
    app = App(hold)
    async with MemoryPeer(app) as peer:
        await peer.connect()
        peer.close()
        await settle()
        assert not app.client.is_closing
        assert not app.client.is_connected


# --- WebsocketInputTransport


async def test_input_start() -> None:
    """Opens the connection and reads: what the peer sends comes out as frames."""
    session = Session(observe=True)
    async with MemoryPeer(session) as peer:
        await peer.connect()
        await session.started.wait()
        await peer.send(sound(0.02))
        await settle()
    (frame,) = [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]
    assert frame.audio == sound(0.02)


async def test_input_stop() -> None:
    """After an end it still notices the peer, and lets no media through."""
    session = Session(observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(sound(5), RATE), EndFrame()])
        await anyio.sleep(1)
        await peer.send(sound(0.02))
        await anyio.sleep(1)
        peer.close(4000)
        await session.finished()
        assert anyio.current_time() == pytest.approx(2.0, abs=0.1)
    assert session.result.reason is EndReason.CLIENT_DISCONNECTED
    assert not [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]


async def test_input_cancel() -> None:
    """Nothing is read any more."""
    session = Session(Echo(), observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.cancel()
        await session.finished()
        assert (await peer.wait_closed()).code == 1001
    assert session.result.reason is EndReason.CANCELLED


@pytest.mark.parametrize("only", ["input", "output"])
async def test_input_cleanup(only: str) -> None:
    """Each end lets go of the socket when it is done; alone, it closes it."""
    session = Session(only=only)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.stop_when_done()
        assert (await peer.wait_closed()).code == 1000


# --- WebsocketOutputTransport


async def test_output_start() -> None:
    """Opens the connection and sends."""
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(sound(0.1), RATE))
        await anyio.sleep(1)
        assert audio_of(peer) == sound(0.1)


async def test_output_stop() -> None:
    """At an end everything is played out to its last sample, and then the socket is closed."""
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(sound(2.01), RATE), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert anyio.current_time() == pytest.approx(2.01, abs=0.001)
        assert audio_of(peer) == sound(2.01)


async def test_output_cancel() -> None:
    """Nothing more is sent, and what waited is counted."""
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(sound(5), RATE))
        await anyio.sleep(1.01)
        await session.task.cancel()
        assert (await peer.wait_closed()).code == 1001
        assert len(audio_of(peer)) == 2 * 26 * 640
    dropped = session.transport.output().statistics()[None].audio_dropped
    assert dropped == {"cancelled": 5 * RATE - 26 * 640}


async def test_output_cleanup() -> None:
    """The socket is closed when input and output have both let go, also after an error."""

    class Broken(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                self.push_error("no more", fatal=True)
            self.push_frame_nowait(frame, direction)

    session = Session(Broken())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(TextFrame("x"))
        assert (await peer.wait_closed()).code == 1011
    assert session.result.reason is EndReason.ERROR


async def test_output_process_frame() -> None:
    """Ordered frames in order, urgent ones at once, an interruption as the peer's mark."""
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames(
            [OutputAudioRawFrame(sound(0.5), RATE), TransportMessageFrame("behind")]
        )
        await settle()
        await session.task.queue_frame(TransportMessageUrgentFrame("at once"))
        await anyio.sleep(1)
        assert texts_of(peer) == ["at once", "behind"]
        await session.task.queue_frame(InterruptionFrame())
        await settle()
        assert texts_of(peer)[-1] == {"type": "interruption"}


@pytest.mark.parametrize("kind", [TransportMessageFrame, TransportMessageUrgentFrame])
async def test_output_send_message(kind: Any) -> None:
    """Past everything that waits; says whether the server has taken it."""
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        output = session.transport.output()
        await session.task.queue_frame(OutputAudioRawFrame(sound(0.5), RATE))
        await settle()
        assert await output.send_message(kind({"a": 1}))
        assert texts_of(peer) == [{"a": 1}]
        assert not await output.send_message(kind({"no": b"json"}))
    assert output.dropped == {"encode_error": 1}


async def test_output_write_audio_frame() -> None:
    """Past everything that waits."""
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * RATE), RATE))
        await settle()
        frame = OutputAudioRawFrame(sound(0.1), RATE)
        assert await session.transport.output().write_audio_frame(frame)
        assert audio_of(peer) == bytes(1280) + sound(0.1)


async def test_output_write_video_frame() -> None:
    """A picture at once."""
    session = Session(serializer=JsonFrameSerializer(), video_in_enabled=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        picture = OutputImageRawFrame(bytes(range(12)), (2, 2), "RGB")
        assert await session.transport.output().write_video_frame(picture)
        await settle()
        (message,) = texts_of(peer)
    assert message["type"] == "image"


@pytest.mark.parametrize("serializer", [JsonFrameSerializer(), RawAudioSerializer(RATE)])
async def test_output_write_dtmf(serializer: Any) -> None:
    """As the serializer's message, or else as its tone."""
    session = Session(serializer=serializer, audio_out_sample_rate=RATE)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        assert await session.transport.output().write_dtmf(OutputDTMFFrame("7"))
        await anyio.sleep(1)
        if isinstance(serializer, JsonFrameSerializer):
            assert texts_of(peer) == [{"type": "dtmf", "button": "7"}]
        else:
            assert audio_of(peer) == dtmf_tone("7", RATE)


# --- WebsocketTransport


async def _one_session(websocket: WebSocket) -> None:
    transport = WebsocketTransport(
        websocket,
        WebsocketParams(serializer=JsonFrameSerializer()),
        input_name="ears",
        output_name="mouth",
    )
    assert isinstance(transport.input(), WebsocketInputTransport)
    assert transport.input() is transport.input()
    assert transport.input().name == "ears"
    assert isinstance(transport.output(), WebsocketOutputTransport)
    assert transport.output() is transport.output()
    assert transport.output().name == "mouth"
    with pytest.raises(UsageError, match="on_client_conected"):
        transport.event_handler("on_client_conected")(print)
    seen: list[str] = []

    @transport.event_handler("on_client_connected")
    async def connected(which: WebsocketTransport, socket: WebSocket) -> None:
        assert (which, socket) == (transport, websocket)
        seen.append("connected")

    @transport.event_handler("on_client_disconnected")
    async def disconnected(which: WebsocketTransport, socket: WebSocket) -> None:
        assert (which, socket) == (transport, websocket)
        seen.append("disconnected")

    await PipelineTask(Pipeline([transport.input(), transport.output()])).run()
    assert seen == ["connected", "disconnected"]
    websocket.scope["state"]["seen"] = seen


async def _serve(peer_does: Callable[[MemoryPeer], Awaitable[None]]) -> list[str]:
    state: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope | {"state": state}, receive, send)
        await websocket.accept()
        await _one_session(websocket)

    async with MemoryPeer(app) as peer:
        await peer.connect()
        await peer_does(peer)
        await settle()
    seen: list[str] = state["seen"]
    return seen


async def test_transport_input() -> None:
    """The processor that frames of the peer come out of, by its name."""

    async def leave(peer: MemoryPeer) -> None:
        await settle()
        peer.close()

    assert await _serve(leave) == ["connected", "disconnected"]


async def test_transport_output() -> None:
    """The processor that frames for the peer go into: here those that came from it."""

    async def talk(peer: MemoryPeer) -> None:
        await settle()
        await peer.send('{"type":"text","text":"there and back"}')
        assert await peer.receive() == '{"type":"text","text":"there and back"}'
        peer.close()

    assert await _serve(talk) == ["connected", "disconnected"]


async def test_transport_event_handler() -> None:
    """Handlers are called with transport and websocket, each event once."""

    async def be_lost(peer: MemoryPeer) -> None:
        await settle()
        peer.reset()

    assert await _serve(be_lost) == ["connected", "disconnected"]
