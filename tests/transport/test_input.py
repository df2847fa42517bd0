"""`wsframes.transport.input`, in sessions with a peer in memory."""

import sys
from typing import Any

import anyio
import msgspec
import pytest
from starlette.websockets import WebSocket

from tests.transport.sessions import RATE, Session, sound
from wsframes import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InputDTMFFrame,
    InputImageRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineParams,
    PipelineTask,
    RunResult,
    StartFrame,
    StopFrame,
    TextFrame,
)
from wsframes.audio.resample import StreamResampler
from wsframes.exceptions import DecodeError, UsageError
from wsframes.graph import EndReason
from wsframes.serializers import (
    FrameSerializer,
    FrameSerializerType,
    MsgpackFrameSerializer,
    RawAudioSerializer,
)
from wsframes.testing import MemoryPeer, PeerDenied, settle
from wsframes.transport import WebsocketParams, WebsocketTransport


def read_audio(session: Session) -> bytes:
    frames = [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]
    return b"".join(frame.audio for frame in frames)


class Making(FrameSerializer):
    """Makes of each message what it is told to."""

    type = FrameSerializerType.TEXT

    def __init__(self, make: Any) -> None:
        self._make = make

    def serialize(self, frame: Frame) -> None:
        return None

    def deserialize(self, data: str | bytes) -> Any:
        return self._make(data)


class Later(Making):
    async def deserialize(self, data: str | bytes) -> Any:
        await anyio.sleep(1)
        return self._make(data)


# --- what comes in


async def test_frames_go_downstream_in_order() -> None:
    session = Session(serializer=MsgpackFrameSerializer(), observe=True)
    async with MemoryPeer(session) as peer:
        for message in (
            {"type": "audio", "audio": b"abcd", "sample_rate": 16000},
            {"type": "text", "text": "x"},
            {"type": "message", "message": {"a": 1}},
            {"type": "dtmf", "button": "5"},
        ):
            await peer.send(msgspec.msgpack.encode(message))
        await settle()
    frames = [frame for frame in session.read if not frame.lifecycle]
    assert [type(frame) for frame in frames] == [
        InputAudioRawFrame,
        TextFrame,
        InputTransportMessageFrame,
        InputDTMFFrame,
    ]
    statistics = session.transport.input().statistics()
    assert (statistics.taken, statistics.delivered) == (4, 4)
    assert (statistics.ignored, statistics.dropped, statistics.odd_bytes) == (0, {}, 0)
    assert session.transport.statistics().received == 4


async def test_messages_that_come_before_the_pipeline_has_started_wait_for_it() -> None:
    class Slow(FrameProcessor):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep(2)

    got: list[Frame] = []

    class Last(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, InputAudioRawFrame):
                got.append(frame)

    session = Session(Slow(), Last())
    async with MemoryPeer(session) as peer:
        for number in range(50):
            await peer.send(bytes([number]) * 640)
        await session.started.wait()
        await settle()
    assert [frame.audio[0] for frame in got] == list(range(50))  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [Making, Later])
async def test_a_serializer_that_has_no_frame_for_a_message(kind: type[Making]) -> None:
    session = Session(serializer=kind(lambda data: None))
    async with MemoryPeer(session) as peer:
        await peer.send("x")
        await anyio.sleep(2)
    assert session.transport.input().statistics().ignored == 1
    assert session.transport.input().dropped == {}


async def test_without_a_serializer_messages_are_read_and_dropped() -> None:
    session = Session(serializer=None)
    async with MemoryPeer(session, receive_buffer_messages=1) as peer:
        for _ in range(100):
            await peer.send(bytes(640))
        await settle()
    assert session.transport.input().dropped == {"no_serializer": 100}
    assert session.result.reason is EndReason.CLIENT_DISCONNECTED


# --- what does not go downstream


