"""P11 and the events of the bot: what is told is what a loudspeaker at the peer plays."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guarantees.test_transport_order import KINDS, Labelled, check, labels
from tests.transport.sessions import RATE, Session, sound
from wsframes import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    OutputAudioRawFrame,
    UninterruptibleFrame,
)
from wsframes.audio import BaseAudioMixer
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer, run_virtual, settle

if TYPE_CHECKING:
    from wsframes.transport import Interrupted

TURNS = (BotStartedSpeakingFrame, BotStoppedSpeakingFrame)


class SlowAndSilent(BaseAudioMixer):
    """Adds nothing, and takes a moment for it."""

    async def start(self, sample_rate: int) -> None:
        await anyio.sleep(0.001)

    async def stop(self) -> None:
        await anyio.sleep(0.001)

    async def mix(self, audio: bytes) -> bytes:
        await anyio.sleep(0.001)
        return audio

    def process_frame(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        raise AssertionError("nobody sends one")


def stretches_heard(peer: MemoryPeer, rate: int) -> list[tuple[float, float]]:
    """When a loudspeaker that plays what it gets is heard: from when to when, gaps left out."""
    stretches: list[tuple[float, float]] = []
    for message in peer.received:
        assert isinstance(message.data, bytes)
        seconds = len(message.data) / 2 / rate
        if stretches and message.time_s <= stretches[-1][1] + 0.13:
            begins_s, ends_s = stretches.pop()
            stretches.append((begins_s, max(ends_s, message.time_s) + seconds))
        else:
            stretches.append((message.time_s, message.time_s + seconds))
    return stretches


Pieces = Iterable[tuple[bytes, float]]


def burst(audio: bytes, rate: int) -> Pieces:
    """All at once."""
    yield audio, 0.0


def real_time(audio: bytes, rate: int) -> Pieces:
    """A piece of 20 ms every 20 ms."""
    size = rate // 50 * 2
    for at in range(0, len(audio), size):
        yield audio[at : at + size], 0.02


def in_spurts(audio: bytes, rate: int) -> Pieces:
    """As a synthesizer does: half a second of audio every 200 ms, in odd pieces."""
    size = rate + 1
    for at in range(0, len(audio), size):
        yield audio[at : at + size], 0.2


@pytest.mark.parametrize("source", [burst, real_time, in_spurts])
@pytest.mark.parametrize("lead_ms", [0, 100, 200, 1000, 2000])
@pytest.mark.parametrize(("come", "go"), [(16000, 16000), (24000, 8000)])
async def test_one_start_and_one_stop_for_each_utterance_when_it_is_heard(
    come: int, go: int, lead_ms: int, source: Any
) -> None:
    """The start with the first chunk, the stop within 100 ms of the end of the playing."""
    session = Session(
        serializer=RawAudioSerializer(go),
        audio_out_sample_rate=go,
        audio_out_lead_ms=lead_ms,
        observe=True,
    )
    utterances_s = (0.5, 1.37, 0.02, 2.0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for seconds in utterances_s:
            for piece, pause_s in source(sound(seconds, come), come):
                await session.task.queue_frame(OutputAudioRawFrame(piece, come))
                await anyio.sleep(pause_s)
            await anyio.sleep(seconds + 1)
        heard = stretches_heard(peer, go)
    told = [(time_s, type(frame)) for time_s, frame in session.down if isinstance(frame, TURNS)]
    assert [kind for _, kind in told] == list(TURNS) * len(utterances_s)
    assert len(heard) == len(utterances_s)
    for (begins_s, ends_s), (started_s, _), (stopped_s, _) in zip(
        heard, told[::2], told[1::2], strict=True
    ):
        assert started_s == pytest.approx(begins_s, abs=1e-6)
        assert -1e-6 <= stopped_s - ends_s <= 0.1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=60)
@given(
    lead_ms=st.sampled_from([0, 50, 200, 2000]),
    before_s=st.sampled_from([0.0, 0.013, 1.0]),
    seconds=st.floats(0.05, 3),
    after_s=st.floats(0, 3),
    mixer=st.booleans(),
    come=st.sampled_from([RATE, 24000]),
)
def test_the_event_of_an_interruption_says_what_was_heard(
    backend: str,
    lead_ms: int,
    before_s: float,
    seconds: float,
    after_s: float,
    mixer: bool,
    come: int,
) -> None:
    """P11: the milliseconds that a loudspeaker has played of what the bot said, to 5 ms."""

    async def main() -> None:
        session = Session(
            audio_out_lead_ms=lead_ms,
            audio_out_sample_rate=RATE,
            audio_out_mixer=SlowAndSilent() if mixer else None,
        )
        told: list[Interrupted] = []
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            output = session.transport.output()
            output.add_event_handler("on_interrupted", lambda *args: told.append(args[-1]))
            await anyio.sleep(before_s)
            frame = OutputAudioRawFrame(b"\x01\x02" * round(seconds * come), come)
            await session.task.queue_frame(frame)
            await anyio.sleep(after_s)
            now_s = anyio.current_time()
            ends_s = 0.0
            heard_ms = cleared_ms = 0.0
            for message in peer.received:
                assert isinstance(message.data, bytes)
                for at in range(0, len(message.data), 32):  # 1 ms
                    ends_s = max(ends_s, message.time_s if at == 0 else 0.0) + 0.001
                    if any(message.data[at : at + 32]):
                        heard_ms += ends_s <= now_s
                        cleared_ms += ends_s > now_s
            await session.task.queue_frame(InterruptionFrame())
            await settle()
        if told:
            (event,) = told
            assert event.played_ms == pytest.approx(heard_ms, abs=5)
            assert event.unplayed_ms == pytest.approx(cleared_ms, abs=5)
        else:
            assert cleared_ms <= 5

    run_virtual(main, backend=backend)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=40)
@given(
    turns=st.lists(
        st.tuples(st.lists(st.sampled_from(sorted(KINDS)), max_size=12), st.floats(0, 0.3)),
        min_size=2,
        max_size=5,
    ),
    lead_ms=st.sampled_from([0, 0, 60]),
)
def test_an_interruption_parts_the_old_from_the_new_behind_a_mixer_too(
    backend: str, turns: list[tuple[list[str], float]], lead_ms: int
) -> None:
    """P11: no old audio after the mark, no new before it, and nothing uninterruptible is lost."""

    async def main() -> None:
        session = Session(
            serializer=Labelled(),
            audio_out_lead_ms=lead_ms,
            audio_out_sample_rate=RATE,
            audio_out_mixer=SlowAndSilent(),
        )
        uninterruptible: list[str] = []
        generation: dict[str, int] = {}
        kind_of: dict[str, str] = {}
        number = 0
        async with MemoryPeer(session) as peer:
            await session.started.wait()
            for turn, (kinds, seconds) in enumerate(turns):
                for kind in kinds:
                    number += 1
                    frame: Frame = KINDS[kind](number)
                    generation[str(number)], kind_of[str(number)] = turn, kind
                    if isinstance(frame, UninterruptibleFrame):
                        uninterruptible.append(str(number))
                    session.tap.push_frame_nowait(frame)
                await anyio.sleep(seconds)
                session.tap.push_frame_nowait(InterruptionFrame())
            await anyio.sleep(1)
            await session.task.stop_when_done()
            await peer.wait_closed()
            read: list[str] = []
            for label in labels(peer):
                if label != "0" and (label == "clear" or not read or read[-1] != label):
                    read.append(label)
            check(read, len(turns), generation, kind_of, uninterruptible)
        statistics = session.transport.output().statistics()[None]
        assert statistics.audio_taken == statistics.audio_sent + sum(
            statistics.audio_dropped.values()
        )
        assert session.errors == []

    run_virtual(main, backend=backend)  # type: ignore[arg-type]
