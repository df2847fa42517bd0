"""`wsframes.transport.output`, in sessions with a peer in memory."""

import struct
import sys
from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Session, audio_of, sound, texts_of
from wsframes import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    HeartbeatFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputImageRawFrame,
    PipelineParams,
    SpriteFrame,
    StartFrame,
    StopFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
    TTSAudioRawFrame,
    UserStartedSpeakingFrame,
)
from wsframes.exceptions import EncodeError, UsageError
from wsframes.graph import EndReason
from wsframes.serializers import (
    FrameSerializer,
    FrameSerializerType,
    JsonFrameSerializer,
    RawAudioSerializer,
)
from wsframes.testing import UVICORN_SANSIO, MemoryPeer, settle
from wsframes.transport import Interrupted

UPSTREAM = FrameDirection.UPSTREAM


def audio(data: bytes, rate: int = RATE, channels: int = 1, **common: Any) -> OutputAudioRawFrame:
    return OutputAudioRawFrame(data, rate, channels, **common)


class Named(RawAudioSerializer):
    """Bare PCM; other frames as JSON of their type, and of what they say."""

    def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        said = getattr(frame, "text", None) or getattr(frame, "message", None)
        said = said or getattr(frame, "button", None)
        return f'"{type(frame).__name__}{f" {said}" if said else ""}"'


def wire_order(peer: MemoryPeer) -> list[str]:
    """What the peer has read, audio by its first byte."""
    return [
        chr(message.data[0]) if isinstance(message.data, bytes) else message.data.strip('"')
        for message in peer.received
    ]


# --- what goes out, and in which order