@pytest.mark.parametrize(
    ("params", "frame", "reason"),
    [
        ({"audio_in_enabled": False}, InputAudioRawFrame(b"ab", RATE), "audio_in_disabled"),
        ({"audio_in_passthrough": False}, InputAudioRawFrame(b"ab", RATE), "no_passthrough"),
        ({}, InputImageRawFrame(bytes(3), (1, 1), "RGB"), "video_in_disabled"),
        ({}, InputAudioRawFrame(b"ab", RATE, 0), "unusable_audio"),
        ({}, InputAudioRawFrame(b"ab", 0), "unusable_audio"),
        ({}, StartFrame(), "lifecycle"),
        ({}, EndFrame(), "lifecycle"),
        ({}, StopFrame(), "lifecycle"),
        ({}, CancelFrame(), "lifecycle"),
        ({}, InterruptionFrame(), "lifecycle"),
    ],
)
async def test_what_may_not_go_downstream_is_dropped_counted_and_reported_once(
    params: dict[str, Any], frame: Frame, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(serializer=Making(lambda data: frame), observe=True, **params)
    async with MemoryPeer(session) as peer:
        for _ in range(3):
            await peer.send("x")
        await settle()
        assert frame not in session.read
        assert session.results == []
    assert session.transport.input().dropped == {reason: 3}
    assert session.transport.input().statistics().delivered == 0
    records = [record for record in caplog.records if "input" in record.getMessage()]
    assert len(records) == 1
    assert len(session.errors) == (reason == "unusable_audio")


async def test_images_go_downstream_where_they_are_enabled() -> None:
    image = InputImageRawFrame(bytes(3), (1, 1), "RGB")
    session = Session(serializer=Making(lambda data: image), video_in_enabled=True, observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send("x")
        await settle()
        assert image in session.read


async def test_audio_can_be_held_back_until_it_is_wanted() -> None:
    session = Session(audio_in_stream_on_start=False, observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(b"aa")
        await settle()
        session.transport.input().start_audio_in_streaming()
        await peer.send(b"bb")
        await settle()
    assert read_audio(session) == b"bb"
    assert session.transport.input().dropped == {"not_streaming": 1}


# --- audio of any kind


async def test_audio_cut_anywhere_comes_out_whole() -> None:
    whole = sound(0.1)
    session = Session(observe=True)
    async with MemoryPeer(session) as peer:
        for size in (1, 0, 3, 1000, 1, len(whole)):
            await peer.send(whole[:size])
            whole = whole[size:]
        await peer.send(b"x")
        await settle()
    assert read_audio(session) == sound(0.1)
    statistics = session.transport.input().statistics()
    assert statistics.odd_bytes == 1
    assert statistics.delivered == statistics.taken == 7
    assert all(
        len(frame.audio) % 2 == 0 and frame.audio
        for frame in session.read
        if isinstance(frame, InputAudioRawFrame)
    )


@pytest.mark.parametrize(
    ("wire", "wanted", "sent", "got"),
    [
        (1, 2, b"abcd", b"ababcdcd"),
        (2, 1, b"\x00\x00\x04\x00", b"\x02\x00"),
        (2, 2, b"abcd", b"abcd"),
    ],
)
async def test_channels_are_converted(wire: int, wanted: int, sent: bytes, got: bytes) -> None:
    serializer = RawAudioSerializer(RATE, wire)
    session = Session(serializer=serializer, audio_in_channels=wanted, observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(sent)
        await settle()
    (frame,) = [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]
    assert (frame.audio, frame.num_channels, frame.sample_rate) == (got, wanted, RATE)


async def test_any_rate_comes_in_where_none_is_set() -> None:
    session = Session(serializer=RawAudioSerializer(44100), observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(b"ab")
        await settle()
    (frame,) = [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]
    assert frame.sample_rate == 44100


def resampled(audio: bytes, from_rate: int, to_rate: int) -> bytes:
    resampler = StreamResampler(from_rate, to_rate, 1)
    return resampler.push(audio) + resampler.flush()


async def leave(session: Session, peer: MemoryPeer) -> None:
    peer.close(1000)


async def end(session: Session, peer: MemoryPeer) -> None:
    await session.task.stop_when_done()


@pytest.mark.parametrize("finish", [leave, end])
async def test_the_last_of_what_is_resampled_comes_before_the_end(finish: Any) -> None:
    whole = sound(0.1, 8000)
    session = Session(serializer=RawAudioSerializer(8000), audio_in_sample_rate=16000, observe=True)
    async with MemoryPeer(session) as peer:
        for at in range(0, len(whole), 321):
            await peer.send(whole[at : at + 321])
        await settle()
        assert len(read_audio(session)) == 2 * len(whole) - 2 * 74
        await finish(session, peer)
        await session.finished()
    assert read_audio(session) == resampled(whole, 8000, 16000)
    kinds = [type(frame) for frame in session.read]
    assert InputAudioRawFrame not in kinds[kinds.index(EndFrame) :] if EndFrame in kinds else True
    rates = {frame.sample_rate for frame in session.read if isinstance(frame, InputAudioRawFrame)}
    assert rates == {16000}
    statistics = session.transport.input().statistics()
    assert statistics.taken == statistics.delivered == 5


async def test_without_the_package_that_resamples_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "wsframes.audio.resample", raising=False)
    monkeypatch.setitem(sys.modules, "numpy", None)
    session = Session(serializer=RawAudioSerializer(8000), audio_in_sample_rate=16000, observe=True)
    async with MemoryPeer(session) as peer:
        for _ in range(3):
            await peer.send(bytes(320))
        await settle()
        (error,) = session.errors
    assert "audio of 8000 Hz where 16000 Hz is set" in error.error
    assert 'pip install "wsframes[audio]"' in error.error
    assert session.transport.input().dropped == {"unusable_audio": 3}


async def test_a_start_with_a_rate_that_there_is_not_fails_by_name() -> None:
    session = Session(task_params=PipelineParams(audio_in_sample_rate=4000))
    async with MemoryPeer(session) as peer:
        with pytest.raises(PeerDenied):
            await peer.connect()
        await session.finished()
    assert session.result.reason is EndReason.ERROR
    assert "audio_in_sample_rate: sample_rate is 4000" in str(session.result.error)


# --- bad messages


class Picky(Making):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(self._pick)
        self._error = error or DecodeError("not that")

    def _pick(self, data: str | bytes) -> Frame:
        if data == "bad":
            raise self._error
        return TextFrame("good")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DecodeError("not that"), "not that"),
        (DecodeError("\n\x1b[31m" * 100), r"\n\x1b[31m\n"),
        (KeyError("x" * 1000), "KeyError('xxx"),
        (ValueError("\n\x1b[31m"), r"ValueError('\n\x1b[31m')"),
    ],
)
async def test_a_bad_message_is_counted_and_reported_and_the_next_one_read(
    error: Exception, text: str
) -> None:
    session = Session(serializer=Picky(error), observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send("bad")
        await peer.send("good")
        await settle()
        assert [type(frame) for frame in session.read if not frame.lifecycle] == [TextFrame]
    assert session.transport.input().dropped == {"bad_message": 1}
    (reported,) = session.errors
    assert reported.error.startswith(f"input: a message cannot be decoded: {text}")
    assert len(reported.error) <= 300
    assert reported.processor == "input"
    assert reported.exception is error
    assert not reported.fatal


async def test_bad_messages_are_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    session = Session(serializer=Picky(), max_bad_messages=1000)
    async with MemoryPeer(session) as peer:
        for _ in range(20):
            await peer.send("bad")
            await anyio.sleep(0.1)
    logged = [record for record in caplog.records if "cannot be decoded" in record.getMessage()]
    assert len(logged) == 2
    assert len(session.errors) == 20


@pytest.mark.parametrize("wrong", [1, "text", object()])
async def test_a_serializer_that_makes_no_frame(wrong: object) -> None:
    session = Session(serializer=Making(lambda data: wrong))
    async with MemoryPeer(session) as peer:
        await peer.send("x")
        await settle()
        assert session.results == []
    assert session.transport.input().dropped == {"bad_message": 1}
    assert isinstance(session.errors[0].exception, UsageError)


async def test_ten_bad_messages_within_ten_seconds_end_the_session() -> None:
    session = Session(serializer=Picky())
    async with MemoryPeer(session) as peer:
        for _ in range(9):
            await peer.send("bad")
            await anyio.sleep(1)
        assert session.results == []
        await peer.send("bad")
        assert await peer.wait_closed() == (1007, "bad_input")
    assert session.result.reason is EndReason.BAD_INPUT
    assert session.result.error == "10 messages that cannot be decoded"
    assert session.result.close_code == 1007
    assert "client_disconnected" not in session.events


async def test_ten_in_more_than_ten_seconds_do_not() -> None:
    session = Session(serializer=Picky())
    async with MemoryPeer(session) as peer:
        for _ in range(30):
            await peer.send("bad")
            await anyio.sleep(1.2)
        assert session.results == []
    assert session.transport.input().dropped == {"bad_message": 30}


async def test_the_number_can_be_set() -> None:
    session = Session(serializer=Picky(), max_bad_messages=1)
    async with MemoryPeer(session) as peer:
        await peer.send("bad")
        assert (await peer.wait_closed()).code == 1007


# --- size


@pytest.mark.parametrize("data", [b"x" * 1000, "x" * 1000, "\u00e9" * 500])
async def test_a_message_as_large_as_allowed_is_taken(data: str | bytes) -> None:
    session = Session(serializer=Making(lambda data: None), max_message_bytes=1000)
    async with MemoryPeer(session) as peer:
        await peer.send(data)
        await settle()
        assert session.results == []
    assert session.transport.input().statistics().ignored == 1


@pytest.mark.parametrize(
    ("data", "size"), [(b"x" * 1001, 1001), ("x" * 1001, 1001), ("\u00e9" * 501, 1002)]
)
async def test_a_larger_one_ends_the_session(data: str | bytes, size: int) -> None:
    session = Session(serializer=Making(lambda data: None), max_message_bytes=1000)
    async with MemoryPeer(session) as peer:
        await peer.send(data)
        assert await peer.wait_closed() == (1009, "bad_input")
    assert session.result.reason is EndReason.BAD_INPUT
    assert session.result.close_code == 1009
    assert session.result.error == f"a message of {size} bytes"
    assert session.transport.input().dropped == {"too_big": 1}


# --- flow


class Sluggish(FrameProcessor):
    """A lane that takes a second for each frame."""

    def __init__(self) -> None:
        super().__init__()
        self.done = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not frame.lifecycle:
            await anyio.sleep(1)
            self.done += 1


@pytest.mark.parametrize(
    "make",
    [
        lambda data: InputAudioRawFrame(b"ab", RATE),
        lambda data: InputTransportMessageFrame("x"),
        lambda data: TextFrame("x"),
        lambda data: InputDTMFFrame("5"),
    ],
    ids=["audio", "message", "text", "dtmf"],
)
async def test_a_lane_that_is_full_stops_the_reading(make: Any) -> None:
    """P8: whatever the frames are; and all of them come through in the end."""
    slow = Sluggish()
    session = Session(slow, serializer=Making(make))
    async with MemoryPeer(session) as peer:
        sent = 0
        with anyio.move_on_after(10):
            while True:
                await peer.send("x")
                sent += 1
        statistics = session.task.statistics()[slow.name]
        assert statistics.peak <= 256
        assert 256 <= sent <= 256 + 16 + 15
        await anyio.sleep(400)
    assert session.transport.input().statistics().taken == sent
    assert slow.done == sent


async def test_it_reads_on_while_the_last_words_are_played() -> None:
    """A peer that interrupts or leaves then is heard, its audio is not."""
    session = Session(
        serializer=Making(
            lambda data: InputDTMFFrame("5") if data == "5" else InputAudioRawFrame(b"ab", RATE)
        ),
        observe=True,
    )
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(bytes(2 * RATE), RATE), EndFrame()])
        await anyio.sleep(0.5)
        await peer.send("5")
        await peer.send("audio")
        await settle()
        kinds = [type(frame) for frame in session.read]
        assert InputDTMFFrame in kinds
        assert InputAudioRawFrame not in kinds
        assert session.task.statistics()["input"].refused == {"ended": 1}
        await peer.wait_closed()


