"""The parameters of what goes out, each as it is seen from outside: `test_` and its name."""

import wave
from array import array
from io import BytesIO
from typing import Any

import anyio
import pytest

from tests.audio.test_opus import tone
from tests.transport.sessions import RATE, Echo, Session, audio_of, sound, texts_of
from wsframes import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    OutputAudioRawFrame,
    PipelineParams,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.audio.pcm import remix, rms, wav_bytes
from wsframes.audio.soundfile_mixer import SoundfileMixer
from wsframes.graph import EndReason
from wsframes.serializers import (
    FrameSerializer,
    FrameSerializerType,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
    SerializerSettings,
)
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import WebsocketParams


async def spoken(session: Session, *frames: Frame) -> MemoryPeer:
    """What the peer has got when the session has played these frames, and ended."""
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([*frames, EndFrame()])
        await peer.wait_closed()
    return peer


def heard(peer: MemoryPeer, client: FrameSerializer) -> list[InputAudioRawFrame]:
    """The audio of the messages, as a client reads it."""
    frames = [client.deserialize(message.data) for message in peer.received]
    return [frame for frame in frames if isinstance(frame, InputAudioRawFrame)]


async def test_audio_out_enabled() -> None:
    """On: audio reaches the peer. Off: it is dropped and counted, and all else goes out."""
    for enabled in (True, False):
        session = Session(audio_out_enabled=enabled)
        peer = await spoken(
            session, OutputAudioRawFrame(sound(0.1), RATE), TransportMessageFrame("m")
        )
        assert audio_of(peer) == (sound(0.1) if enabled else b"")
        assert "m" in texts_of(peer)
        dropped = {} if enabled else {"audio_out_disabled": 1}
        assert session.transport.output().dropped == dropped
    assert WebsocketParams().audio_out_enabled is False


