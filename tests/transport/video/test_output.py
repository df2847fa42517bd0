"""`wsframes.transport.video.output` and `sender`, in sessions with a peer in memory."""

import threading

import anyio
import pytest

from tests.transport.sessions import RATE, Session, audio_of
from tests.transport.video.sessions import Pictures, image, shown, sprite, video_session
from wsframes import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    SpriteFrame,
    StopFrame,
)
from wsframes.exceptions import EncodeError
from wsframes.graph import EndReason
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import VideoStatistics
from wsframes.transport.tasks import workers
from wsframes.transport.video import sender


def statistics(session: Session, destination: str | None = None) -> VideoStatistics:
    found = session.transport.output().video_statistics()[destination]
    assert found.taken == found.sent + sum(found.dropped.values()) + found.queued
    return found


class Bench:
    """An encoder that the test holds: its thread waits until it is told to go on."""

    def __init__(self) -> None:
        self._may = threading.Semaphore(0)
        self.at_work: list[str] = []
        self.begun = threading.Semaphore(0)

    def __call__(self, frame: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        self.at_work.append(frame.image.decode())
        self.begun.release()
        assert self._may.acquire(timeout=10)
        return frame

    def go_on(self, count: int = 1) -> None:
        self._may.release(count)

    async def wait_begun(self) -> None:
        while not self.begun.acquire(blocking=False):
            await anyio.lowlevel.checkpoint()


# --- live


async def test_each_live_image_is_sent_once_and_at_once() -> None:
    session = video_session(video_out_is_live=True, observe=True)
    frames = [image(name) for name in "abc"]
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for frame in frames:
            await session.task.queue_frame(frame)
            await anyio.sleep(0.25)
        assert shown(peer) == [(0.0, "a"), (0.25, "b"), (0.5, "c")]
    assert [f for _, f in session.down if isinstance(f, OutputImageRawFrame)] == frames
    assert statistics(session).sent == 3


async def test_a_source_that_trembles_keeps_its_rate() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for number in range(8):
            await anyio.sleep_until(number / 10 + (0.03 if number % 2 else 0.0))
            await session.task.queue_frame(image("ab"[number % 2]))
        await anyio.sleep(1)
        times_s = [time_s for time_s, _ in shown(peer)]
    assert times_s == pytest.approx([0.0, 0.13, 0.2, 0.33, 0.4, 0.53, 0.6, 0.73])


async def test_a_source_that_is_too_fast_is_thinned_out() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for number in range(20):
            await session.task.queue_frame(image(chr(ord("a") + number)))
            await anyio.sleep(0.025)
        await anyio.sleep(1)
        assert [time_s for time_s, _ in shown(peer)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
        assert shown(peer)[-1][1] == "t"
    assert statistics(session).dropped == {"superseded": 14}


async def test_a_slow_peer_gets_the_latest() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session, send_buffer_bytes=1) as peer:
        await session.started.wait()
        peer.stall()
        for number in range(26):
            await session.task.queue_frame(image(chr(ord("a") + number)))
            await anyio.sleep(0.1)
            assert statistics(session).queued <= 2
        peer.resume()
        await anyio.sleep(1)
        names = "".join(name for _, name in shown(peer))
    assert names.endswith("z")
    assert len(names) <= 4
    assert statistics(session).dropped == {"superseded": 26 - len(names)}


async def test_a_live_sprite_is_shown_once() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(sprite("abc"))
        await anyio.sleep(1)
        assert shown(peer) == [(0.0, "a"), (0.1, "b"), (0.2, "c")]


# --- repeated


async def test_the_last_image_is_repeated_at_the_rate() -> None:
    session = video_session(observe=True)
    first, second = image("a"), sprite("bc")
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(first)
        await anyio.sleep(0.25)
        await session.task.queue_frame(second)
        await anyio.sleep(0.5)
        assert shown(peer) == [(round(n / 10, 6), name) for n, name in enumerate("aaabcbcb")]
    passed = [(t, f) for t, f in session.down if isinstance(f, OutputImageRawFrame | SpriteFrame)]
    assert passed == [(0.0, first), (pytest.approx(0.3), second)]  # once each
    assert statistics(session).images == 8


async def test_what_a_slow_peer_has_missed_is_not_made_up_for() -> None:
    session = video_session()
    async with MemoryPeer(session, send_buffer_bytes=1) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(0.35)
        peer.stall()
        await anyio.sleep(2)
        peer.resume()
        await anyio.sleep(0.5)
        times_s = [time_s for time_s, _ in shown(peer)]
    late = [time_s for time_s in times_s if time_s >= 2.35]
    assert len(late) <= 10  # those that the server has held, and five on the schedule
    assert late[-3:] == pytest.approx([2.6, 2.7, 2.8])  # on the schedule of the beginning
    assert 15 <= statistics(session).missed <= 20


async def test_five_minutes_do_not_drift() -> None:
    session = video_session(video_out_framerate=7)
    async with MemoryPeer(session, keep_received=1) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(300.05)
        assert shown(peer) == [(300.0, "a")]
        assert statistics(session).images == 7 * 300 + 1


# --- beside the audio


async def test_audio_keeps_its_times() -> None:
    async def times_s(with_video: bool) -> list[float]:
        session = video_session(video_out_framerate=240, audio_out_lead_ms=0)
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            begun_s = anyio.current_time()
            if with_video:
                await session.task.queue_frame(sprite("ab"))
            await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * RATE), RATE))
            await anyio.sleep(2)
            return [
                round(message.time_s - begun_s, 9)
                for message in peer.received
                if isinstance(message.data, bytes)
            ]

    assert await times_s(with_video=True) == await times_s(with_video=False)