async def test_a_flood_lets_others_run() -> None:
    ticks = 0
    session = Session()

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.lowlevel.checkpoint()
            ticks += 1

    async with MemoryPeer(session, receive_buffer_messages=1000) as peer:
        await peer.connect()
        await session.started.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            for _ in range(500):
                peer.send_nowait(b"ab")
            while session.transport.input().statistics().taken < 500:
                await anyio.lowlevel.checkpoint()
            assert ticks >= 500 // 64
            tasks.cancel_scope.cancel()


# --- the reader's end


async def test_a_message_in_the_serializer_when_the_run_ends_is_counted() -> None:
    session = Session(serializer=Later(lambda data: TextFrame("x")))
    async with MemoryPeer(session) as peer:
        await peer.send("x")
        await settle()
        await session.task.cancel()
        await peer.wait_closed()
    statistics = session.transport.input().statistics()
    assert statistics.dropped == {"cancelled": 1}
    assert statistics.taken == 1


async def test_a_reader_that_fails_ends_the_session() -> None:
    """It cannot be seen from outside that nobody reads any more."""
    errors: list[ErrorFrame] = []
    results: list[RunResult] = []

    async def read(transport: WebsocketTransport) -> None:
        assert [data async for data in transport.client.receive()] == []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        transport = WebsocketTransport(websocket, WebsocketParams())
        task = PipelineTask(Pipeline([transport.input(), transport.output()]))
        task.add_event_handler("on_pipeline_error", lambda _, frame: errors.append(frame))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, transport)
            await settle()
            results.append(await task.run())
            tasks.cancel_scope.cancel()

    async with MemoryPeer(app) as peer:
        assert await peer.wait_closed() == (1011, "error")
    (result,) = results
    assert result.reason is EndReason.ERROR
    assert isinstance(result.error, UsageError)
    (error,) = errors
    assert error.fatal
    assert "cannot read: UsageError('the messages are being read already" in error.error


