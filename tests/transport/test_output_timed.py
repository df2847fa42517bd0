"""Frames with a time, in sessions with a peer in memory."""

from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Session, sound, texts_of
from wsframes import (
    EndFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.graph import EndReason
from wsframes.testing import MemoryPeer, settle

NS = 1_000_000_000
FAR = 10**6 * NS


def message(text: str, seconds: float | None, **common: Any) -> TransportMessageFrame:
    pts = None if seconds is None else round(seconds * NS)
    return TransportMessageFrame(text, pts=pts, **common)


def texts_and_times(peer: MemoryPeer, begun_s: float) -> list[tuple[str, float]]:
    times_s = [each.time_s - begun_s for each in peer.received if isinstance(each.data, str)]
    return list(zip(texts_of(peer), (round(time_s, 6) for time_s in times_s), strict=True))


async def test_they_leave_at_their_time_beside_all_others() -> None:
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        output = session.transport.output()
        begun_s = anyio.current_time() - output.time_ns / NS
        frames = [
            OutputAudioRawFrame(sound(2), RATE),
            message("behind the audio", None),
            message("c", 1.5),
            message("a", 0.5),
            message("b1", 1.0),
            message("b2", 1.0),
            message("now", 0),
        ]
        await session.task.queue_frames(frames)
        await anyio.sleep(3)
    assert texts_and_times(peer, begun_s) == [
        ("now", 0.0),
        ("a", 0.5),
        ("b1", 1.0),
        ("b2", 1.0),
        ("c", 1.5),
        ("behind the audio", 1.96),
    ]
    assert output.timed_statistics().sent == 5


async def test_they_pass_on_when_they_have_left() -> None:
    session = Session(observe=True)
    text = TextFrame("word", pts=NS)
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(text)
        await anyio.sleep(0.9)
        assert text not in [frame for _, frame in session.down]
        await anyio.sleep(0.2)
        assert text in [frame for _, frame in session.down]


async def test_one_for_the_far_future_holds_up_no_end_and_is_counted() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        frames = [TransportMessageFrame("never", pts=FAR), message("meanwhile", 0.3)]
        await session.task.queue_frames(frames)
        await session.task.queue_frames([OutputAudioRawFrame(sound(1), RATE), EndFrame()])
        closed = await peer.wait_closed()
        assert closed.code == 1000
        assert anyio.current_time() == pytest.approx(1.0, abs=0.01)
        assert texts_of(peer) == ["meanwhile"]
    assert session.result.reason is EndReason.ENDED
    assert session.transport.output().timed_statistics().dropped == {"ended": 1}


async def test_a_cancelled_session_counts_them() -> None:
    session = Session()
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(TransportMessageFrame("never", pts=FAR))
        await settle()
        await session.task.cancel()
        await session.finished()
    assert session.transport.output().timed_statistics().dropped == {"cancelled": 1}


async def test_an_interruption_drops_the_interruptible_ones() -> None:
    session = Session(observe=True)
    text = TextFrame("lost", pts=NS)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([text, message("kept", 1.0)])
        await settle()
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(2)
        assert [text for text in texts_of(peer) if text == "kept"] == ["kept"]
    assert text not in [frame for _, frame in session.down]
    assert session.transport.output().timed_statistics().dropped == {"interrupted": 1}


async def test_an_urgent_message_and_audio_have_no_use_for_a_time() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        audio = OutputAudioRawFrame(sound(0.04), RATE, pts=FAR)
        await session.task.queue_frames([audio, TransportMessageUrgentFrame("now", pts=FAR)])
        await settle()
        assert len(peer.received) == 2


async def test_there_is_a_bound_and_what_is_beyond_it_is_counted() -> None:
    session = Session()
    async with MemoryPeer(session):
        await session.started.wait()
        for _ in range(11):
            await session.task.queue_frames([TextFrame("x", pts=FAR)] * 100)
            await settle()
        output = session.transport.output()
        assert output.dropped == {"too_many_timed": 76}
        assert output.timed_statistics().queued == 1024


async def test_they_wait_on_between_two_runs() -> None:
    session = Session(runs=2, pause_s=5)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frame(message("later", 7))
        await settle()
        await session.task.stop()
        await anyio.sleep(9)
        assert texts_and_times(peer, begun_s) == [("later", 7.0)]
