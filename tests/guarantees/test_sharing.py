"""What keeps the state of a session serves no other one, in `WebsocketApp` with fixed params."""

import json
from base64 import b64encode
from typing import Any

import anyio
import pytest

from tests.transport.sessions import Echo, texts_of
from wsframes import (
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
)
from wsframes.audio import BaseAudioMixer
from wsframes.frames import Frame
from wsframes.serializers import (
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
    SerializerSettings,
    TwilioFrameSerializer,
)
from wsframes.testing import MemoryPeer, PeerClosed
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport

SILENCE = bytes(640)


class Hears(FrameProcessor):
    """Notes the loudest sample that comes."""

    def __init__(self) -> None:
        super().__init__()
        self.peaks: list[int] = []

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            self.peaks.append(max(map(abs, memoryview(frame.audio).cast("h"))))
        self.push_frame_nowait(frame, direction)


class Hum(BaseAudioMixer):
    """A background of ones."""

    def __init__(self) -> None:
        self.is_on = False

    def start(self, sample_rate: int) -> None:
        self.is_on = True

    def stop(self) -> None:
        self.is_on = False

    def mix(self, audio: bytes) -> bytes:
        assert self.is_on
        return b"\x01\x00" * (len(audio) // 2)

    def process_frame(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None: ...


def app_of(*processors: FrameProcessor, **params: Any) -> tuple[WebsocketApp, list[str]]:
    """An application whose sessions are given the same params, and what it was told of errors."""
    errors: list[str] = []
    each = iter(processors)

    def build(transport: WebsocketTransport) -> PipelineTask:
        task = PipelineTask(Pipeline([transport.input(), next(each), transport.output()]))
        task.add_event_handler("on_pipeline_error", lambda _, frame: errors.append(frame.error))
        return task

    fixed = WebsocketParams(audio_in_enabled=True, audio_out_enabled=True, **params)
    return WebsocketApp(build, params=fixed), errors


async def is_refused(app: WebsocketApp) -> None:
    """Connect, and be told that the session has failed."""
    async with MemoryPeer(app) as peer:
        with pytest.raises(PeerClosed, match="1011"), anyio.fail_after(10):
            await _answer(peer)
    assert peer.received == []


async def _answer(peer: MemoryPeer) -> None:
    await peer.connect()
    await peer.receive()


@pytest.mark.parametrize("kind", [MsgpackFrameSerializer, JsonFrameSerializer])
async def test_no_user_hears_another_through_a_serializer_with_opus(kind: Any) -> None:
    """The first user's silence stays silence, whoever comes with the same serializer."""
    first, second = Hears(), Hears()
    app, errors = app_of(first, second, Hears(), serializer=kind(opus=True))

    client = kind(client=True, opus=True)
    client.configure(SerializerSettings())
    async with MemoryPeer(app) as peer:
        await peer.connect()
        for at in range(20):
            await peer.send(client.serialize(OutputAudioRawFrame(SILENCE, 16000)))
            await anyio.sleep(0.02)
            if at == 5:
                await is_refused(app)
    await is_refused(app)  # afterwards too: who shares one learns it at the second session
    assert len(first.peaks) == 20
    assert max(first.peaks) < 10
    assert second.peaks == []
    refused = f"this {kind.__name__} has served another session"
    assert errors
    assert all(refused in error for error in errors)
    assert app.statistics().ended == {"client_disconnected": 1, "error": 2}


async def test_no_call_is_sent_as_another_one() -> None:
    """What the first call is told has its own SID only, and the second one is told nothing."""
    app, errors = app_of(
        Echo(), Echo(), audio_out_sample_rate=8000, serializer=TwilioFrameSerializer()
    )
    async with MemoryPeer(app) as peer:
        start = {"event": "start", "streamSid": "A", "start": {"streamSid": "A"}}
        await peer.send(json.dumps(start))
        await is_refused(app)
        media = {"track": "inbound", "payload": b64encode(bytes(160)).decode()}
        await peer.send(json.dumps({"event": "media", "media": media}))
        await anyio.sleep(1)
    assert {message["streamSid"] for message in texts_of(peer)} == {"A"}
    assert all("this TwilioFrameSerializer has served another" in error for error in errors)


@pytest.mark.parametrize("by_name", [False, True])
async def test_a_background_goes_on_when_a_second_session_has_asked_for_its_mixer(
    by_name: bool,
) -> None:
    """One session at a time has a mixer; the refused one changes nothing, and the next one may."""
    mixer = Hum()
    app, errors = app_of(
        *(Echo() for _ in range(3)),
        audio_out_sample_rate=16000,
        audio_out_mixer={None: mixer} if by_name else mixer,
        serializer=RawAudioSerializer(16000),
    )
    for _ in range(2):
        async with MemoryPeer(app) as peer:
            await peer.connect()
            begun_s = anyio.current_time()
            await anyio.sleep(0.5)
            if not errors:
                await is_refused(app)
            await anyio.sleep(1.5)
        assert peer.received[-1].time_s - begun_s > 1.9
        assert not mixer.is_on
    (error,) = errors
    assert "audio_out_mixer: this Hum is in use by another session" in error
