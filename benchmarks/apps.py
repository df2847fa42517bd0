"""The applications that are measured: an echo on bare ASGI, and an echo through a pipeline."""

from typing import Any

from benchmarks.data import SAMPLE_RATE
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
)
from wsframes.serializers import FrameSerializer, MsgpackFrameSerializer, RawAudioSerializer
from wsframes.transport import WebsocketParams, WebsocketTransport

__all__ = ["Echo", "bare_echo", "echo_session", "msgpack_echo", "pcm_echo"]


async def bare_echo(scope: Any, receive: Any, send: Any) -> None:
    """What ASGI and the server cost by themselves."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": message["bytes"]})


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
    scope: Any, receive: Any, send: Any, serializer: FrameSerializer, **params: Any
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
    await PipelineTask(Pipeline([transport.input(), Echo(), transport.output()])).run()