async def test_an_image_does_not_wait_for_the_audio_before_it() -> None:
    session = video_session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(bytes(2 * RATE), RATE))
        await session.task.queue_frame(image("a"))
        await settle()
        assert shown(peer) == [(0.0, "a")]


async def test_an_image_with_a_time_is_put_at_its_time() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for name, pts_ns in (("c", 700_000_000), ("a", 0), ("b", 333_000_000)):
            await session.task.queue_frame(image(name, pts=pts_ns))
        await session.task.queue_frame(image("z", pts=10**15))
        await anyio.sleep(1)
        assert shown(peer) == [(0.0, "a"), (0.333, "b"), (0.7, "c")]
        await session.task.queue_frame(EndFrame())
        await session.finished()
    assert session.transport.output().timed_statistics().dropped == {"ended": 1}


async def test_more_than_a_mebibyte_of_images_may_wait_for_their_time() -> None:
    session = video_session(video_out_width=1024, video_out_height=768)
    large = OutputImageRawFrame(bytes(1024 * 768), (1024, 768), "L", pts=10**15)
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frames([large] * 10)
        await settle()
        assert session.transport.output().timed_statistics().queued == 10
        await session.task.cancel()


# --- where to, and what not


async def test_destinations_have_their_own_pictures() -> None:
    session = video_session(video_out_destinations=["screen", "wall"])
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await session.task.queue_frame(sprite("bc", transport_destination="screen"))
        await anyio.sleep(0.15)
        assert sorted(shown(peer)) == [
            (0.0, "a"),
            (0.0, "screen:b"),
            (0.1, "a"),
            (0.1, "screen:c"),
        ]
    assert set(session.transport.output().video_statistics()) == {None, "screen", "wall"}
    assert statistics(session, "wall").taken == 0


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (image("a", transport_destination="wall"), "unknown_destination"),
        (sprite("ab", transport_destination="wall"), "unknown_destination"),
        (sprite(""), "unusable_image"),
    ],
)
async def test_what_has_no_place_is_dropped_and_counted(
    frame: Frame, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = video_session(audio_out_destinations=["wall"])
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([frame] * 3)
        await anyio.sleep(1)
        assert shown(peer) == []
    assert session.transport.output().dropped == {reason: 3}
    assert len([record for record in caplog.records if reason in record.getMessage()]) == 1


async def test_an_image_that_lies_is_reported_once_and_the_next_is_shown() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for _ in range(3):
            await session.task.queue_frame(OutputImageRawFrame(b"12", (1, 1), "L"))
            await anyio.sleep(0.2)
        await session.task.queue_frame(image("a"))
        await settle()
        assert [name for _, name in shown(peer)] == ["a"]
    assert statistics(session).dropped == {"unusable_image": 3}
    (error,) = session.errors
    assert error.error.startswith("output: OutputImageRawFrame#")
    assert "image has 2 bytes, but 1 x 1 pixels in L are 1" in error.error


async def test_an_encoder_that_raises_costs_the_image() -> None:
    def encode(frame: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        if frame.image == b"x":
            raise RuntimeError("no")
        return frame

    session = video_session(Pictures(encode))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("x"))
        await anyio.sleep(0.15)
        await session.task.queue_frame(image("a"))
        await anyio.sleep(0.01)  # which waits for the thread; settling does not
        assert [name for _, name in shown(peer)] == ["a"]
    assert "RuntimeError" in session.errors[0].error


async def test_an_image_that_the_serializer_refuses_is_counted() -> None:
    class Blind(Pictures):
        def serialize(self, frame: Frame) -> str | bytes | None:
            raise EncodeError("no images here")

    session = video_session(Blind())
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(1)
    assert statistics(session).dropped == {"encode_error": 1}
    assert len(session.errors) == 1  # it is not tried ten times a second


async def test_without_a_serializer_images_are_taken_and_pass() -> None:
    session = video_session(observe=True, serializer=None)
    frame = OutputImageRawFrame(b"of any size", (7, 7), "RGB")
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(frame)
        await anyio.sleep(1)
        assert peer.received == []
    assert frame in [frame for _, frame in session.down]


async def test_one_for_which_the_bitrate_has_no_room_waits_or_is_left_out() -> None:
    room = iter([False, False, True])

    def encode(frame: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        return frame if next(room, False) else None

    for is_live in (False, True):
        session = video_session(Pictures(encode), video_out_is_live=is_live)
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            begun_s = anyio.current_time()
            await session.task.queue_frame(image("a"))
            await anyio.sleep(0.55)
            if is_live:
                assert shown(peer) == []
                assert statistics(session).dropped == {"over_bitrate": 1}
            else:
                assert shown(peer, begun_s) == [(0.2, "a")]
                assert statistics(session).missed == 5


async def test_the_serializer_is_asked_for_an_encoder_of_each_destination() -> None:
    serializer = Pictures()
    session = video_session(
        serializer, video_out_destinations=["screen"], video_out_bitrate=5000, runs=2
    )
    async with MemoryPeer(session):
        await session.started.wait()
        assert serializer.asked == [(5000, 10)] * 3  # and one for what is written apart
        await session.task.cancel()


# --- threads


async def test_while_one_is_encoded_the_latest_takes_the_place_of_others() -> None:
    bench = Bench()
    session = video_session(Pictures(bench), video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await bench.wait_begun()
        for name in "bcd":
            await session.task.queue_frame(image(name))
        bench.go_on(2)
        await anyio.sleep(1)
        assert [name for _, name in shown(peer)] == ["a", "d"]
    assert bench.at_work == ["a", "d"]
    assert statistics(session).dropped == {"superseded": 2}


@pytest.mark.parametrize("interrupted", [False, True])
async def test_what_waits_for_a_thread_is_replaced_or_dropped(interrupted: bool) -> None:
    bench = Bench()
    session = video_session(Pictures(bench), video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        async with anyio.create_task_group() as tasks:
            leave = anyio.Event()

            async def occupy() -> None:
                async with workers.place():
                    await leave.wait()

            for _ in range(workers._PLACES):
                tasks.start_soon(occupy)
            await settle()
            await session.task.queue_frame(image("a"))
            await settle()
            await session.task.queue_frame(image("b"))
            await settle()
            if interrupted:
                await session.task.queue_frame(InterruptionFrame())
                await settle()
            bench.go_on()
            leave.set()
        await anyio.sleep(1)
        assert [name for _, name in shown(peer)] == ([] if interrupted else ["b"])
    dropped = {"superseded": 1, "interrupted": 1} if interrupted else {"superseded": 1}
    assert statistics(session).dropped == dropped


async def test_no_more_are_encoded_at_once_than_there_are_places() -> None:
    count = threading.Lock()
    running, most = 0, 0

    def encode(frame: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        nonlocal running, most
        with count:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.001)
        with count:
            running -= 1
        return frame

    names = [f"d{number}" for number in range(workers._PLACES + 3)]
    session = video_session(Pictures(encode), video_out_destinations=names)
    async with MemoryPeer(session):
        await session.started.wait()
        for name in names:
            await session.task.queue_frame(image("a", transport_destination=name))
        await anyio.sleep(0.5)
        assert all(statistics(session, name).images >= 3 for name in names)
    assert most <= workers._PLACES


async def test_a_slow_peer_holds_no_place() -> None:
    session = video_session(Pictures(lambda frame, now_s: frame))
    async with MemoryPeer(session, send_buffer_bytes=1) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(1)
        assert peer.statistics().blocked_sends == 1
        with anyio.fail_after(1):
            async with workers.place():
                pass
        peer.resume()


# --- interruption


async def test_a_still_image_goes_on_over_an_interruption() -> None:
    session = video_session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(0.15)
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(0.3)
        assert shown(peer) == [(round(n / 10, 6), "a") for n in range(5)]
    assert statistics(session).dropped == {}


async def test_a_live_image_that_waits_is_dropped_by_an_interruption() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await settle()
        await session.task.queue_frame(image("b"))
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(1)
        await session.task.queue_frame(image("c"))
        await settle()
        assert [name for _, name in shown(peer)] == ["a", "c"]
    assert statistics(session).dropped == {"interrupted": 1}


async def test_and_so_is_one_that_is_being_encoded() -> None:
    bench = Bench()
    session = video_session(Pictures(bench), video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await bench.wait_begun()
        await session.task.queue_frame(InterruptionFrame())
        await settle()
        bench.go_on()
        await anyio.sleep(1)
        assert shown(peer) == []
    assert statistics(session).dropped == {"interrupted": 1}


# --- the end


@pytest.mark.parametrize("is_live", [False, True])
async def test_what_was_put_before_the_end_is_shown_before_it(is_live: bool) -> None:
    bench = Bench()
    session = video_session(Pictures(bench), video_out_is_live=is_live)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([image("a"), EndFrame()])
        await bench.wait_begun()
        assert not peer.received
        bench.go_on(10)
        assert (await peer.wait_closed()).code == 1000
        assert [name for _, name in shown(peer)] == ["a"]
    assert session.result.reason is EndReason.ENDED
    assert statistics(session).sent == 1


async def test_a_live_sprite_is_shown_to_its_last_image_before_the_end() -> None:
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([sprite("abc"), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert [name for _, name in shown(peer)] == ["a", "b", "c"]


async def test_an_end_may_take_as_long_as_a_sprite_does() -> None:
    session = video_session(video_out_is_live=True, video_out_framerate=1)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([sprite("abcdefghijkl"), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert "".join(name for _, name in shown(peer)) == "abcdefghijkl"
    assert session.result.reason is EndReason.ENDED


async def test_a_still_image_is_shown_until_the_last_word_has_been_heard() -> None:
    session = video_session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        speech = OutputAudioRawFrame(bytes(2 * RATE), RATE)
        await session.task.queue_frames([image("a"), speech, EndFrame()])
        await peer.wait_closed()
        assert [time_s for time_s, _ in shown(peer)] == pytest.approx([n / 10 for n in range(11)])
        assert len(audio_of(peer)) == 2 * RATE


async def test_an_end_does_not_wait_for_room_in_the_bitrate() -> None:
    session = video_session(Pictures(lambda frame, now_s: None))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(0.5)
        await session.task.queue_frame(EndFrame())
        await peer.wait_closed()
        assert anyio.current_time() < 1
    assert session.result.reason is EndReason.ENDED
    assert statistics(session).dropped == {"over_bitrate": 1}


async def test_after_a_stop_nothing_is_sent_and_a_start_resumes() -> None:
    session = video_session(runs=2, pause_s=10.0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(0.15)
        await session.task.queue_frame(StopFrame())
        await anyio.sleep(9.8)
        assert [time_s for time_s, _ in shown(peer)] == pytest.approx([0.0, 0.1])
        await anyio.sleep(0.45)
        times_s = [time_s for time_s, _ in shown(peer)]
        assert times_s == pytest.approx([0.0, 0.1, 10.15, 10.25, 10.35])
        await session.task.queue_frames([image("b"), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert shown(peer)[-1][1] == "b"


async def test_a_stop_waits_for_the_image_that_is_being_sent() -> None:
    session = video_session()
    async with MemoryPeer(session, send_buffer_bytes=1) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frame(image("a"))
        await anyio.sleep(0.55)  # it has been sent, and is being sent again
        await session.task.queue_frame(StopFrame())
        await anyio.sleep(1)
        assert not session.results
        peer.resume()
        await session.finished()
    assert session.result.reason is EndReason.STOPPED


async def test_a_cancel_drops_what_is_at_work_and_waits_for_no_thread() -> None:
    bench = Bench()
    session = video_session(Pictures(bench), video_out_is_live=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await bench.wait_begun()
        await session.task.queue_frames([image("b"), CancelFrame()])
        assert (await peer.wait_closed()).code == 1001
        await session.finished()
    bench.go_on()
    assert session.result.reason is EndReason.CANCELLED
    assert statistics(session).dropped == {"cancelled": 2}
    assert statistics(session).queued == 0


async def test_an_encoder_that_hangs_holds_up_nothing_else() -> None:
    bench = Bench()
    session = video_session(Pictures(bench))
    speech = b"ab" * 640
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await bench.wait_begun()
        await session.task.queue_frame(OutputAudioRawFrame(speech, RATE))
        await settle()
        assert audio_of(peer) == speech
        await session.task.cancel()
    bench.go_on()
    assert session.result.reason is EndReason.CANCELLED


async def test_an_encoder_that_hangs_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "_PATIENCE_S", 0.1)  # which pass really: a thread runs
    bench = Bench()
    session = video_session(Pictures(bench))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(image("a"))
        await bench.wait_begun()
        await session.task.queue_frame(image("b"))
        await anyio.sleep(0.2)
        async with workers.place():
            await session.task.queue_frame(image("c"))
            await settle()
        bench.go_on()
        await session.task.queue_frame(EndFrame())
        assert (await peer.wait_closed()).code == 1000
        assert shown(peer) == []
    assert bench.at_work == ["a"]
    assert statistics(session).dropped == {"encoder_stuck": 3}
    (error,) = session.errors
    assert "no image is sent any more: an image was not ready after 0.1 s" in error.error


# --- at once


async def test_write_video_frame_sends_at_once_as_it_is() -> None:
    session = video_session(video_out_enabled=False)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        frame = OutputImageRawFrame(b"large", (5, 1), "L")
        assert await session.transport.output().write_video_frame(frame)
        await settle()
        assert shown(peer) == [(0.0, "large")]


async def test_write_video_frame_encodes_one_at_a_time() -> None:
    bench = Bench()
    session = video_session(Pictures(bench))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        output = session.transport.output()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(output.write_video_frame, image("a"))
            await bench.wait_begun()
            tasks.start_soon(output.write_video_frame, image("b"))
            await settle()
            assert bench.at_work == ["a"]
            bench.go_on(2)
        assert await output.write_video_frame(OutputImageRawFrame(b"encoded", (1, 1)))
        await settle()
        assert [name for _, name in shown(peer)] == ["a", "b", "encoded"]


async def test_write_video_frame_says_when_there_was_no_room() -> None:
    session = video_session(Pictures(lambda frame, now_s: None))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        assert not await session.transport.output().write_video_frame(image("a"))
        assert peer.received == []
    assert session.transport.output().dropped == {"over_bitrate": 1}
