"""P10, P11: what overtakes what at the wire, and what an interruption leaves of it."""

from collections.abc import Callable, Sequence

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.transport.sessions import RATE, Session
from wsframes import (
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
    UninterruptibleFrame,
)
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import (
    PROFILES,
    UVICORN_WEBSOCKETS,
    MemoryPeer,
    ServerProfile,
    run_virtual,
    settle,
)

every_profile = pytest.mark.parametrize("profile", PROFILES)


class Labelled(RawAudioSerializer):
    """Audio as it is; of every other frame its label; of an interruption a mark."""

    def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        if isinstance(frame, InterruptionFrame):
            return "clear"
        return frame.metadata.get("label")


class LabelledAsync(Labelled):
    """The same, and each frame takes a moment."""

    async def serialize(self, frame: Frame) -> str | bytes | None:  # type: ignore[override]
        await anyio.sleep(0.001)
        return super().serialize(frame)


KINDS: dict[str, Callable[[int], Frame]] = {
    "audio": lambda n: OutputAudioRawFrame(n.to_bytes(2, "little") * 320, RATE),
    "long audio": lambda n: OutputAudioRawFrame(n.to_bytes(2, "little") * 1700, RATE),
    "message": lambda n: TransportMessageFrame(n, metadata={"label": f"{n}"}),
    "text": lambda n: TextFrame("x", metadata={"label": f"{n}"}),
    "key": lambda n: OutputDTMFFrame("5", metadata={"label": f"{n}"}),
}


def labels(peer: MemoryPeer) -> list[str]:
    """What the peer has read, each frame by its number."""
    read: list[str] = []
    for message in peer.received:
        if isinstance(message.data, str):
            read.append(message.data)
            continue
        for at in range(0, len(message.data), 2):
            label = str(int.from_bytes(message.data[at : at + 2], "little"))
            if not read or read[-1] != label:
                read.append(label)
    return read


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(sorted(KINDS)), max_size=60),
    st.sampled_from([Labelled, LabelledAsync]),
    st.sampled_from(PROFILES),
)
def test_p10_ordered_frames_leave_in_the_order_in_which_they_came(
    backend: str, kinds: list[str], serializer: type[RawAudioSerializer], profile: ServerProfile
) -> None:
    """P10: whatever they are, none overtakes another one."""

    async def main() -> None:
        session = Session(serializer=serializer())
        async with MemoryPeer(session, profile=profile) as peer:
            await session.started.wait()
            frames = [KINDS[kind](number + 1) for number, kind in enumerate(kinds)]
            await session.task.queue_frames(frames)
            await session.task.stop_when_done()
            await peer.wait_closed()
            assert labels(peer) == [str(number + 1) for number in range(len(kinds))]

    run_virtual(main, backend=backend)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("serializer", [Labelled, LabelledAsync])
@settings(max_examples=80)
@given(
    turns=st.lists(
        st.tuples(st.lists(st.sampled_from(sorted(KINDS)), max_size=12), st.floats(0, 0.3)),
        min_size=2,
        max_size=5,
    ),
    profile=st.sampled_from(PROFILES),
    stall_s=st.sampled_from([0.0, 0.0, 0.1]),
)
# Several that wait to be shown: what is new waits for the mark of each.
@example(turns=[([], 0.0)] * 4 + [(["audio"] * 2, 0.25)], profile=UVICORN_WEBSOCKETS, stall_s=0.0)
def test_p11_an_interruption_parts_the_old_from_the_new(
    backend: str,
    serializer: type[RawAudioSerializer],
    turns: list[tuple[list[str], float]],
    profile: ServerProfile,
    stall_s: float,
) -> None:
    """P11: before its mark nothing new goes out and after it no old audio; what is uninterruptible
    goes out all the same, in its order; and of what is heard of a turn, nothing is missing."""

    async def main() -> None:
        session = Session(serializer=serializer(), audio_out_lead_ms=0)
        uninterruptible: list[str] = []
        generation: dict[str, int] = {}
        kind_of: dict[str, str] = {}
        number = 0
        async with MemoryPeer(session, profile=profile, send_buffer_bytes=1000) as peer:
            await session.started.wait()
            for turn, (kinds, seconds) in enumerate(turns):
                for kind in kinds:
                    number += 1
                    frame = KINDS[kind](number)
                    generation[str(number)], kind_of[str(number)] = turn, kind
                    if isinstance(frame, UninterruptibleFrame):
                        uninterruptible.append(str(number))
                    session.tap.push_frame_nowait(frame)
                if stall_s:
                    peer.stall()
                await anyio.sleep(seconds)
                session.tap.push_frame_nowait(InterruptionFrame())
                if stall_s:
                    await anyio.sleep(stall_s)
                    peer.resume()
            await anyio.sleep(1)
            await session.task.stop_when_done()
            await peer.wait_closed()
            check(labels(peer), len(turns), generation, kind_of, uninterruptible)

    run_virtual(main, backend=backend)  # type: ignore[arg-type]


