"""`wsframes.transport.playout.media_queue`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.strategies import CHUNK_MS, SAMPLE_RATES
from wsframes import Frame, TextFrame, TransportMessageFrame
from wsframes.transport.playout.media_queue import Chunk, MediaQueue

RATE = 16000
CHUNK_BYTES = 640  # 20 ms


def queue(chunk_ms: int = 20, max_audio_ms: int = 5000, num_channels: int = 1) -> MediaQueue:
    return MediaQueue(num_channels, chunk_ms, max_audio_ms)


def take_all(queue: MediaQueue) -> list[bytes | Frame]:
    taken: list[bytes | Frame] = []
    while queue.items:
        item = queue.take()
        taken.append(item.audio if isinstance(item, Chunk) else item)
        queue.done(None)
    return taken


def test_an_empty_one() -> None:
    empty = queue()
    assert empty.empty
    assert not empty.items
    assert not empty.partial
    assert empty.has_room
    empty.flush()
    empty.drop("nothing")
    assert not empty.items
    assert empty.statistics().audio_dropped == {}


def test_audio_is_cut_into_chunks_and_a_frame_keeps_its_place() -> None:
    media = queue()
    media.put_audio(b"a" * 800, RATE)
    text = TextFrame("between")
    media.put_frame(text)
    media.put_audio(b"b" * CHUNK_BYTES, RATE)
    media.put_audio(b"c" * 10, RATE)
    assert take_all(media) == [b"a" * CHUNK_BYTES, b"a" * 160, text, b"b" * CHUNK_BYTES]
    assert media.partial
    assert not media.empty
    media.flush()
    assert take_all(media) == [b"c" * 10]
    assert media.empty


def test_a_new_rate_begins_a_new_chunk() -> None:
    media = queue(chunk_ms=10)
    media.put_audio(b"a" * 100, 16000)
    media.put_audio(b"b" * 160, 8000)
    chunks = [media.take(), media.take()]
    assert [(c.frames, c.sample_rate) for c in chunks if isinstance(c, Chunk)] == [
        (50, 16000),
        (80, 8000),
    ]


@pytest.mark.parametrize(("rate", "ms", "frames"), [(11025, 10, 110), (22050, 10, 220)])
def test_a_chunk_is_whole_samples(rate: int, ms: int, frames: int) -> None:
    media = queue(chunk_ms=ms, num_channels=2)
    media.put_audio(bytes(rate * 4), rate)
    first = media.take()
    assert isinstance(first, Chunk)
    assert (first.frames, len(first.audio)) == (frames, frames * 4)


def test_it_is_full_of_audio_past_its_milliseconds() -> None:
    media = queue(max_audio_ms=100)
    media.put_audio(bytes(2 * 1600), RATE)
    assert media.has_room
    media.put_audio(bytes(2), RATE)
    assert not media.has_room
    media.take()
    assert not media.has_room  # what is at work counts until it is done
    media.done(None)
    assert media.has_room


def test_it_has_room_for_a_chunk_however_few_its_milliseconds_are() -> None:
    media = queue(chunk_ms=200, max_audio_ms=100)
    for _ in range(10):  # in pieces of 20 ms at 16 kHz
        assert media.has_room
        media.put_audio(bytes(640), 16000)
    assert len(media.items) == 1
    assert media.has_room
    media.put_audio(bytes(640), 16000)
    assert not media.has_room


def test_it_is_full_of_frames_at_256_and_chunks_do_not_count() -> None:
    media = queue(chunk_ms=10, max_audio_ms=100_000)
    media.put_audio(bytes(2 * 16000 * 5), RATE)
    for _ in range(255):
        media.put_frame(TextFrame("x"))
    assert media.has_room
    media.put_frame(TextFrame("x"))
    assert not media.has_room


def test_it_is_full_of_frames_at_a_mebibyte() -> None:
    media = queue()
    media.put_frame(TransportMessageFrame("x" * ((1 << 20) - 64)))
    assert not media.has_room
    take_all(media)
    assert media.has_room
    media.put_frame(TransportMessageFrame("x" * ((1 << 20) - 65)))
    assert media.has_room


def test_a_message_that_changes_while_it_waits_does_not_upset_the_bound() -> None:
    media = queue()
    message: dict[str, Any] = {"text": "x" * (1 << 20)}
    media.put_frame(TransportMessageFrame(message))
    assert not media.has_room
    message["text"] = ""
    take_all(media)
    assert media.has_room
    message["text"] = "x"
    media.put_frame(TransportMessageFrame(message))
    message["text"] = "x" * (1 << 20)
    media.drop("over", all_frames=True)
    assert media.has_room


def test_dropping_spares_what_is_uninterruptible_and_what_is_at_work() -> None:
    media = queue()
    media.put_audio(b"a" * 2 * CHUNK_BYTES + b"rest", RATE)
    kept, lost = TransportMessageFrame(1), TextFrame("lost")
    media.put_frame(lost)
    media.put_frame(kept)
    media.put_audio(b"part", RATE)
    at_work = media.take()
    media.drop("interrupted")
    assert isinstance(at_work, Chunk)
    assert not media.partial
    statistics = media.statistics()
    assert statistics.audio_dropped == {"interrupted": 320 + 2 + 2}
    assert statistics.audio_queued == 320
    assert statistics.frames_dropped == {"interrupted": 1}
    media.done(None)
    assert media.items[0][0] is kept
    media.drop("cancelled", all_frames=True)
    assert media.empty
    assert media.statistics().frames_dropped == {"interrupted": 1, "cancelled": 1}


def test_what_was_taken_is_counted_when_it_is_done() -> None:
    media = queue()
    media.put_audio(bytes(CHUNK_BYTES), RATE)
    media.put_frame(TextFrame("x"))
    media.take()
    assert not media.empty
    media.done("unsent")
    media.take()
    media.done("unsent")
    statistics = media.statistics(odd_bytes=3)
    assert statistics.audio_dropped == {"unsent": 320}
    assert statistics.frames_dropped == {"unsent": 1}
    assert statistics.odd_bytes == 3
    assert media.empty


class MediaQueueMachine(RuleBasedStateMachine):
    """At every moment taken = sent + dropped + queued, and what comes out is what went in."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = queue(chunk_ms=10)
        self.queued: list[bytes | Frame] = []
        self.at_work = False

    @rule(
        rate=st.sampled_from(SAMPLE_RATES),
        frames=st.integers(0, 2000),
        byte=st.integers(0, 255).map(lambda n: bytes([n])),
    )
    def put_audio(self, rate: int, frames: int, byte: bytes) -> None:
        audio = byte * 2 * frames
        self.queue.put_audio(audio, rate)
        if self.queued and isinstance(self.queued[-1], bytes):
            audio = self.queued.pop() + audio  # type: ignore[operator]
        self.queued.append(audio)

    @rule(uninterruptible=st.booleans())
    def put_frame(self, uninterruptible: bool) -> None:
        frame = TransportMessageFrame("m") if uninterruptible else TextFrame("t")
        self.queue.put_frame(frame)
        self.queued.append(frame)

    @rule()
    def flush(self) -> None:
        self.queue.flush()

    @precondition(lambda self: not self.at_work and self.queue.items)
    @rule()
    def take(self) -> None:
        item = self.queue.take()
        self.at_work = True
        # A piece that was empty has made no chunk.
        expected = next(filter(None, iter(lambda: self.queued.pop(0), None)))
        if not isinstance(item, Chunk):
            assert item is expected
            return
        assert isinstance(expected, bytes)
        assert expected.startswith(item.audio)
        self.queued.insert(0, expected[len(item.audio) :])

    @precondition(lambda self: self.at_work)
    @rule(dropped=st.sampled_from([None, "unsent"]))
    def done(self, dropped: str | None) -> None:
        self.queue.done(dropped)
        self.at_work = False

    @rule(all_frames=st.booleans())
    def drop(self, all_frames: bool) -> None:
        self.queue.drop("dropped", all_frames=all_frames)
        self.queued = [
            item
            for item in self.queued
            if not all_frames and isinstance(item, Frame) and item.uninterruptible
        ]

    @invariant()
    def nothing_is_lost(self) -> None:
        s = self.queue.statistics()
        assert s.audio_taken == s.audio_sent + sum(s.audio_dropped.values()) + s.audio_queued
        assert s.frames_taken == s.frames_sent + sum(s.frames_dropped.values()) + s.frames_queued
        queued = sum(len(item) // 2 for item in self.queued if isinstance(item, bytes))
        assert s.audio_queued >= queued
        assert self.at_work or s.audio_queued == queued
        assert self.queue.empty is (not self.at_work and not any(self.queued))


TestMediaQueueMachine = MediaQueueMachine.TestCase


@given(st.sampled_from(SAMPLE_RATES), st.sampled_from(CHUNK_MS), st.lists(st.binary(max_size=5000)))
def test_all_chunks_but_the_last_have_one_length(rate: int, ms: int, parts: list[bytes]) -> None:
    """Whole samples in, whole chunks out, and at the end one shorter one; no byte more or less."""
    media = queue(chunk_ms=ms)
    whole = [part[: len(part) // 2 * 2] for part in parts]
    for part in whole:
        media.put_audio(part, rate)
    media.flush()
    out = take_all(media)
    assert b"".join(chunk for chunk in out if isinstance(chunk, bytes)) == b"".join(whole)
    assert {len(chunk) for chunk in out[:-1] if isinstance(chunk, bytes)} <= {
        2 * (rate * ms // 1000)
    }
