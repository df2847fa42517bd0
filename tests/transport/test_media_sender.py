"""`wsframes.transport.media_sender` and `playout.bot_speech`, with a sink that takes everything."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from tests.transport.sessions import sound
from wsframes import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    OutputAudioRawFrame,
    SystemFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.audio.resample import StreamResampler
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventQueue
from wsframes.testing import settle
from wsframes.transport import WebsocketParams
from wsframes.transport.media_sender import MediaSender
from wsframes.transport.outlet import Encoded, Outlet
from wsframes.transport.playout.media_queue import Chunk
from wsframes.transport.tasks.shortcut import Shortcut
from wsframes.transport.tasks.waiting import ClearGate

RATE = 16000
STARTED, SPEAKING, STOPPED = (
    BotStartedSpeakingFrame,
    BotSpeakingFrame,
    BotStoppedSpeakingFrame,
)


class Sink:
    """Takes what it is given, with its time.

    Attributes:
        reason: why it takes nothing; None: it takes everything.
        takes_s: how long each write of audio lasts.
        at_work: the audio that is written.
    """

    def __init__(self) -> None:
        self.chunks: list[tuple[float, OutputAudioRawFrame]] = []
        self.items: list[bytes | Frame] = []
        self.speech: list[tuple[float, type[SystemFrame]]] = []
        self.reason: str | None = None
        self.takes_s = 0.0
        self.at_work: OutputAudioRawFrame
        self.gone: list[Frame] = []
        self.outlet: Outlet = _Outlet(self)

    def passed(self, frame: Frame) -> None:
        self.gone.append(frame)

    async def write_in_turn(self, frame: Frame) -> str | None:
        self.items.append(frame)
        return self.reason

    def tell_speech(self, destination: str | None, frame_type: type[SystemFrame]) -> None:
        assert destination == "there"
        self.speech.append((anyio.current_time(), frame_type))

    def report(self, text: str, exc: Exception | None) -> None:
        raise AssertionError(text)

    @property
    def audio(self) -> bytes:
        return b"".join(item for item in self.items if isinstance(item, bytes))

    @property
    def turns(self) -> list[type[SystemFrame]]:
        """Starts and stops, without what is repeated between them."""
        return [kind for _, kind in self.speech if kind is not SPEAKING]


class _Outlet(Outlet):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.encodes_nowait = True
        self.send = self._send

    def audio_frame(self, destination: str | None, chunk: Chunk) -> OutputAudioRawFrame:
        assert destination == "there"
        num_channels = len(chunk.audio) // (2 * chunk.frames)
        return OutputAudioRawFrame(chunk.audio, chunk.sample_rate, num_channels)

    def encoded_audio(self, frame: OutputAudioRawFrame) -> Encoded:
        self._sink.at_work = frame
        return frame.audio

    async def _send(self, data: str | bytes) -> bool:
        sink = self._sink
        if sink.takes_s:
            await anyio.sleep(sink.takes_s)
        sink.chunks.append((anyio.current_time(), sink.at_work))
        sink.items.append(sink.at_work.audio)
        return sink.reason is None


class Bench:
    def __init__(self, context: RunContext, sender: MediaSender, sink: Sink) -> None:
        self.context = context
        self.sender = sender
        self.sink = sink
        self.gate = sender._gate

    def put(self, audio: bytes, rate: int = RATE, channels: int = 1) -> None:
        self.sender.put_audio(OutputAudioRawFrame(audio, rate, channels))


@asynccontextmanager
async def bench(
    sample_rate: int | None = None, sink: Sink | None = None, **params: Any
) -> AsyncIterator[Bench]:
    async with anyio.create_task_group() as tasks:
        context = RunContext(tasks, EventQueue(tasks, 5.0, lambda *_: None))
        tasks.start_soon(context.run_timers)
        sink = sink or Sink()
        params = {"audio_out_enabled": True, "audio_out_10ms_chunks": 2} | params
        sender = MediaSender(
            "there", sink, ClearGate(), Shortcut(), WebsocketParams(**params), sample_rate
        )
        sender.begin(context)
        yield Bench(context, sender, sink)
        tasks.cancel_scope.cancel()


# --- chunks and frames


async def test_audio_leaves_in_chunks_and_a_frame_in_its_place() -> None:
    async with bench() as b:
        b.put(b"a" * 1000)
        message = TransportMessageFrame(1)
        b.sender.put_frame(message)
        b.put(b"b" * 640)
        await settle()
    assert b.sink.items == [b"a" * 640, b"a" * 360, message, b"b" * 640]


async def test_the_last_partial_chunk_leaves_when_nothing_follows() -> None:
    async with bench() as b:
        b.put(b"a" * 700)
        await anyio.sleep(0.039)
        assert b.sink.items == [b"a" * 640]
        await anyio.sleep(0.002)
        assert b.sink.items == [b"a" * 640, b"a" * 60]


async def test_a_source_that_goes_on_in_real_time_is_not_taken_for_a_pause() -> None:
    async with bench() as b:
        for _ in range(30):
            b.put(b"a" * 220)
            await anyio.sleep(0.006875)
        assert {len(chunk.audio) for _, chunk in b.sink.chunks} == {640}


async def test_half_a_sample_survives_frames_and_pauses_within_an_utterance() -> None:
    """P14: what is said between two pieces of a stream does not shift the second one."""
    whole = sound(0.6)
    async with bench() as b:
        b.put(whole[:16001])
        b.sender.put_frame(TextFrame("between"))
        await anyio.sleep(0.5)  # a pause: what there was is still being played
        b.put(whole[16001:])
        await anyio.sleep(1)
    assert b.sink.audio == whole
    assert b.sender.statistics().odd_bytes == 0


async def test_half_a_sample_does_not_survive_the_utterance() -> None:
    async with bench() as b:
        b.put(b"a" * 641)
        await anyio.sleep(1)
        assert b.sink.turns == [STARTED, STOPPED]
        b.put(b"b" * 640)
        await anyio.sleep(1)
    assert b.sink.audio == b"a" * 640 + b"b" * 640
    assert b.sender.statistics().odd_bytes == 1


async def test_channels_are_converted() -> None:
    async with bench(audio_out_channels=2) as b:
        b.put(b"\x01\x02\x03\x04", channels=1)
        b.put(b"\x05\x06\x07\x08", channels=2)
        await anyio.sleep(1)
    assert b.sink.audio == b"\x01\x02\x01\x02\x03\x04\x03\x04\x05\x06\x07\x08"


async def test_another_rate_than_the_one_that_is_set_is_resampled() -> None:
    """P13: to the sample, the rest of the resampler too, and as one stream."""
    whole = sound(1.0)
    resampler = StreamResampler(RATE, 8000, 1)
    async with bench(sample_rate=8000) as b:
        for at in range(0, len(whole), 998):
            b.put(whole[at : at + 998])
        await anyio.sleep(2)
        assert b.sink.audio == resampler.push(whole) + resampler.flush()
        assert len(b.sink.audio) == 2 * 8000
        assert {chunk.sample_rate for _, chunk in b.sink.chunks} == {8000}
        statistics = b.sender.statistics()
        assert statistics.audio_taken == statistics.audio_sent == 8000
    assert b.sink.turns == [STARTED, STOPPED]
    assert b.sink.speech[-1][0] - b.sink.chunks[0][0] == pytest.approx(1.05, abs=0.05)


async def test_the_rest_of_the_resampler_leaves_without_a_gap() -> None:
    """The peer has not played all that it has when the last milliseconds come."""
    async with bench(sample_rate=8000) as b:
        begun_s = anyio.current_time()
        b.put(sound(1.0))
        await anyio.sleep(3)
        times_s = [time_s - begun_s for time_s, _ in b.sink.chunks]
        frames = [chunk.num_frames for _, chunk in b.sink.chunks]
    assert sum(frames) == 8000
    played_s = sum(frames[:-1]) / 8000
    assert times_s[-1] <= played_s


async def test_the_rest_waits_while_the_audio_goes_on() -> None:
    """A source in real time is not cut into pieces, whatever its jitter."""
    whole = sound(2.0)
    resampler = StreamResampler(RATE, 24000, 1)
    async with bench(sample_rate=24000) as b:
        for n in range(100):
            b.put(whole[640 * n : 640 * n + 640])
            await anyio.sleep(0.02 + (0.015, -0.015)[n % 2])
        await anyio.sleep(1)
        assert b.sink.audio == resampler.push(whole) + resampler.flush()


async def test_the_rest_waits_while_the_peer_has_something_to_play() -> None:
    """A synthesizer that pauses within an utterance is not cut into pieces either."""
    whole = sound(2.0)
    resampler = StreamResampler(RATE, 24000, 1)
    async with bench(sample_rate=24000, audio_out_lead_ms=2000) as b:
        for n in range(4):
            b.put(whole[RATE * n : RATE * (n + 1)])
            await anyio.sleep(0.4)
        await anyio.sleep(2)
        assert b.sink.audio == resampler.push(whole) + resampler.flush()


async def test_an_interruption_and_the_end_of_a_run_forget_the_rest() -> None:
    async with bench(sample_rate=8000) as b:
        b.put(sound(0.5))
        b.sender.interrupt()
        await anyio.sleep(1)
        assert b.sink.chunks == []
        b.put(bytes(640))
        await anyio.sleep(1)
        assert b.sink.audio == bytes(320)
        b.put(sound(0.5))
        b.sender.close("cancelled")
        await anyio.sleep(1)
        assert b.sink.audio == bytes(320)


async def test_without_a_set_rate_the_audio_says_it_and_time_goes_on() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.put(bytes(2 * 8000), rate=8000)
        b.put(bytes(2 * 24000), rate=24000)
        await anyio.sleep(3)
    times_s = [time_s for time_s, _ in b.sink.chunks]
    assert times_s == pytest.approx([0.02 * n for n in range(100)])
    assert [chunk.sample_rate for _, chunk in b.sink.chunks] == [8000] * 50 + [24000] * 50


# --- time


@pytest.mark.parametrize("lead_ms", [0, 200, 2000])
@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize(("rate", "chunk_ms"), [(8000, 60), (11025, 10), (48000, 20)])
async def test_every_chunk_leaves_at_its_time(
    rate: int, chunk_ms: int, num_channels: int, lead_ms: int
) -> None:
    """P12: chunk n leaves at `n / rate - lead`, whatever the format."""
    async with bench(
        audio_out_10ms_chunks=chunk_ms // 10,
        audio_out_channels=num_channels,
        audio_out_lead_ms=lead_ms,
    ) as b:
        start_s = anyio.current_time()
        b.put(bytes(2 * num_channels * rate * 3), rate, num_channels)
        await anyio.sleep(3)
    sent, due_s = 0, []
    for _, chunk in b.sink.chunks:
        due_s.append(max(0.0, sent / rate - lead_ms / 1000))
        sent += chunk.num_frames
    assert sent == 3 * rate
    assert [time_s - start_s for time_s, _ in b.sink.chunks] == pytest.approx(due_s, abs=1e-9)


async def test_a_stall_of_the_peer_is_regained() -> None:
    """P12: after 500 ms in which a write did not return, the schedule is what it was."""
    async with bench(audio_out_lead_ms=100) as b:
        start_s = anyio.current_time()
        b.put(bytes(2 * RATE * 5))
        await anyio.sleep(1.005)
        b.sink.takes_s = 0.5
        await anyio.sleep(0.02)
        b.sink.takes_s = 0.0
        await anyio.sleep(4)
    times_s = [time_s - start_s for time_s, _ in b.sink.chunks]
    late_s = [time_s - max(0.0, n * 0.02 - 0.1) for n, time_s in enumerate(times_s)]
    assert max(late_s) == pytest.approx(0.5, abs=0.021)
    assert [late for late, time_s in zip(late_s, times_s, strict=True) if time_s > 2.0] == (
        pytest.approx([0.0] * sum(time_s > 2.0 for time_s in times_s), abs=1e-9)
    )


async def test_after_a_pause_a_new_schedule_begins() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.put(bytes(640 * 3))
        await anyio.sleep(10)
        begun_s = anyio.current_time()
        b.put(bytes(640 * 3))
        await anyio.sleep(1)
    assert [t - begun_s for t, _ in b.sink.chunks[3:]] == pytest.approx([0.0, 0.02, 0.04])


async def test_what_is_not_taken_takes_its_time_all_the_same() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.sink.reason = "unsent"
        b.put(bytes(640 * 10))
        await anyio.sleep(1)
    assert b.sink.chunks[-1][0] - b.sink.chunks[0][0] == pytest.approx(0.18)
    assert b.sink.speech == []
    assert b.sender.statistics().audio_dropped == {"unsent": 3200}


async def test_a_frame_behind_audio_leaves_when_the_audio_has_left() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.put(bytes(640 * 5))
        b.sender.put_frame(TextFrame("x"))
        await anyio.sleep(0.079)
        assert len(b.sink.items) == 4
        await anyio.sleep(0.002)
        assert len(b.sink.items) == 6


async def test_a_sender_that_is_woken_for_nothing_sleeps_on() -> None:
    async with bench() as b:
        b.sender.wake()
        await settle()
        b.put(bytes(640))
        b.sender.wake()
        await settle()
        assert len(b.sink.chunks) == 1


# --- room


async def test_who_waits_for_room_is_woken_when_there_is_some() -> None:
    async with bench(audio_out_queue_ms=100, audio_out_lead_ms=0) as b:
        assert b.sender.has_room
        b.put(bytes(640 * 10))
        assert not b.sender.has_room
        begun_s = anyio.current_time()
        await b.sender.wait_for_room()
        assert anyio.current_time() - begun_s == pytest.approx(0.08)
        await b.sender.wait_for_room()


# --- speech


async def test_an_utterance_starts_once_and_stops_when_it_has_been_played() -> None:
    async with bench() as b:
        start_s = anyio.current_time()
        b.put(bytes(2 * RATE))
        await anyio.sleep(3)
    assert b.sink.turns == [STARTED, STOPPED]
    assert b.sink.speech[0][0] == start_s
    assert 1.05 <= b.sink.speech[-1][0] - start_s <= 1.1
    speaking_s = [time_s - start_s for time_s, kind in b.sink.speech if kind is SPEAKING]
    assert speaking_s == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], abs=0.05)


async def test_audio_that_goes_on_within_the_silence_is_one_utterance() -> None:
    async with bench() as b:
        for _ in range(4):
            b.put(bytes(640))
            await anyio.sleep(0.06)
        await anyio.sleep(1)
    assert b.sink.turns == [STARTED, STOPPED]


async def test_two_utterances() -> None:
    async with bench() as b:
        for _ in range(2):
            b.put(bytes(640))
            await anyio.sleep(0.12)
    assert b.sink.turns == [STARTED, STOPPED] * 2


async def test_a_peer_that_does_not_read_does_not_end_the_utterance() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.put(bytes(640 * 10))
        await anyio.sleep(0.05)
        b.sink.takes_s = 1.0
        await anyio.sleep(0.9)
        b.sink.takes_s = 0.0
        await anyio.sleep(3)
    assert b.sink.turns == [STARTED, STOPPED]


async def test_who_interrupts_on_hearing_that_it_starts_stops_it() -> None:
    class Nervous(Sink):
        def tell_speech(self, destination: str | None, frame_type: type[SystemFrame]) -> None:
            super().tell_speech(destination, frame_type)
            if frame_type is STARTED:
                b.sender.interrupt()

    async with bench(sink=Nervous()) as b:
        b.put(bytes(640))
        await anyio.sleep(1)
    assert [kind for _, kind in b.sink.speech] == [STARTED, STOPPED]


# --- interruption


async def test_an_interruption_drops_the_audio_and_says_what_was_heard() -> None:
    async with bench(audio_out_lead_ms=100) as b:
        b.put(bytes(2 * RATE))
        message = TransportMessageFrame(1)
        b.sender.put_frame(message)
        b.sender.put_frame(TextFrame("lost"))
        await anyio.sleep(0.505)
        heard = b.sender.interrupt()
        assert tuple(heard) == pytest.approx((505.0, 115.0))
        await settle()
        statistics = b.sender.statistics()
        assert statistics.audio_dropped == {"interrupted": RATE - 31 * 320}
        assert statistics.frames_dropped == {"interrupted": 1}
        assert b.sink.items[-1] is message
        assert b.sink.turns == [STARTED, STOPPED]
        assert b.sender.interrupt() == (0.0, 0.0)
        await anyio.sleep(1)
    assert b.sink.turns == [STARTED, STOPPED]


async def test_after_an_interruption_audio_starts_with_a_sample_and_at_once() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.put(b"a" * 6401)
        await anyio.sleep(0.1)
        b.sender.interrupt()
        begun_s = anyio.current_time()
        b.put(b"b" * 1280)
        await anyio.sleep(1)
    assert b.sink.items[-2:] == [b"b" * 640] * 2
    assert [t - begun_s for t, _ in b.sink.chunks[-2:]] == pytest.approx([0.0, 0.02])
    assert b.sender.statistics().odd_bytes == 1
    assert b.sink.turns == [STARTED, STOPPED] * 2


async def test_nothing_leaves_while_the_gate_is_shut() -> None:
    async with bench() as b:
        b.gate.shut()
        b.put(bytes(640))
        b.sender.put_frame(TransportMessageFrame(1))
        await anyio.sleep(1)
        assert b.sink.items == []
        b.gate.told(b.gate.number)
        await settle()
        assert len(b.sink.items) == 2


async def test_a_write_that_an_interruption_overtakes_is_no_part_of_what_follows() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.sink.takes_s = 1.0
        b.put(bytes(640))
        await anyio.sleep(0.5)
        b.gate.shut()
        assert b.sender.interrupt() == (0.0, 0.0)
        b.sink.takes_s = 0.0
        await anyio.sleep(1)
        assert b.sink.speech == []
        b.gate.told(b.gate.number)
        begun_s = anyio.current_time()
        b.put(bytes(1280))
        await anyio.sleep(1)
    assert [t - begun_s for t, _ in b.sink.chunks[1:]] == pytest.approx([0.0, 0.02])
    assert b.sink.turns == [STARTED, STOPPED]


# --- the end


async def test_draining_ends_when_the_last_sample_has_been_played() -> None:
    async with bench() as b:
        b.put(b"a" * (2 * RATE + 101))
        begun_s = anyio.current_time()
        await b.sender.drain()
        assert anyio.current_time() - begun_s == pytest.approx(1 + 50 / RATE)
        assert len(b.sink.audio) == 2 * RATE + 100
        assert b.sink.turns == [STARTED, STOPPED]
        assert b.sender.statistics().odd_bytes == 1
        await b.sender.drain()
    assert anyio.current_time() - begun_s == pytest.approx(1 + 50 / RATE)


async def test_an_interruption_ends_the_draining() -> None:
    async with bench() as b:
        b.put(bytes(2 * RATE))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(b.sender.drain)
            await anyio.sleep(0.3)
            b.sender.interrupt()
            begun_s = anyio.current_time()
        assert anyio.current_time() == begun_s


async def test_draining_tells_that_it_gets_on() -> None:
    """Each chunk that is sent, and each that waits for its time, is progress until then."""
    async with bench(audio_out_10ms_chunks=200, audio_out_lead_ms=0) as b:
        b.put(bytes(2 * RATE * 5))
        b.context.drain.hold("output", anyio.current_time())
        stalls_s: list[float] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(b.sender.drain)
            for _ in range(10):
                await anyio.sleep(0.5)
                stalls_s.append(b.context.drain.progress_s - anyio.current_time())
    assert min(stalls_s) >= -1e-9


async def test_closing_drops_everything() -> None:
    async with bench(audio_out_lead_ms=0) as b:
        b.put(b"a" * 6401)
        b.sender.put_frame(TransportMessageFrame(1))
        await settle()
        b.sender.close("cancelled")
        await anyio.sleep(1)
    statistics = b.sender.statistics()
    assert statistics.audio_dropped == {"cancelled": 3200 - 320}
    assert statistics.frames_dropped == {"cancelled": 1}
    assert statistics.odd_bytes == 1


async def test_a_write_that_is_cancelled_is_counted() -> None:
    async with bench() as b:
        b.sink.takes_s = 1.0
        b.put(bytes(640))
        await settle()
    assert b.sender.statistics().audio_dropped == {"cancelled": 320}


# --- resumed


async def test_a_second_run_goes_on_where_the_first_one_stopped() -> None:
    """Timers die with the run that they are in; nothing may wait for one of them."""

    async def stop(b: Bench, then: Callable[[], None]) -> None:
        async with anyio.create_task_group() as tasks:
            context = RunContext(tasks, EventQueue(tasks, 5.0, lambda *_: None))
            tasks.start_soon(context.run_timers)
            b.sender.begin(context)
            then()
            await settle()
            tasks.cancel_scope.cancel()

    async with bench() as b:
        pass
    await stop(b, lambda: b.put(b"a" * 700))
    assert b.sink.turns == [STARTED]
    async with anyio.create_task_group() as tasks:
        context = RunContext(tasks, EventQueue(tasks, 5.0, lambda *_: None))
        tasks.start_soon(context.run_timers)
        b.sender.begin(context)
        b.put(b"a" * 2)
        await anyio.sleep(1)
        assert len(b.sink.audio) == 702
        assert b.sink.turns == [STARTED, STARTED, STOPPED]
        tasks.cancel_scope.cancel()


async def test_speech_that_goes_on_wakes_no_timer_and_is_told_all_the_same() -> None:
    async with bench() as b:
        looks: list[float] = []  # each time that it looks and goes on, it sets a timer
        call_at = b.context.call_at

        def counted(due_s: float, callback: Callable[[], None]) -> Any:
            looks.append(due_s)
            return call_at(due_s, callback)

        b.context.call_at = counted  # type: ignore[method-assign]
        for _ in range(100):
            b.put(bytes(640))
            await anyio.sleep(0.02)
        assert len(looks) == 1
        await anyio.sleep(1)
    assert b.sink.turns == [STARTED, STOPPED]
    speaking_s = [time_s for time_s, kind in b.sink.speech if kind is SPEAKING]
    between_s = [later - earlier for earlier, later in itertools.pairwise(speaking_s)]
    assert len(between_s) >= 9
    assert between_s == pytest.approx([0.2] * len(between_s), abs=0.05)
