# mypy: ignore-errors
"""The bot of `docs/porting.md` on Pipecat, as it was: `uvicorn docs.porting.pipecat_bot:app`.

It runs in an environment of its own, with pipecat-ai[websocket], fastapi and uvicorn.
"""

import json

from fastapi import FastAPI, WebSocket
from pipecat.frames.frames import (
    EndWorkerFrame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

RATE = 16000


class Wire(FrameSerializer):
    """Binary messages are PCM, text messages are JSON."""

    async def serialize(self, frame):
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        if isinstance(frame, OutputTransportMessageFrame):
            return json.dumps(frame.message)
        return None

    async def deserialize(self, data):
        if isinstance(data, bytes):
            return InputAudioRawFrame(data, RATE, 1)
        return InputTransportMessageFrame(json.loads(data))


class Echo(FrameProcessor):
    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        elif isinstance(frame, InputTransportMessageFrame):
            await self.push_frame(OutputTransportMessageFrame({"heard": frame.message["say"]}))
            if frame.message == {"say": "bye"}:
                await self.push_frame(EndWorkerFrame(), FrameDirection.UPSTREAM)
            return
        await self.push_frame(frame, direction)


app = FastAPI()


@app.websocket("/ws")
async def bot(websocket: WebSocket):
    await websocket.accept()
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_10ms_chunks=2,
            audio_out_end_silence_secs=0,
            serializer=Wire(),
            session_timeout=600,
        ),
    )
    worker = PipelineWorker(
        Pipeline([transport.input(), Echo(), transport.output()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        enable_rtvi=False,
    )

    @transport.event_handler("on_client_connected")
    async def greet(transport, websocket):
        await worker.queue_frame(OutputTransportMessageFrame({"say": "hello"}))

    @transport.event_handler("on_client_disconnected")
    async def left(transport, websocket):
        await worker.cancel()

    @transport.event_handler("on_session_timeout")
    async def too_long(transport, websocket):
        await worker.stop_when_done()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
