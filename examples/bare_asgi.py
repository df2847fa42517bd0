"""Echo without any framework: `hypercorn --worker-class trio examples.bare_asgi:app`.

`WebsocketApp` is an ASGI application: a server runs it as it is, a framework mounts it. It runs a
pipeline for every connection, and ends them all when the server shuts down.
"""

from wsframes import InputAudioRawFrame, OutputAudioRawFrame, Pipeline
from wsframes.processors import processor
from wsframes.serializers import JsonFrameSerializer
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport


@processor
def echo(frame: InputAudioRawFrame) -> OutputAudioRawFrame:
    return OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)


def build(transport: WebsocketTransport) -> Pipeline:
    return Pipeline([transport.input(), echo(), transport.output()])


app = WebsocketApp(
    build,
    params=WebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        serializer=JsonFrameSerializer(),
        session_timeout=600,
    ),
    max_sessions=100,
)