async def test_ordered_frames_leave_in_their_order_and_pass_on_when_they_have() -> None:
    session = Session(serializer=Named(), observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        frames = [
            audio(b"a" * 1280),
            TransportMessageFrame("m"),
            audio(b"b" * 100),
            TextFrame("t"),
            OutputDTMFFrame("5"),
            TTSAudioRawFrame(b"c" * 1280, RATE),
        ]
        await session.task.queue_frames(frames)
        await settle()
        assert wire_order(peer) == [
            "a",
            "TransportMessageFrame m",
            "b",
            "TextFrame t",
            "OutputDTMFFrame 5",
            "c",
        ]
    passed = [frame for _, frame in session.down if not isinstance(frame, StartFrame)]
    data = [frame for frame in passed if frame.lane.value == "ordered"]
    assert [type(frame) for frame in data] == [
        OutputAudioRawFrame,
        TransportMessageFrame,
        OutputAudioRawFrame,
        TextFrame,
        OutputDTMFFrame,
        OutputAudioRawFrame,
    ]
    assert data[1] is frames[1]
    assert session.transport.output().statistics()[None].frames_sent == 3


async def test_what_the_serializer_has_no_message_for_passes_on_in_its_turn() -> None:
    class AudioOnly(RawAudioSerializer):
        def serialize(self, frame: Frame) -> str | bytes | None:
            return frame.audio if isinstance(frame, OutputAudioRawFrame) else None

    session = Session(serializer=AudioOnly(), audio_out_lead_ms=0, observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        text = TextFrame("after a second")
        await session.task.queue_frames([audio(bytes(2 * RATE)), text])
        await anyio.sleep(2)
        begun_s = session.event_times_s[0]
        (passed_s,) = [time_s - begun_s for time_s, frame in session.down if frame is text]
        assert passed_s == pytest.approx(0.96)
        assert texts_of(peer) == []


@pytest.mark.parametrize("kind", [TransportMessageUrgentFrame, OutputDTMFUrgentFrame])
async def test_urgent_frames_leave_at_once(kind: Any) -> None:
    session = Session(serializer=Named(), audio_out_lead_ms=0, observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        urgent = kind("5")
        await session.task.queue_frame(audio(b"a" * 2 * RATE))
        await settle()
        await session.task.queue_frame(urgent)
        await settle()
        assert wire_order(peer) == ["a", f"{kind.__name__} 5"]
        assert urgent in [frame for _, frame in session.down]


async def test_an_urgent_frame_that_cannot_be_sent_does_not_pass_on() -> None:
    session = Session(observe=True, serializer=JsonFrameSerializer())
    async with MemoryPeer(session):
        await session.started.wait()
        urgent = TransportMessageUrgentFrame(object())
        await session.task.queue_frame(urgent)
        await settle()
    assert urgent not in [frame for _, frame in session.down]
    assert session.transport.output().dropped == {"encode_error": 1}
    assert len(session.errors) == 1


async def test_system_frames_pass_at_once_and_are_not_sent() -> None:
    session = Session(serializer=Named(), audio_out_lead_ms=0, observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        frame = UserStartedSpeakingFrame()
        await session.task.queue_frames([audio(b"a" * 2 * RATE), frame])
        await settle()
        assert frame in [frame for _, frame in session.down]
        assert wire_order(peer) == ["a"]


async def test_a_heartbeat_does_not_wait_for_the_audio_to_be_played() -> None:
    session = Session(audio_out_lead_ms=0, observe=True)
    async with MemoryPeer(session):
        await session.started.wait()
        beat = HeartbeatFrame(0.0)
        await session.task.queue_frames([audio(bytes(2 * RATE)), beat])
        await settle()
        assert beat in [frame for _, frame in session.down]


async def test_upstream_frames_pass() -> None:
    seen: list[Frame] = []

    class Above(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            seen.append(frame)
            self.push_frame_nowait(frame, direction)

    below = FrameProcessor()
    session = Session(Above(), below=(below,), audio_out_queue_ms=100, audio_out_lead_ms=0)
    async with MemoryPeer(session):
        await session.started.wait()
        text, late = TextFrame("at once"), TextFrame("behind one that waits for room")
        below.push_frame_nowait(text, UPSTREAM)
        for _ in range(3):
            session.tap.push_frame_nowait(audio(bytes(3200)))
        below.push_frame_nowait(late, UPSTREAM)
        below.push_frame_nowait(StopFrame(), UPSTREAM)
        await session.finished()
    assert seen.index(text) < seen.index(late)
    assert session.result.reason is EndReason.STOPPED


# --- what is refused


@pytest.mark.parametrize(
    ("frame", "reason", "params"),
    [
        (audio(bytes(640)), "audio_out_disabled", {"audio_out_enabled": False}),
        (OutputImageRawFrame(bytes(3), (1, 1), "RGB"), "video_out_disabled", {}),
        (SpriteFrame([]), "video_out_disabled", {}),
        (audio(bytes(640), transport_destination="b"), "unknown_destination", {}),
        (TextFrame("x", transport_destination="b"), "unknown_destination", {}),
        (audio(bytes(640), rate=0), "unusable_audio", {}),
        (audio(bytes(640), channels=0), "unusable_audio", {}),
    ],
)
async def test_what_cannot_go_out_is_dropped_counted_and_reported_once(
    frame: Frame, reason: str, params: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(observe=True, **params)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([frame] * 3)
        await settle()
        assert peer.received == []
    assert session.transport.output().dropped == {reason: 3}
    assert frame not in [frame for _, frame in session.down]
    records = [record for record in caplog.records if "output" in record.getMessage()]
    assert len(records) == 1
    assert len(session.errors) == (reason == "unusable_audio")


async def test_without_numpy_another_rate_is_refused_and_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "wsframes.audio.resample", raising=False)
    session = Session(audio_out_sample_rate=RATE)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for rate in (8000, RATE, 8000, RATE):
            await session.task.queue_frame(audio(b"a" * 1280, rate=rate))
        await settle()
        assert audio_of(peer) == b"a" * 2560
    (error,) = session.errors
    assert "audio of 8000 Hz where 16000 Hz is set" in error.error
    assert 'pip install "wsframes[audio]"' in error.error
    assert not error.fatal
    assert session.transport.output().dropped == {"unusable_audio": 2}


async def test_the_rate_may_come_from_the_start_frame() -> None:
    session = Session(
        task_params=PipelineParams(audio_out_sample_rate=8000), serializer=RawAudioSerializer(8000)
    )
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(audio(bytes(640), rate=16000))
        await anyio.sleep(1)
        assert audio_of(peer) == bytes(320)


async def test_a_serializer_that_fails_costs_the_frame_and_is_logged_once_a_second(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(RawAudioSerializer):
        def serialize(self, frame: Frame) -> str | bytes | None:
            if isinstance(frame, TextFrame):
                raise EncodeError(f"not {frame.text}")
            return super().serialize(frame)

    session = Session(serializer=Failing())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for _ in range(5):
            await session.task.queue_frames([TextFrame("this")] * 10)
            await anyio.sleep(0.5)
        await session.task.queue_frame(audio(b"good" * 320))
        await settle()
        assert audio_of(peer) == b"good" * 320
    statistics = session.transport.output().statistics()[None]
    assert statistics.frames_dropped == {"encode_error": 50}
    assert len(session.errors) == 50
    assert len(caplog.records) == 3
    assert "output cannot send TextFrame" in session.errors[0].error
    assert "not this" in session.errors[0].error


@pytest.mark.parametrize("result", [1, {"a": 1}, bytearray(b"x")])
async def test_a_serializer_that_returns_no_message(result: Any) -> None:
    class Strange(RawAudioSerializer):
        def serialize(self, frame: Frame) -> Any:
            return result

    session = Session(serializer=Strange())
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(TextFrame("x"))
        await settle()
    (error,) = session.errors
    assert f"Strange.serialize returned {type(result).__name__}" in error.error


async def test_without_a_serializer_nothing_goes_out_and_all_passes() -> None:
    session = Session(serializer=None, observe=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        text = TextFrame("x")
        await session.task.queue_frames([audio(bytes(640)), text])
        await settle()
        await session.task.queue_frame(InterruptionFrame())
        await settle()
        assert peer.received == []
    assert text in [frame for _, frame in session.down]


# --- audio


@pytest.mark.parametrize("channels", [1, 2])
async def test_each_chunk_is_a_complete_wav_file_if_asked_for(channels: int) -> None:
    session = Session(
        add_wav_header=True,
        serializer=Named(),
        audio_out_channels=channels,
        audio_out_10ms_chunks=1,
        observe=True,
    )
    whole = sound(0.025, num_channels=channels)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(audio(whole, channels=channels))
        await anyio.sleep(1)
        messages = [message.data for message in peer.received if isinstance(message.data, bytes)]
    assert [len(message) - 44 for message in messages] == [320 * channels] * 2 + [160 * channels]
    for message in messages:
        riff, size, wave = struct.unpack("<4sI4s", message[:12])
        assert (riff, size, wave) == (b"RIFF", len(message) - 8, b"WAVE")
        assert struct.unpack("<HHI", message[20:28]) == (1, channels, RATE)
    assert b"".join(message[44:] for message in messages) == whole
    passed = [frame for _, frame in session.down if isinstance(frame, OutputAudioRawFrame)]
    assert b"".join(frame.audio for frame in passed) == whole  # without the headers


async def test_destinations_have_their_own_streams() -> None:
    class Labelled(RawAudioSerializer):
        def serialize(self, frame: Frame) -> str | bytes | None:
            assert isinstance(frame, OutputAudioRawFrame)
            return f'"{frame.transport_destination} {len(frame.audio)}"'

    session = Session(
        serializer=Labelled(), audio_out_destinations=["music", "room"], audio_out_lead_ms=0
    )
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for destination in (None, "music", "room"):
            frame = audio(bytes(2560), transport_destination=destination)
            await session.task.queue_frame(frame)
        await anyio.sleep(1)
        first_s = peer.received[0].time_s
        at_s = [(round(message.time_s - first_s, 6), message.data) for message in peer.received]
    names = ["None", "music", "room"]
    assert sorted(at_s) == [(time_s, f'"{name} 1280"') for time_s in (0.0, 0.04) for name in names]
    assert set(session.transport.output().statistics()) == {None, "music", "room"}


async def test_the_bot_s_speech_is_told_both_ways() -> None:
    seen: list[type[Frame]] = []

    class Above(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if direction is UPSTREAM:
                seen.append(type(frame))
            self.push_frame_nowait(frame, direction)

    session = Session(Above(), observe=True)
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(audio(bytes(640)))
        await anyio.sleep(1)
    turns = [BotStartedSpeakingFrame, BotStoppedSpeakingFrame]
    assert [kind for kind in seen if kind in turns] == turns
    assert [type(frame) for _, frame in session.down if type(frame) in turns] == turns


# --- interruption


async def test_the_marker_is_told_even_if_nothing_is_queued() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(InterruptionFrame())
        await settle()
        assert texts_of(peer) == [{"type": "interruption"}]


async def test_an_interruption_says_how_much_was_heard() -> None:
    told: list[tuple[str | None, Interrupted]] = []
    session = Session(audio_out_destinations=["b"])
    async with MemoryPeer(session):
        await session.started.wait()

        @session.transport.output().event_handler("on_interrupted")
        def interrupted(output: object, destination: str | None, heard: Interrupted) -> None:
            assert output is session.transport.output()
            told.append((destination, heard))

        await session.task.queue_frame(audio(bytes(2 * RATE)))
        await anyio.sleep(0.5)
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(1)
        await session.task.queue_frame(InterruptionFrame())
        await settle()
    ((destination, heard),) = told
    assert destination is None
    assert heard.played_ms == pytest.approx(500)
    assert heard.unplayed_ms == pytest.approx(200, abs=41)


async def test_an_interruption_before_the_start_is_over_does_no_harm() -> None:
    class SlowSetup(RawAudioSerializer):
        async def setup(self, frame: StartFrame) -> None:
            await anyio.sleep(1)

    session = Session(serializer=SlowSetup())
    async with MemoryPeer(session) as peer:
        await peer.connect()
        await anyio.sleep(0.5)
        await session.task.queue_frame(InterruptionFrame())
        await session.started.wait()
        assert texts_of(peer) == []
        await session.task.queue_frame(InterruptionFrame())
        await session.task.queue_frame(audio(bytes(640)))
        await settle()
        assert texts_of(peer) == [{"type": "interruption"}]
        await anyio.sleep(1)
        assert isinstance(peer.received[0].data, str)
        assert audio_of(peer) == bytes(640)


async def test_a_marker_that_cannot_be_sent_does_not_keep_the_gate_shut() -> None:
    class NoMarker(RawAudioSerializer):
        def serialize(self, frame: Frame) -> str | bytes | None:
            if isinstance(frame, InterruptionFrame):
                raise EncodeError("none")
            return super().serialize(frame)

    session = Session(serializer=NoMarker())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(InterruptionFrame())
        await session.task.queue_frame(audio(bytes(640)))
        await anyio.sleep(1)
        assert audio_of(peer) == bytes(640)
    assert session.transport.output().dropped == {"encode_error": 1}


# --- the end


async def test_the_end_waits_until_all_has_been_played_and_is_serialized_last() -> None:
    session = Session(serializer=Named())
    whole = sound(1.0) + b"\x01\x02" * 7
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frames([audio(whole), TransportMessageFrame("bye"), EndFrame()])
        closed = await peer.wait_closed()
        assert anyio.current_time() - begun_s == pytest.approx(1 + 7 / RATE)
        assert closed == (1000, "ended")
        assert audio_of(peer) == whole
        assert wire_order(peer)[-2:] == ["TransportMessageFrame bye", "EndFrame"]
    assert session.result.reason is EndReason.ENDED
    assert session.result.close_code == 1000
    assert session.events == ["client_connected", "pipeline_started", "pipeline_finished"]


async def test_the_bot_has_stopped_before_the_end_passes() -> None:
    session = Session(observe=True)
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frames([audio(bytes(2 * RATE)), EndFrame()])
        await session.finished()
    kinds = [type(frame) for _, frame in session.down]
    assert kinds.index(BotStoppedSpeakingFrame) < kinds.index(EndFrame)


async def test_a_stop_plays_out_and_leaves_the_socket_open() -> None:
    session = Session(runs=2, pause_s=10.0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frames([audio(bytes(2 * RATE)), StopFrame()])
        await anyio.sleep(5)
        assert len(audio_of(peer)) == 2 * RATE
        assert [result.reason for result in session.results] == [EndReason.STOPPED]
        assert session.event_times_s[-1] - begun_s == pytest.approx(1.0)
        await anyio.sleep(6)
        await session.task.queue_frames([audio(bytes(2 * RATE)), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert len(audio_of(peer)) == 4 * RATE
    assert session.events.count("client_connected") == 1


async def test_a_cancel_drops_what_is_queued() -> None:
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([audio(bytes(2 * RATE)), TransportMessageFrame("x")])
        await settle()
        await session.task.queue_frame(CancelFrame())
        assert (await peer.wait_closed()).code == 1001
    statistics = session.transport.output().statistics()[None]
    assert statistics.audio_dropped == {"cancelled": RATE - 640}
    assert statistics.frames_dropped == {"cancelled": 1}
    assert statistics.audio_queued == statistics.frames_queued == 0


# --- the methods of the seed page


async def test_the_write_methods_send_at_once() -> None:
    session = Session(serializer=Named(), audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        output = session.transport.output()
        await session.task.queue_frame(audio(b"q" * 2 * RATE))
        await settle()
        assert await output.send_message(TransportMessageFrame("m"))
        assert await output.send_message(TransportMessageUrgentFrame("u"))
        assert await output.write_audio_frame(audio(b"a" * 100))
        assert await output.write_dtmf(OutputDTMFFrame("5"))
        assert await output.write_video_frame(OutputImageRawFrame(bytes(3), (1, 1), "RGB"))
        await settle()
        assert wire_order(peer) == [
            "q",
            "TransportMessageFrame m",
            "TransportMessageUrgentFrame u",
            "a",
            "OutputDTMFFrame 5",
            "OutputImageRawFrame",
        ]


async def test_the_write_methods_say_when_nothing_was_sent() -> None:
    session = Session(end_on_disconnect=False, serializer=JsonFrameSerializer())
    async with MemoryPeer(session, profile=UVICORN_SANSIO) as peer:
        await session.started.wait()
        output = session.transport.output()
        assert not await output.send_message(TransportMessageFrame(object()))
        peer.close()
        await settle()
        assert not await output.send_message(TransportMessageFrame("late"))
        assert output.dropped == {"encode_error": 1, "unsent": 1}
        await session.task.cancel()


async def test_a_wav_header_needs_whole_samples() -> None:
    session = Session(add_wav_header=True)
    async with MemoryPeer(session):
        await session.started.wait()
        with pytest.raises(ValueError, match="not whole frames"):
            await session.transport.output().write_audio_frame(audio(b"odd"))


async def test_what_is_not_in_a_pipeline_says_so() -> None:
    session = Session()
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.cancel()
        await session.finished()
        output = session.transport.output()
        with pytest.raises(UsageError, match="output is not part of a running pipeline"):
            await output.start(StartFrame())
        await output.cleanup()  # again: it does no harm


async def test_a_pipeline_of_the_output_alone() -> None:
    session = Session(only="output")
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([audio(bytes(640)), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert audio_of(peer) == bytes(640)


def test_the_serializers_of_these_tests_are_of_the_kind_they_say() -> None:
    assert isinstance(Named(), FrameSerializer)
    assert Named().type is FrameSerializerType.BINARY


async def test_after_the_end_nothing_is_sent_and_nothing_raises() -> None:
    session = Session(audio_out_enabled=True, serializer=RawAudioSerializer(16000))
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.cancel()
        await session.finished()
    output = session.transport.output()
    assert not await output.send_message(TransportMessageFrame(object()))
    assert not await output.write_dtmf(OutputDTMFFrame("5"))
    assert output.dropped == {"encode_error": 1, "ended": 1}
