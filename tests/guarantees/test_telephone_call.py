"""A telephone call by Twilio, through a whole session."""

import json
from base64 import b64decode, b64encode

import anyio

from tests.transport.sessions import Echo, Session, texts_of
from wsframes import (
    BotStoppedSpeakingFrame,
    EndFrame,
    InputDTMFFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
)
from wsframes.audio.g711 import mulaw_to_pcm
from wsframes.graph import EndReason
from wsframes.serializers import TwilioFrameSerializer
from wsframes.testing import MemoryPeer

SID = "MZ1"
SPEECH = bytes(range(0x80, 0x100)) * 15  # 240 ms of mu-law


async def test_a_call_is_answered_interrupted_and_ended() -> None:
    """What is said comes back bit for bit, `clear` follows an interruption, marks are answered."""
    session = Session(
        Echo(),
        serializer=TwilioFrameSerializer(),
        audio_in_sample_rate=8000,
        audio_out_sample_rate=8000,
        observe=True,
    )
    async with MemoryPeer(session) as peer, anyio.create_task_group() as tasks:
        tasks.start_soon(_play, peer)
        await peer.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        start = {"event": "start", "streamSid": SID, "start": {"streamSid": SID}}
        await peer.send(json.dumps(start))
        for at in range(0, len(SPEECH), 160):
            payload = b64encode(SPEECH[at : at + 160]).decode()
            media = {"event": "media", "media": {"track": "inbound", "payload": payload}}
            await peer.send(json.dumps(media))
        await peer.send('{"event":"dtmf","dtmf":{"digit":"*"}}')
        await anyio.sleep(1.0)
        assert any(isinstance(frame, InputDTMFFrame) for frame in session.read)
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(0.5)
        await session.task.queue_frame(EndFrame())
        await session.finished()

    assert session.result.reason is EndReason.ENDED
    told = texts_of(peer)
    assert {message["streamSid"] for message in told} == {SID}
    sounds = [message["media"]["payload"] for message in told if message["event"] == "media"]
    assert b"".join(map(b64decode, sounds)) == SPEECH
    assert [message["event"] for message in told if message["event"] != "media"] == [
        "mark",
        "clear",
    ]
    statistics = session.transport.statistics().input
    assert statistics.delivered + statistics.ignored == statistics.taken
    assert statistics.ignored == 1  # "connected"
    assert session.errors == []


async def test_a_greeting_that_was_said_before_the_start_is_heard() -> None:
    """All of it has left before `start` came, and nothing follows it but its mark."""
    session = Session(
        serializer=TwilioFrameSerializer(),
        audio_in_sample_rate=8000,
        audio_out_sample_rate=8000,
        observe=True,
    )
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        greeting = OutputAudioRawFrame(mulaw_to_pcm(SPEECH[:1280]), 8000)
        await session.task.queue_frame(greeting)
        await anyio.sleep(0.05)
        assert session.down != []  # it counts as sent
        assert peer.received == []
        start = {"event": "start", "streamSid": SID, "start": {"streamSid": SID}}
        await peer.send(json.dumps(start))
        await anyio.sleep(3)
        await session.task.queue_frame(EndFrame())
        await session.finished()
    (message,) = texts_of(peer)
    assert message["streamSid"] == SID
    assert b64decode(message["media"]["payload"]) == SPEECH[:1280]
    assert [type(frame) for _, frame in session.down].count(BotStoppedSpeakingFrame) == 1
    assert session.errors == []
    assert session.result.reason is EndReason.ENDED


async def _play(peer: MemoryPeer) -> None:
    """Twilio's end: plays what it gets, and answers marks when it has."""
    played_s = anyio.current_time()
    async for data in peer:
        message = json.loads(data)
        if message["event"] == "media":
            seconds = len(b64decode(message["media"]["payload"])) / 8000
            played_s = max(played_s, anyio.current_time()) + seconds
        elif message["event"] == "mark":
            await anyio.sleep_until(played_s)
            peer.send_nowait(json.dumps(message))
