"""An ASGI application that runs one pipeline on its connection, and notes all that happens."""

from typing import Any

import anyio
import msgspec
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from wsframes import (
    BaseObserver,
    ErrorFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    FramePushed,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineParams,
    PipelineTask,
    RunResult,
)
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer
from wsframes.transport import WebsocketParams, WebsocketTransport

__all__ = ["Echo", "Session", "audio_of", "sound", "texts_of"]

RATE = 16000


class Echo(FrameProcessor):
    """Answers audio with the same audio."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        self.push_frame_nowait(frame, direction)


class _Watch(BaseObserver):
    """Notes what comes out of the output, either way, with its time."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def on_push_frame(self, data: FramePushed) -> None:
        if data.source == "output":
            frames = self._session.down if data.direction is FrameDirection.DOWNSTREAM else []
            frames.append((data.time_s, data.frame))
        elif data.source == "input" and data.direction is FrameDirection.DOWNSTREAM:
            self._session.read.append(data.frame)


class Session:
    """Serves one connection; audio in and out on, bare PCM on the wire, unless told otherwise.

    Args:
        processors: between input and output.
        task_params: of the run.
        accepted: accept the connection before the transport gets it.
        observe: note the frames; it slows each hop down.
        only: "input" or "output": leave the other end out of the pipeline.
        below: behind the output.
        runs: how often to run the task: more than once to resume after a stop.
        pause_s: between the runs.
        params: of the transport.

    Attributes:
        events: names of what transport and task told, in order.
        event_times_s: when each of them was told.
        errors: the error frames.
        down: what came out of the output downstream, with the time.
        read: what the input pushed downstream.
        results: how each run ended that returned.
        told: how each run ended, as `on_pipeline_finished` was told.
        observers: of the run; add to it before it begins.
        tap: stands before the output; frames can be pushed from it.
    """

    def __init__(
        self,
        *processors: FrameProcessor,
        task_params: PipelineParams | None = None,
        accepted: bool = False,
        observe: bool = False,
        only: str = "",
        below: tuple[FrameProcessor, ...] = (),
        runs: int = 1,
        pause_s: float = 0.0,
        **params: Any,
    ) -> None:
        defaults: dict[str, Any] = {
            "audio_in_enabled": True,
            "audio_out_enabled": True,
            "serializer": RawAudioSerializer(RATE),
        }
        self.params = WebsocketParams(**defaults | params)
        self.events: list[str] = []
        self.event_times_s: list[float] = []
        self.errors: list[ErrorFrame] = []
        self.down: list[tuple[float, Frame]] = []
        self.read: list[Frame] = []
        self.results: list[RunResult] = []
        self.told: list[RunResult] = []
        self.observers: list[BaseObserver] = []
        self.started = anyio.Event()
        self._finished = anyio.Event()
        self.transport: WebsocketTransport
        self.task: PipelineTask
        self.tap = FrameProcessor(name="tap")
        self._processors = (*processors, self.tap)
        self._below = below
        self._task_params = task_params
        self._accepted = accepted
        self._observe = observe
        self._only = only
        self._runs = runs
        self._pause_s = pause_s

    @property
    def result(self) -> RunResult:
        """How the only run ended."""
        (result,) = self.results
        return result

    async def finished(self) -> None:
        """Wait until the application is over."""
        await self._finished.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket: Any = (scope, receive, send)
        if self._accepted:
            websocket = WebSocket(scope, receive, send)
            await websocket.accept()
        self._build(websocket)
        for number in range(self._runs):
            if number:
                await anyio.sleep(self._pause_s)
            self.results.append(await self.task.run())
            if self.task.has_finished():
                break
        await self.task.aclose()
        self._finished.set()

    def _build(self, websocket: Any) -> None:
        transport = WebsocketTransport(websocket, self.params, "input", "output")
        ends: dict[str, tuple[FrameProcessor, ...]] = {
            "": (transport.input(), *self._processors, transport.output(), *self._below),
            "input": (transport.input(), *self._processors),
            "output": (*self._processors, transport.output(), *self._below),
        }
        task = PipelineTask(
            Pipeline(ends[self._only]),
            params=self._task_params,
            observers=[*self.observers, *([_Watch(self)] if self._observe else [])],
        )
        for event in ("on_client_connected", "on_client_disconnected", "on_session_timeout"):
            transport.add_event_handler(event, self._note(event))
        for event in ("on_pipeline_started", "on_pipeline_finished"):
            task.add_event_handler(event, self._note(event))
        task.add_event_handler("on_pipeline_started", lambda *_: self.started.set())
        task.add_event_handler("on_pipeline_finished", lambda _, result: self.told.append(result))
        task.add_event_handler("on_pipeline_error", lambda _, frame: self.errors.append(frame))
        self.transport, self.task = transport, task

    def _note(self, event: str) -> Any:
        def note(*_: object) -> None:
            self.events.append(event.removeprefix("on_"))
            self.event_times_s.append(anyio.current_time())

        return note


def sound(seconds: float, rate: int = RATE, num_channels: int = 1, first: int = 0) -> bytes:
    """PCM of which no two neighbouring samples are equal, so that a shift or a gap is seen."""
    samples = round(seconds * rate) * num_channels
    return b"".join(
        ((first + n) * 251 % 65521).to_bytes(2, "little", signed=False) for n in range(samples)
    )


def audio_of(peer: MemoryPeer) -> bytes:
    """The binary messages that the peer has read, joined."""
    return b"".join(message.data for message in peer.received if isinstance(message.data, bytes))


def texts_of(peer: MemoryPeer) -> list[Any]:
    """The text messages that the peer has read, decoded."""
    return [
        msgspec.json.decode(message.data)
        for message in peer.received
        if isinstance(message.data, str)
    ]