@pytest.mark.parametrize("only", ["", "input", "output"])
async def test_a_serializer_that_cannot_be_set_up_ends_the_session(only: str) -> None:
    class Unready(RawAudioSerializer):
        def setup(self, frame: StartFrame) -> None:
            raise OSError("no codec")

    session = Session(serializer=Unready(), only=only)
    async with MemoryPeer(session) as peer:
        assert (await peer.wait_closed()).code == 1011
    assert session.result.reason is EndReason.ERROR
    assert repr(session.result.error) == "OSError('no codec')"
    assert "client_connected" not in session.events
    assert session.events[-1] == "pipeline_finished"


async def test_a_pipeline_of_the_input_alone() -> None:
    session = Session(only="input", observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(b"ab")
        await settle()
        peer.close()
    assert read_audio(session) == b"ab"
    assert session.result.reason is EndReason.CLIENT_DISCONNECTED
    assert session.events[0] == "pipeline_started" or session.events[0] == "client_connected"
    assert session.events[-2:] == ["client_disconnected", "pipeline_finished"]


# --- a peer that sends too fast


async def test_a_peer_that_sends_too_fast_is_read_at_the_rate_that_is_allowed() -> None:
    session = Session(max_messages_per_s=50)
    async with MemoryPeer(session) as peer:
        for _ in range(600):
            await peer.send(bytes(2))
        await peer.send("{}")
        await settle()
        assert anyio.current_time() == pytest.approx(10, abs=0.5)
        statistics = session.transport.statistics().input
        assert statistics.taken == 601 - 16  # the rest waits where the peer's sends wait
        assert statistics.throttled > 0
        assert statistics.throttled_s == pytest.approx(anyio.current_time(), abs=0.5)
        await anyio.sleep(1)
        statistics = session.transport.statistics().input
        assert (statistics.taken, statistics.dropped) == (601, {})
        assert session.results == []


async def test_or_ends_the_session_where_that_is_wanted() -> None:
    session = Session(max_bytes_per_s=1000, flood_policy="close")
    async with MemoryPeer(session) as peer:
        await peer.send(bytes(1000))
        await anyio.sleep(1)
        for _ in range(3):
            await peer.send(bytes(998))
        assert await peer.wait_closed() == (1008, "bad_input")
    assert session.result.error == "the peer sends faster than it may"
    assert session.transport.statistics().input.throttled == 1


@pytest.mark.parametrize(("seconds", "dropped"), [(2, {}), (2.0001, {"unusable_audio": 1})])
async def test_audio_of_more_than_two_seconds_is_refused(
    seconds: float, dropped: dict[str, int]
) -> None:
    """P16: whatever serializer it comes from."""
    frame = InputAudioRawFrame(bytes(2 * round(48000 * seconds)), 48000)
    session = Session(serializer=Making(lambda _: frame), observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send("x")
        await settle()
        assert session.transport.input().dropped == dropped
