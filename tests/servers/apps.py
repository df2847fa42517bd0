"""What the servers serve: the same echo, mounted in every way that there is.

`application` is a plain ASGI callable. The first part of the path picks the way, and each is handed
the connection as the server gave it. The query says the rest: `session` names the connection in the
reports, `serializer` and `lead_ms` set it up.
"""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi import WebSocket as FastAPIWebSocket
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.servers.report import REPORTS, Report, ReportWriter
from wsframes import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
    RunResult,
    TransportMessageFrame,
)
from wsframes.serializers import (
    FrameSerializer,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
)
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport

__all__ = ["ALLOWED_ORIGIN", "MAX_MESSAGE_BYTES", "application"]

ALLOWED_ORIGIN = "https://allowed.example"
MAX_MESSAGE_BYTES = 32 * 1024

_SERIALIZERS: dict[str, Callable[[], FrameSerializer]] = {
    "raw": RawAudioSerializer,
    "msgpack": MsgpackFrameSerializer,
    "json": JsonFrameSerializer,
}

writer = ReportWriter(Path(os.environ[REPORTS]))


class Echo(FrameProcessor):
    """Answers audio with the same audio, a message with the same message, or obeys it."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        elif isinstance(frame, InputTransportMessageFrame):
            if frame.message == "end":
                frame, direction = EndFrame(), FrameDirection.UPSTREAM
            elif frame.message == "cancel":
                frame, direction = CancelFrame(), FrameDirection.UPSTREAM
            elif frame.message == "fail":
                self.push_error("as it was told", fatal=True)
                return
            else:
                frame = TransportMessageFrame(frame.message)
        self.push_frame_nowait(frame, direction)


def params_of(websocket: WebSocket) -> WebsocketParams:
    query = websocket.query_params
    return WebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        serializer=_SERIALIZERS[query.get("serializer", "raw")](),
        audio_out_lead_ms=int(query.get("lead_ms", 2000)),
        max_message_bytes=MAX_MESSAGE_BYTES,
    )


def echo(transport: WebsocketTransport) -> PipelineTask:
    """The pipeline, with everything noted that the report is to tell."""
    task = PipelineTask(Pipeline([transport.input(), Echo(), transport.output()]))
    report: Report = transport.websocket.scope["report"]

    def note(name: str) -> Callable[..., None]:
        return lambda *_: report.events.append(name)

    transport.add_event_handler("on_client_connected", note("connected"))
    transport.add_event_handler("on_client_disconnected", note("disconnected"))

    @task.event_handler("on_pipeline_finished")
    def finished(_: PipelineTask, result: RunResult) -> None:
        report.reason = result.reason.value
        report.close_code = result.close_code
        report.error = None if result.error is None else str(result.error)
        report.stuck = result.stuck
        report.events.append("finished")
        traffic = transport.statistics()
        report.received, report.sent = traffic.received, traffic.sent
        media = transport.output().statistics()[None]
        for lost in (
            traffic.unsent,
            transport.input().dropped,
            transport.output().dropped,
            media.audio_dropped,
            media.frames_dropped,
        ):
            report.lost.update(lost)

    return task


async def run_on(websocket: Any) -> None:
    """As an endpoint of the user's own runs it."""
    starlette_websocket = websocket if isinstance(websocket, WebSocket) else WebSocket(*websocket)
    await echo(WebsocketTransport(websocket, params_of(starlette_websocket))).run()


async def endpoint(websocket: WebSocket) -> None:
    await websocket.accept()
    await run_on(websocket)


async def pair(scope: Scope, receive: Receive, send: Send) -> None:
    await run_on((scope, receive, send))


app = WebsocketApp(echo, params=params_of, allowed_origins=[ALLOWED_ORIGIN], drain_timeout=1.0)
one_at_a_time = WebsocketApp(echo, params=params_of, max_sessions=1)
starlette = Starlette(
    routes=[
        WebSocketRoute("/starlette-route", endpoint),
        Mount("/starlette-mount", WebsocketApp(echo, params=params_of)),
    ]
)
fastapi = FastAPI()


@fastapi.websocket("/fastapi")
async def fastapi_endpoint(websocket: FastAPIWebSocket) -> None:
    await endpoint(websocket)


_WAYS: dict[str, ASGIApp] = {
    "app": app,
    "one": one_at_a_time,
    "bare": pair,
    "starlette-route": starlette,
    "starlette-mount": starlette,
    "fastapi": fastapi,
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await app(scope, receive, send)
        return
    query = dict(WebSocket(scope, receive, send).query_params)
    report = Report(session=query["session"])
    scope["report"] = report
    way: Callable[[Scope, Receive, Send], Awaitable[None]] = _WAYS[scope["path"].split("/")[1]]
    try:
        await way(scope, receive, send)
    except BaseException as exc:
        report.raised = repr(exc)
        raise
    finally:
        report.over_at_s = time.monotonic()
        writer.write(report)
