"""The applications that are measured: an echo on bare ASGI, and an echo through a pipeline."""

from typing import Any

import anyio

from benchmarks.data import SAMPLE_RATE
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
)
from wsframes.serializers import FrameSerializer, MsgpackFrameSerializer, RawAudioSerializer
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport

__all__ = [
    "Echo",
    "bare_crowd",
    "bare_echo",
    "crowd",
    "crowd_limited",
    "echo_session",
    "msgpack_echo",
    "pcm_echo",
]


async def bare_echo(scope: Any, receive: Any, send: Any) -> None:
    """What ASGI and the server cost by themselves."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": message["bytes"]})


async def bare_crowd(scope: Any, receive: Any, send: Any) -> None:
    """`bare_echo` that can be told to end, as `crowd` can."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if (data := message.get("bytes")) is None:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.send", "bytes": data})


class Echo(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        self.push_frame_nowait(frame, direction)


async def pcm_echo(scope: Any, receive: Any, send: Any) -> None:
    """The same bytes on the wire as `bare_echo`."""
    await echo_session(scope, receive, send, RawAudioSerializer(SAMPLE_RATE))


async def msgpack_echo(scope: Any, receive: Any, send: Any) -> None:
    """The same audio, as a user would send it."""
    await echo_session(scope, receive, send, MsgpackFrameSerializer())


async def echo_session(
    scope: Any,
    receive: Any,
    send: Any,
    serializer: FrameSerializer,
    processor: FrameProcessor | None = None,
    **params: Any,
) -> None:
    transport = WebsocketTransport(
        (scope, receive, send),
        WebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_10ms_chunks=2,  # a message out for each message in
            serializer=serializer,
            session_timeout=3600,
            **params,
        ),
    )
    await PipelineTask(Pipeline([transport.input(), processor or Echo(), transport.output()])).run()


# What `crowd` connects to: five processors, of which one session may have a bad one.


class Tagged(FrameProcessor):
    """Does to each frame what a processor usually does: look at it, and pass it on."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputTransportMessageFrame) and frame.message == "end":
            frame, direction = EndFrame(), FrameDirection.UPSTREAM
        self.push_frame_nowait(frame, direction)


class Lane(FrameProcessor):
    """May wait."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)


class Raising(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            raise ValueError("as it was told")
        self.push_frame_nowait(frame, direction)


class Clinging(FrameProcessor):
    """Swallows its cancellation ten times, for a tenth of a second each."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            with anyio.CancelScope(shield=True):
                for _ in range(10):
                    await anyio.sleep(0.1)
        await self.push_frame(frame, direction)


_BAD_PROCESSORS: dict[str, type[FrameProcessor]] = {"raise": Raising, "cling": Clinging}


def _build(transport: WebsocketTransport) -> Pipeline:
    query = transport.websocket.query_params
    second = _BAD_PROCESSORS.get(query.get("bad", ""), Tagged)
    return Pipeline(
        [transport.input(), Tagged(), second(), Lane(), Echo(), Tagged(), transport.output()]
    )


def _params(websocket: Any) -> WebsocketParams:
    return WebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_out_10ms_chunks=2,
        serializer=RawAudioSerializer(SAMPLE_RATE),
    )


crowd = WebsocketApp(_build, params=_params)
crowd_limited = WebsocketApp(_build, params=_params, max_lateness_ms=20)
