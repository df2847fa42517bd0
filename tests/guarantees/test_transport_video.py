"""P6, P7, P11 and the order of the end, for images, across the whole wiring."""

from collections import Counter
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.sessions import RATE, Session, sound
from tests.transport.video.sessions import Pictures, image, shown, sprite, video_session
from tests.video.pictures import photo
from wsframes import (
    EndFrame,
    Frame,
    InputImageRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    SpriteFrame,
)
from wsframes.graph import EndReason
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer
from wsframes.video import decode_jpeg

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("image"), st.sampled_from("abcdef")),
        st.tuples(st.just("sprite"), st.sampled_from(["g", "hi", "jkl"])),
        st.tuples(st.just("sleep"), st.sampled_from([0.0, 0.01, 0.1, 0.35])),
        st.tuples(st.just("interrupt"), st.none()),
        st.tuples(st.just("stall"), st.none()),
        st.tuples(st.just("resume"), st.none()),
    ),
    max_size=20,
)


def fates(session: Session) -> tuple[int, int, Counter[str], int]:
    found = session.transport.output().video_statistics()[None]
    return found.taken, found.sent, Counter(found.dropped), found.images


@settings(max_examples=60)
@given(steps=STEPS, is_live=st.booleans(), threads=st.booleans())
async def test_every_picture_is_shown_or_counted_as_dropped(
    steps: list[tuple[str, Any]], is_live: bool, threads: bool
) -> None:
    """taken = sent + dropped, what the peer has seen is what was sent, the latest one is seen."""
    encoder = (lambda frame, now_s: frame) if threads else None
    session = video_session(Pictures(encoder), video_out_is_live=is_live)
    put, latest = 0, ""
    async with MemoryPeer(session, send_buffer_bytes=1) as peer:
        await session.started.wait()
        for step, value in steps:
            if step in ("image", "sprite"):
                frame: Frame = image(value) if step == "image" else sprite(value)
                await session.task.queue_frame(frame)
                put, latest = put + 1, value
            elif step == "sleep":
                await anyio.sleep(value)
            elif step == "interrupt":
                await session.task.queue_frame(InterruptionFrame())
                latest = "" if is_live else latest
            else:
                peer.stall() if step == "stall" else peer.resume()
        peer.resume()
        await session.task.queue_frame(EndFrame())
        assert (await peer.wait_closed()).code == 1000
        names = [name for _, name in shown(peer)]
    taken, sent, dropped, images = fates(session)
    assert taken == put == sent + dropped.total()
    assert set(dropped) <= {"superseded", "interrupted"}
    assert len(names) == images
    assert session.result.reason is EndReason.ENDED
    if latest and not is_live:
        assert names[-1] in latest
    if latest and is_live:
        assert names[-1] == latest[-1]


async def test_a_producer_that_floods_costs_no_memory() -> None:
    """P7: of ten thousand images that nobody reads, two are held, and nobody waits."""
    session = video_session(video_out_is_live=True)
    async with MemoryPeer(session, send_buffer_bytes=1) as peer:
        await session.started.wait()
        peer.stall()
        for number in range(10_000):
            session.tap.push_frame_nowait(image("a"))
            if number % 100 == 0:
                await anyio.sleep(0.01)
                statistics = session.transport.output().video_statistics()[None]
                assert statistics.queued <= 2
        await session.task.cancel()
    taken, sent, dropped, _ = fates(session)
    assert taken == 10_000 == sent + dropped.total()


async def test_speech_and_pictures_in_jpeg_across_one_socket() -> None:
    """Audio comes bit-exact and on time, beside pictures that are what was pushed."""
    session = video_session(
        MsgpackFrameSerializer(jpeg=True),
        video_out_width=64,
        video_out_height=48,
        video_out_color_format="RGB",
        audio_out_lead_ms=0,
        video_out_framerate=30,
        video_in_enabled=True,
        observe=True,
    )
    client = MsgpackFrameSerializer(client=True, jpeg=True)
    whole = sound(2.0)
    async with MemoryPeer(session, send_buffer_bytes=1 << 20) as peer:
        await session.started.wait()
        await peer.send(client.serialize(photo((64, 48), 7)) or b"")
        await anyio.sleep(0.1)
        begun_s = anyio.current_time()
        pictures = SpriteFrame([photo((64, 48), number) for number in range(5)])
        speech = OutputAudioRawFrame(whole, RATE)
        await session.task.queue_frames([pictures, speech, EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        frames = [(m.time_s - begun_s, client.deserialize(m.data)) for m in peer.received]
    audio = [(time_s, frame) for time_s, frame in frames if hasattr(frame, "audio")]
    assert b"".join(frame.audio for _, frame in audio) == whole
    assert [round(time_s, 6) for time_s, _ in audio] == [
        round(n * 0.04, 6) for n in range(len(audio))
    ]
    seen = [frame for _, frame in frames if isinstance(frame, InputImageRawFrame)]
    assert 60 <= len(seen) <= 61
    assert all(decode_jpeg(frame.image)[1] == (64, 48) for frame in seen[:5])
    (read,) = [frame for frame in session.read if isinstance(frame, InputImageRawFrame)]
    assert (read.size, read.format) == ((64, 48), "RGB")
