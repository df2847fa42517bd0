"""Echo, mounted in Starlette: `uvicorn examples.echo_asgi:app`.

Speak MessagePack to ws://127.0.0.1:8000/ws; `docs/frames.md` and `wsframes.frames.codec` say how.
"""

import logging

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
)
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.transport import WebsocketParams, WebsocketTransport

logger = logging.getLogger(__name__)


class Echo(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        self.push_frame_nowait(frame, direction)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    transport = WebsocketTransport(
        websocket,
        WebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            serializer=MsgpackFrameSerializer(),
            session_timeout=600,
        ),
    )
    end = await PipelineTask(Pipeline([transport.input(), Echo(), transport.output()])).run()
    logger.info("session over: %s, close code %s", end.reason, end.close_code)


app = Starlette(routes=[WebSocketRoute("/ws", echo)])