@pytest.mark.parametrize("by", ["parameter", "start frame", "neither"])
async def test_audio_out_sample_rate(by: str) -> None:
    """Audio at another rate is resampled, to its last sample; where none is set it is not."""
    params: dict[str, Any] = {"audio_out_sample_rate": 8000} if by == "parameter" else {}
    task_params = PipelineParams(audio_out_sample_rate=8000) if by == "start frame" else None
    session = Session(serializer=MsgpackFrameSerializer(), task_params=task_params, **params)
    peer = await spoken(session, OutputAudioRawFrame(tone(1.0, 24000), 24000))
    frames = heard(peer, MsgpackFrameSerializer(client=True))
    rate = 24000 if by == "neither" else 8000
    assert {frame.sample_rate for frame in frames} == {rate}
    audio = b"".join(frame.audio for frame in frames)
    assert len(audio) == 2 * rate
    middle = slice(rate // 2, rate)
    assert rms(audio[middle]) == pytest.approx(rms(tone(1.0, rate)[middle]), rel=0.01)


@pytest.mark.parametrize(("come", "go"), [(1, 2), (2, 1)])
async def test_audio_out_channels(come: int, go: int) -> None:
    """Audio is mixed down or up, and lasts as long as before."""
    session = Session(audio_out_channels=go, serializer=MsgpackFrameSerializer())
    whole = sound(1.0, RATE, come)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frames([OutputAudioRawFrame(whole, RATE, come), EndFrame()])
        await peer.wait_closed()
        assert anyio.current_time() - begun_s == pytest.approx(1.0)
    frames = heard(peer, MsgpackFrameSerializer(client=True))
    assert {frame.num_channels for frame in frames} == {go}
    assert b"".join(frame.audio for frame in frames) == remix(whole, come, go)


@pytest.mark.parametrize("kind", [MsgpackFrameSerializer, JsonFrameSerializer])
@pytest.mark.parametrize("bitrate", [16000, 96000])
async def test_audio_out_bitrate(bitrate: int, kind: Any) -> None:
    """Ten seconds in Opus have the bits that are asked for, to 10 %, and sound as before."""
    session = Session(serializer=kind(opus=True), audio_out_bitrate=bitrate)
    whole = tone(10.0, RATE, hz=440)
    peer = await spoken(session, OutputAudioRawFrame(whole, RATE))

    sizes = Sizes()
    client = kind(client=True, opus=True)
    client._packer = sizes
    frames = heard(peer, client)
    assert sum(frame.num_frames for frame in frames) == 10 * RATE
    assert 8 * sizes.bytes / 10 == pytest.approx(bitrate, rel=0.1)
    plain = kind(client=True, opus=True)
    audio = b"".join(frame.audio for frame in heard(peer, plain))
    assert len(audio) == len(whole)
    assert rms(audio) == pytest.approx(rms(whole), rel=0.1)


class Sizes:
    """Counts the bytes of packets, and gives silence for them."""

    def __init__(self) -> None:
        self.bytes = 0

    def pack(
        self, audio: bytes, sample_rate: int, num_channels: int, destination: str | None
    ) -> list[bytes]:
        raise AssertionError("nothing is packed here")

    def unpack(
        self,
        packets: list[bytes],
        num_frames: int,
        sample_rate: int,
        num_channels: int,
        source: str | None,
    ) -> bytes:
        self.bytes += sum(map(len, packets))
        return bytes(2 * num_channels * num_frames)


async def test_audio_out_bitrate_is_handed_to_every_serializer() -> None:
    """Whatever it makes of it."""
    told: list[int] = []

    class Own(RawAudioSerializer):
        def configure(self, settings: SerializerSettings) -> None:
            told.append(settings.audio_out_bitrate)

    await spoken(Session(serializer=Own(), audio_out_bitrate=12345))
    await spoken(Session(serializer=Own()))
    assert told == [12345, 96000]


@pytest.mark.parametrize("chunks", [1, 4, 7])
async def test_audio_out_10ms_chunks(chunks: int) -> None:
    """Each message holds so much, and the last one what is left, which is not lost."""
    whole = sound(0.51)
    peer = await spoken(Session(audio_out_10ms_chunks=chunks), OutputAudioRawFrame(whole, RATE))
    sizes = [len(message.data) for message in peer.received if isinstance(message.data, bytes)]
    full, rest = divmod(len(whole), chunks * 320)
    assert sizes == [chunks * 320] * full + [rest] * (rest > 0)
    assert audio_of(peer) == whole


@pytest.mark.parametrize("how", ["one", "mapping"])
async def test_audio_out_mixer(how: str, tmp_path: Any) -> None:
    """Its sound is heard in real time, with what is said and without, until it is turned off."""
    path = tmp_path / "hum.wav"
    path.write_bytes(wav_bytes(b"\x64\x00" * 1234, RATE, 1))  # 100, without end
    mixer = SoundfileMixer(sound_files={"hum": path}, default_sound="hum", volume=1.0)
    session = Session(
        audio_out_mixer=mixer if how == "one" else {None: mixer}, audio_out_sample_rate=RATE
    )
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(1)
        assert len(audio_of(peer)) == pytest.approx(2 * RATE, abs=2 * 1280)
        await session.task.queue_frame(OutputAudioRawFrame(b"\x10\x27" * RATE, RATE))  # 10000
        await anyio.sleep(0.5)
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(0.5)
        await session.task.queue_frame(MixerUpdateSettingsFrame({"volume": 5.0}))
        await anyio.sleep(0.5)
        await session.task.queue_frame(MixerEnableFrame(False))
        await anyio.sleep(0.5)
    samples = array("h", audio_of(peer))
    levels = [samples[0]]
    for sample in samples:
        if sample != levels[-1]:
            levels.append(sample)
    assert levels == [100, 10100, 100, 500, 0]


async def test_audio_out_destinations() -> None:
    """Each name is a stream of its own, paced by itself; one that is unknown is dropped."""
    session = Session(
        serializer=JsonFrameSerializer(), audio_out_destinations=["a", "b"], audio_out_lead_ms=0
    )
    client = JsonFrameSerializer(client=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        for name in (None, "a", "b", "c"):
            frame = OutputAudioRawFrame(sound(1.0), RATE, transport_destination=name)
            await session.task.queue_frame(frame)
        await anyio.sleep(3)
    by_name: dict[str | None, list[tuple[float, bytes]]] = {}
    for message in peer.received:
        read = client.deserialize(message.data)
        assert isinstance(read, InputAudioRawFrame)
        by_name.setdefault(read.transport_source, []).append((message.time_s - begun_s, read.audio))
    assert set(by_name) == {None, "a", "b"}
    for chunks in by_name.values():
        assert b"".join(audio for _, audio in chunks) == sound(1.0)
        assert [time_s for time_s, _ in chunks] == pytest.approx([0.04 * n for n in range(25)])
    assert session.transport.output().dropped == {"unknown_destination": 1}


@pytest.mark.parametrize("lead_ms", [0, 200, 1000])
async def test_audio_out_lead_ms(lead_ms: int) -> None:
    """So far ahead of its playing audio leaves."""
    session = Session(audio_out_lead_ms=lead_ms)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(sound(3), RATE))
        await anyio.sleep(1)
        ahead_s = len(audio_of(peer)) / 2 / RATE - 1
        assert -1e-6 <= ahead_s - lead_ms / 1000 <= 0.041


async def test_audio_out_queue_ms() -> None:
    """So much audio may wait; then its producer does."""
    session = Session(audio_out_queue_ms=500, audio_out_lead_ms=0)
    async with MemoryPeer(session):
        await session.started.wait()
        for _ in range(60):
            session.tap.push_frame_nowait(OutputAudioRawFrame(sound(0.05), RATE))
        await settle()
        queued = session.transport.output().statistics()[None].audio_queued
        assert 0.5 * RATE <= queued <= 0.56 * RATE


async def test_audio_out_queue_ms_of_less_than_a_chunk() -> None:
    """A chunk has room in any case: audio is sent in its own time."""
    session = Session(audio_out_queue_ms=500, audio_out_10ms_chunks=100)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        for n in range(100):
            await session.task.queue_frame(OutputAudioRawFrame(sound(0.05, first=n), RATE))
        await session.task.queue_frame(EndFrame())
        await session.finished()
        assert anyio.current_time() - begun_s == pytest.approx(5.0)
        assert audio_of(peer) == b"".join(sound(0.05, first=n) for n in range(100))
        assert len(peer.received) == 5


async def test_add_wav_header() -> None:
    """Each message is a complete WAV file."""
    for channels in (1, 2):
        session = Session(
            add_wav_header=True,
            serializer=RawAudioSerializer(RATE, channels),
            audio_out_channels=channels,
        )
        whole = sound(0.1, RATE, channels)
        peer = await spoken(session, OutputAudioRawFrame(whole, RATE, channels))
        played = b""
        for data in [message.data for message in peer.received]:
            assert isinstance(data, bytes)
            with wave.open(BytesIO(data)) as file:
                assert (file.getframerate(), file.getnchannels()) == (RATE, channels)
                assert file.getsampwidth() == 2
                played += file.readframes(file.getnframes())
        assert played == whole


async def test_serializer() -> None:
    """It is set up once, and all that crosses goes through it; without one, nothing crosses."""
    calls: list[str] = []

    class Lines(FrameSerializer):
        type = FrameSerializerType.TEXT

        async def setup(self, frame: StartFrame) -> None:
            calls.append("setup")

        def serialize(self, frame: Frame) -> str | None:
            return f"<{frame.text}>" if isinstance(frame, TextFrame) else None

        async def deserialize(self, data: str | bytes) -> Frame | None:
            return TextFrame(str(data)) if data else None

    session = Session(serializer=Lines())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await peer.send("hello")
        await peer.send("")
        await settle()
        assert [message.data for message in peer.received] == ["<hello>"]
    assert calls == ["setup"]
    statistics = session.transport.input().statistics()
    assert (statistics.delivered, statistics.ignored) == (1, 1)

    session = Session(Echo(), serializer=None)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await peer.send(b"read, and dropped")
        await session.task.queue_frame(TextFrame("x"))
        await settle()
        assert peer.received == []
    assert session.transport.input().dropped == {"no_serializer": 1}


async def test_session_timeout() -> None:
    """From the start on, whatever happens; then the event, once, and the end with that reason."""
    session = Session(Echo(), session_timeout=60)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for _ in range(59):
            await peer.send(sound(0.04))
            await anyio.sleep(1)
        assert "session_timeout" not in session.events
        closed = await peer.wait_closed()
        assert closed.code == 1000
        assert anyio.current_time() == pytest.approx(60, abs=0.01)
    assert session.events.count("session_timeout") == 1
    assert session.result.reason is EndReason.SESSION_TIMEOUT


async def test_end_on_session_timeout() -> None:
    """False: the event is told, once, and the session goes on."""
    session = Session(Echo(), session_timeout=60, end_on_session_timeout=False)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(200)
        assert session.events.count("session_timeout") == 1
        await peer.send(sound(0.04))
        await settle()
        assert audio_of(peer) == sound(0.04)