def check(
    read: Sequence[str],
    turns: int,
    generation: dict[str, int],
    kind_of: dict[str, str],
    uninterruptible: list[str],
) -> None:
    assert read.count("clear") == turns
    assert [label for label in read if label in uninterruptible] == uninterruptible
    marks = 0
    before = 0
    for label in read:
        if label == "clear":
            marks += 1
            continue
        assert marks >= generation[label]  # nothing new before the mark
        if "audio" in kind_of[label]:
            assert marks == generation[label]  # nothing old after it
        assert int(label) > before  # and all in order
        before = int(label)


@every_profile
async def test_p11_the_mark_is_at_the_peer_at_once_with_a_full_queue(
    profile: ServerProfile,
) -> None:
    """P11: within 20 ms, with 10,000 frames queued and the next chunk waiting for its time."""
    session = Session(serializer=Labelled(), audio_out_lead_ms=0)
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        for _ in range(3000):
            session.tap.push_frame_nowait(OutputAudioRawFrame(bytes(640), RATE))
        await anyio.sleep(1.005)  # between two chunks
        interrupted_s = anyio.current_time()
        session.tap.push_frame_nowait(InterruptionFrame())
        await settle()
        assert peer.received[-1].data == "clear"
        assert peer.received[-1].time_s - interrupted_s <= 0.02
        heard = session.transport.output().statistics()[None]
        assert heard.audio_queued == 0
        lane = session.task.statistics()["output"]
        assert lane.queued == 0
        assert heard.audio_dropped["interrupted"] // 320 + lane.dropped["interrupted"] >= 2900


@every_profile
async def test_a_write_under_way_holds_the_mark_no_longer_than_itself(
    profile: ServerProfile,
) -> None:
    session = Session(serializer=Labelled(), audio_out_lead_ms=30_000)
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frame(OutputAudioRawFrame(b"\x01\x00" * RATE * 10, RATE))
        await anyio.sleep(0.5)
        session.tap.push_frame_nowait(InterruptionFrame())
        session.tap.push_frame_nowait(OutputAudioRawFrame(b"\x02\x00" * RATE, RATE))
        await anyio.sleep(0.5)
        assert labels(peer) == []
        peer.resume()
        await anyio.sleep(0.001)
        assert labels(peer) == ["1", "clear", "2"]


async def test_urgent_messages_and_marks_do_not_wait_for_the_time_of_audio() -> None:
    session = Session(serializer=Labelled(), audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(b"\x01\x00" * RATE, RATE))
        await anyio.sleep(0.5)
        before = len(peer.received)
        urgent = TransportMessageUrgentFrame("x", metadata={"label": "urgent"})
        await session.task.queue_frame(urgent)
        await settle()
        assert [message.data for message in peer.received[before:]] == ["urgent"]


async def test_p11_an_end_survives_an_interruption() -> None:
    """P11: it is in the queue behind 10 s of audio, and comes as soon as that is dropped."""
    session = Session(serializer=Labelled())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(bytes(20 * RATE), RATE), EndFrame()])
        await anyio.sleep(1)
        interrupted_s = anyio.current_time()
        await session.task.queue_frame(InterruptionFrame())
        assert (await peer.wait_closed()).code == 1000
        assert anyio.current_time() - interrupted_s <= 0.02
        assert peer.received[-1].data == "clear"
