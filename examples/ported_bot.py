"""The bot of `docs/porting.md`, ported from Pipecat: `uvicorn examples.ported_bot:app`."""

import json

from fastapi import FastAPI, WebSocket

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
    TransportMessageFrame,
)
from wsframes.serializers import FrameSerializer, FrameSerializerType
from wsframes.transport.fastapi_websocket import FastAPIWebsocketParams, FastAPIWebsocketTransport

RATE = 16000


class Wire(FrameSerializer):
    """Binary messages are PCM, text messages are JSON."""

    type = FrameSerializerType.BINARY

    async def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        if isinstance(frame, TransportMessageFrame):
            return json.dumps(frame.message)
        return None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        if isinstance(data, bytes):
            return InputAudioRawFrame(data, RATE, 1)
        return InputTransportMessageFrame(json.loads(data))


class Echo(FrameProcessor):
    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        elif isinstance(frame, InputTransportMessageFrame):
            await self.push_frame(TransportMessageFrame({"heard": frame.message["say"]}))
            if frame.message == {"say": "bye"}:
                await self.push_frame(EndFrame(), FrameDirection.UPSTREAM)
            return
        await self.push_frame(frame, direction)


app = FastAPI()


@app.websocket("/ws")
async def bot(websocket: WebSocket) -> None:
    await websocket.accept()
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_10ms_chunks=2,
            serializer=Wire(),
            session_timeout=600,
        ),
    )
    task = PipelineTask(Pipeline([transport.input(), Echo(), transport.output()]))

    @transport.event_handler("on_client_connected")
    async def greet(transport: FastAPIWebsocketTransport, websocket: WebSocket) -> None:
        await task.queue_frame(TransportMessageFrame({"say": "hello"}))

    await task.run()
