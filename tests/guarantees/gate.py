"""Applications that let one path in and refuse all others: with wsframes, and as bare as can be."""

from typing import Any

from starlette.websockets import WebSocket

from benchmarks.apps import Echo, bare_echo
from benchmarks.data import SAMPLE_RATE
from wsframes import Pipeline
from wsframes.serializers import RawAudioSerializer
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport

__all__ = ["OPEN", "bare", "ours"]

OPEN = "/open"


def build(transport: WebsocketTransport) -> Pipeline:
    return Pipeline([transport.input(), Echo(), transport.output()])


def params(_: WebSocket) -> WebsocketParams:
    return WebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_out_10ms_chunks=2,  # a message out for each message in
        serializer=RawAudioSerializer(SAMPLE_RATE),
    )


async def authorize(websocket: WebSocket) -> bool:
    return websocket.scope["path"] == OPEN  # type: ignore[no-any-return]


ours = WebsocketApp(build, params=params, authorize=authorize)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == OPEN:
        await bare_echo(scope, receive, send)
    else:
        await receive()
        await send({"type": "websocket.close"})
