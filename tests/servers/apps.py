"""What the servers serve: the same echo, mounted in every way that there is.

`application` is a plain ASGI callable. The first part of the path picks the way, and each is handed
the connection as the server gave it. The query says the rest: `session` is the connection's name in
the reports, `serializer` and some of the parameters set it up.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi import WebSocket as FastAPIWebSocket
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.servers.report import REPORTS, Report, write_report
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

__all__ = ["ALLOWED_ORIGIN", "MAX_MESSAGE_BYTES", "WAYS", "application", "deployed"]

ALLOWED_ORIGIN = "https://allowed.example"
MAX_MESSAGE_BYTES = 32 * 1024

_SERIALIZERS: dict[str, Callable[[], FrameSerializer]] = {
    "raw": RawAudioSerializer,
    "msgpack": MsgpackFrameSerializer,
    "json": JsonFrameSerializer,
}
_FLOOD = TransportMessageFrame("x" * 20_000)


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
                self.push_error("as it was told to", fatal=True)
                return
            elif frame.message == "flood":
                self.start_soon(self._flood)
                return
            else:
                frame = TransportMessageFrame(frame.message)
        self.push_frame_nowait(frame, direction)

    async def _flood(self) -> None:
        while True:
            await self.push_frame(_FLOOD.replace())


class Stuck(FrameProcessor):
    """Takes the first audio, and never comes back from it."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            await anyio.sleep_forever()
        await self.push_frame(frame, direction)


def params_of(websocket: WebSocket) -> WebsocketParams:
    query = websocket.query_params
    return WebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        serializer=_SERIALIZERS[query.get("serializer", "raw")](),
        audio_out_lead_ms=int(query.get("lead_ms", 2000)),
        max_message_bytes=MAX_MESSAGE_BYTES,
        session_timeout=float(query.get("session_timeout", 60)),
        write_timeout=float(query.get("write_timeout", 5)),
        receive_timeout=float(query["receive_timeout"]) if "receive_timeout" in query else None,
    )


def build(transport: WebsocketTransport) -> PipelineTask:
    """The pipeline, with everything noted that the report is to tell."""
    report: Report = transport.websocket.scope["report"]
    middle = Stuck() if "stuck" in transport.websocket.query_params else Echo()
    task = PipelineTask(Pipeline([transport.input(), middle, transport.output()]))

    def note(name: str) -> Callable[..., None]:
        return lambda *_: report.events.append(name)

    transport.add_event_handler("on_client_connected", note("connected"))
    transport.add_event_handler("on_client_disconnected", note("disconnected"))

    @task.event_handler("on_pipeline_finished")
    def finished(_: PipelineTask, result: RunResult) -> None:
        report.events.append("finished")
        report.reason = result.reason.value
        report.close_code = result.close_code
        report.stuck = result.stuck
        traffic = transport.statistics()
        report.received, report.sent = traffic.received, traffic.sent
        audio = transport.output().statistics()[None].audio_dropped
        for lost in (traffic.unsent, audio, transport.input().dropped, transport.output().dropped):
            report.lost.update(lost)

    return task


async def endpoint(websocket: WebSocket) -> None:
    """As an application of the user's own."""
    await websocket.accept()
    await build(WebsocketTransport(websocket, params_of(websocket))).run()


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """As an application without any framework."""
    params = params_of(WebSocket(scope, receive, send))
    await build(WebsocketTransport((scope, receive, send), params)).run()


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Without wsframes: what the server itself does with a connection."""
    report: Report = scope["report"]
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        report.received += 1
    report.close_code = event["code"]


app = WebsocketApp(build, params=params_of, allowed_origins=[ALLOWED_ORIGIN])
starlette = Starlette(
    routes=[
        WebSocketRoute("/starlette-endpoint", endpoint),
        WebSocketRoute("/starlette-route", WebsocketApp(build, params=params_of)),
        Mount("/starlette-mount", WebsocketApp(build, params=params_of)),
    ]
)
fastapi = FastAPI()


@fastapi.websocket("/fastapi")
async def fastapi_endpoint(websocket: FastAPIWebSocket) -> None:
    await endpoint(websocket)


WAYS: dict[str, ASGIApp] = {
    "app": app,
    "one-session": WebsocketApp(build, params=params_of, max_sessions=1),
    "bare": bare,
    "starlette-endpoint": starlette,
    "starlette-route": starlette,
    "starlette-mount/": starlette,
    "fastapi": fastapi,
}


# For the tests of a shutdown: its sessions are drained before the server hears of the signal.
DEPLOYED = WebsocketApp(build, params=params_of, handle_signals=True)


async def deployed(scope: Scope, receive: Receive, send: Send) -> None:
    await _serve(DEPLOYED, {"deployed": DEPLOYED, "plain": plain}, scope, receive, send)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await _serve(app, {**WAYS, "plain": plain}, scope, receive, send)


async def _serve(
    root: ASGIApp, ways: dict[str, ASGIApp], scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] == "lifespan":
        await root(scope, receive, send)
        return
    query: Any = WebSocket(scope, receive, send).query_params
    report = scope["report"] = Report(session=query["session"])
    try:
        await ways[scope["path"].removeprefix("/")](scope, receive, send)
    except BaseException as exc:
        report.raised = repr(exc)
        raise
    finally:
        report.over_at_s = time.monotonic()
        write_report(Path(os.environ[REPORTS]), report)
