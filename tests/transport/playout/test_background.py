"""Mixers, in sessions with a peer: `wsframes.transport.playout.background` and its like."""

from array import array
from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Session, audio_of, sound, texts_of
from wsframes import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    InterruptionFrame,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    TransportMessageFrame,
)
from wsframes.audio import BaseAudioMixer
from wsframes.audio.dtmf import dtmf_tone
from wsframes.graph import EndReason
from wsframes.serializers import JsonFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle

CHUNK = 640  # samples of 40 ms
SPEECH = (BotStartedSpeakingFrame, BotSpeakingFrame, BotStoppedSpeakingFrame)


class Counter(BaseAudioMixer):
    """Adds to each sample its number, as far as it has come; counts what it was asked.

    Attributes:
        fails: at which call of `mix` it raises.
        hangs: at which call of `mix` it does not return.
        takes_s: how long each `mix` lasts.
    """

    def __init__(self) -> None:
        self.on = True
        self.at = 0
        self.times_s: list[float] = []
        self.started: list[int] = []
        self.stopped = 0
        self.fails = self.hangs = -1
        self.takes_s = 0.0
        self.settings: list[dict[str, object]] = []

    async def start(self, sample_rate: int) -> None:
        self.started.append(sample_rate)

    def stop(self) -> None:
        self.stopped += 1

    async def mix(self, audio: bytes) -> bytes:
        self.times_s.append(anyio.current_time())
        if len(self.times_s) - 1 == self.hangs:
            await anyio.sleep_forever()
        if len(self.times_s) - 1 == self.fails:
            raise OSError("the disk is gone")
        if self.takes_s:
            await anyio.sleep(self.takes_s)
        samples = array("h", audio)
        first, self.at = self.at, self.at + len(samples)
        if not self.on:
            return audio
        return array("h", [s ^ (n % 1000) for n, s in enumerate(samples, first)]).tobytes()

    def process_frame(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        if isinstance(frame, MixerEnableFrame):
            self.on = frame.enable
        else:
            self.settings.append(dict(frame.settings))


def unmixed(audio: bytes) -> bytes:
    """What was there before a `Counter` that never paused."""
    return array("h", [s ^ (n % 1000) for n, s in enumerate(array("h", audio))]).tobytes()


def mixed_session(mixer: BaseAudioMixer, **params: Any) -> Session:
    return Session(audio_out_mixer=mixer, audio_out_sample_rate=RATE, observe=True, **params)


def chunk_times(peer: MemoryPeer) -> list[float]:
    return [message.time_s for message in peer.received if isinstance(message.data, bytes)]


@pytest.mark.parametrize("lead_ms", [0, 20, 200])
async def test_the_background_goes_on_in_real_time_while_nothing_is_said(lead_ms: int) -> None:
    mixer = Counter()
    session = mixed_session(mixer, audio_out_lead_ms=lead_ms)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await anyio.sleep(2 - 0.001)
        lead_s = min(lead_ms / 1000, 0.04)
        due_s = [max(0.0, n * 0.04 - lead_s) for n in range(len(chunk_times(peer)))]
        assert [t - begun_s for t in chunk_times(peer)] == pytest.approx(due_s)
        assert len(due_s) == (51 if lead_ms else 50)
        assert unmixed(audio_of(peer)) == bytes(len(audio_of(peer)))
        statistics = session.transport.output().statistics()[None]
        assert statistics.background == len(audio_of(peer)) // 2
        assert statistics.audio_taken == 0
    assert mixer.started == [RATE]
    assert mixer.stopped == 1
    assert not [frame for _, frame in session.down if isinstance(frame, SPEECH)]


async def test_what_is_said_is_mixed_in_and_is_what_tells_of_the_bot() -> None:
    mixer = Counter()
    session = mixed_session(mixer)
    whole = sound(1.0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(1.01)
        said_s = anyio.current_time()
        await session.task.queue_frame(OutputAudioRawFrame(whole, RATE))
        await anyio.sleep(3)
        heard = unmixed(audio_of(peer))
        at = heard.index(whole)
        assert set(heard[:at] + heard[at + len(whole) :]) == {0}
        # It waits for what the peer has already, two chunks at most.
        begins_s = at / 2 / RATE
        assert 1.01 <= begins_s <= 1.01 + 0.08
    told = [(t - said_s, type(f)) for t, f in session.down if isinstance(f, SPEECH)]
    assert [kind for _, kind in told if kind is not BotSpeakingFrame] == [
        BotStartedSpeakingFrame,
        BotStoppedSpeakingFrame,
    ]
    assert told[0][0] == pytest.approx(0.0, abs=1e-6)
    assert begins_s + 1.0 <= told[-1][0] + 1.01 <= begins_s + 1.0 + 0.1
    statistics = session.transport.output().statistics()[None]
    assert statistics.audio_sent == RATE


async def test_at_most_one_mix_for_each_chunk_whatever_is_said() -> None:
    mixer = Counter()
    session = mixed_session(mixer, audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for n in range(20):
            await session.task.queue_frame(OutputAudioRawFrame(sound(0.013 * n), RATE))
            await anyio.sleep(0.17)
        assert len(mixer.times_s) == len(chunk_times(peer))
        assert mixer.times_s == pytest.approx(chunk_times(peer))
        sent_s = len(audio_of(peer)) / 2 / RATE
        assert sent_s == pytest.approx(mixer.times_s[-1] - mixer.times_s[0], abs=0.0401)


@pytest.mark.parametrize("lead_ms", [0, 200])
async def test_an_interruption_makes_no_gap(lead_ms: int) -> None:
    mixer = Counter()
    session = mixed_session(mixer, audio_out_lead_ms=lead_ms)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(sound(5), RATE))
        await anyio.sleep(1.01)
        cut_s = anyio.current_time()
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(2 - 0.001)
        (cut,) = [n for n, m in enumerate(peer.received) if isinstance(m.data, str)]
        after = peer.received[cut + 1 :]
        assert after[0].time_s == pytest.approx(cut_s)
        lead_s = min(lead_ms / 1000, 0.04)
        due_s = [cut_s + max(0.0, n * 0.04 - lead_s) for n in range(len(after))]
        assert [message.time_s for message in after] == pytest.approx(due_s)
        assert len(due_s) == (51 if lead_ms else 50)
        # None of what was said before is in it.
        heard = array("h", unmixed(audio_of(peer)))
        assert set(heard[-sum(len(m.data) // 2 for m in after) :]) == {0}
    stops = [f for _, f in session.down if isinstance(f, BotStoppedSpeakingFrame)]
    assert len(stops) == 1


async def test_what_an_interruption_overtakes_in_the_mixer_is_not_sent() -> None:
    """P11: a mixer at work may not bring old audio behind the marker."""
    mixer = Counter()
    session = mixed_session(mixer, audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        mixer.takes_s = 0.02
        await session.task.queue_frame(OutputAudioRawFrame(b"\0\x20" * RATE, RATE))
        await anyio.sleep(0.21)  # the mixer is at work on a chunk
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(1)
        (cut,) = [n for n, m in enumerate(peer.received) if isinstance(m.data, str)]
        before, after = peer.received[:cut], peer.received[cut + 1 :]
        assert max(array("h", b"".join(bytes(m.data) for m in before))) > 0x2000  # type: ignore[arg-type]
        assert max(array("h", b"".join(bytes(m.data) for m in after))) < 1000  # type: ignore[arg-type]
    statistics = session.transport.output().statistics()[None]
    taken = statistics.audio_sent + sum(statistics.audio_dropped.values())
    assert statistics.audio_taken == taken == RATE
    assert session.errors == []


async def test_an_interruption_while_only_the_background_is_heard_tells_nothing() -> None:
    mixer = Counter()
    session = mixed_session(mixer)
    told: list[Any] = []
    async with MemoryPeer(session):
        await session.started.wait()
        output = session.transport.output()
        output.add_event_handler("on_interrupted", lambda *args: told.append(args))
        await anyio.sleep(1)
        mixer.takes_s = 0.01
        await anyio.sleep(0.041)
        await session.task.queue_frame(InterruptionFrame())
        await anyio.sleep(1)
    assert told == []


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_a_mixer_that_fails_or_hangs_is_left_out_and_the_audio_goes_on(how: str) -> None:
    """P23: one ErrorFrame, and no sample lost."""
    mixer = Counter()
    setattr(mixer, how, 10)
    session = mixed_session(mixer)
    whole = b"\x01\x10" * RATE
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(whole, RATE))
        await anyio.sleep(3)
        heard = audio_of(peer)
        mixed, rest = heard[: 10 * 2 * CHUNK], heard[10 * 2 * CHUNK :]
        assert unmixed(mixed).lstrip(b"\0") + rest == whole
        assert len(mixer.times_s) == 11
        last_s = chunk_times(peer)[-1] - session.event_times_s[0]
        assert last_s <= (0.85 if how == "fails" else 1.1)
    (error,) = session.errors
    assert "output: Counter is left out from now on: mix " in error.error
    assert mixer.stopped == 1


async def test_control_frames_reach_the_mixer_in_their_turn() -> None:
    mixer = Counter()
    session = mixed_session(mixer)
    quiet = bytes(2 * CHUNK)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        frames = [
            MixerEnableFrame(False),
            OutputAudioRawFrame(quiet, RATE),
            MixerEnableFrame(True),
            OutputAudioRawFrame(quiet, RATE),
            MixerUpdateSettingsFrame({"volume": 0.5}),
            TransportMessageFrame("passed"),
        ]
        await session.task.queue_frames(frames)
        await anyio.sleep(0.01)
        chunks = [m.data for m in peer.received if isinstance(m.data, bytes)][-2:]
        assert chunks[0] == quiet
        assert chunks[1] != quiet
        assert mixer.settings == [{"volume": 0.5}]
        assert texts_of(peer) == ["passed"]
    down = [frame for _, frame in session.down]
    assert set(frames[::2][:1]) <= set(down)


async def test_without_a_mixer_control_frames_pass() -> None:
    session = Session(observe=True)
    frame = MixerEnableFrame(True)
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(frame)
        await settle()
    assert frame in [frame for _, frame in session.down]


async def test_each_destination_has_its_mixer_and_the_others_none() -> None:
    mixers: dict[str | None, Counter] = {None: Counter(), "music": Counter()}
    session = Session(
        serializer=JsonFrameSerializer(),
        audio_out_mixer=mixers,
        audio_out_destinations=["music", "voice"],
        audio_out_sample_rate=RATE,
    )
    async with MemoryPeer(session):
        await session.started.wait()
        await session.task.queue_frame(MixerEnableFrame(False, transport_destination="music"))
        await anyio.sleep(1)
        statistics = session.transport.output().statistics()
    assert (statistics[None].background > 0, statistics["music"].background > 0) == (True, True)
    assert statistics["voice"].background == 0
    assert (mixers[None].on, mixers["music"].on) == (True, False)


async def test_one_mixer_is_for_the_default_destination() -> None:
    session = mixed_session(
        Counter(), audio_out_destinations=["b"], serializer=JsonFrameSerializer()
    )
    async with MemoryPeer(session):
        await session.started.wait()
        await anyio.sleep(1)
        statistics = session.transport.output().statistics()
    assert statistics[None].background > 0
    assert statistics["b"].background == 0


async def test_a_tone_is_heard_over_the_background() -> None:
    session = mixed_session(Counter())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        assert await session.transport.output().write_dtmf(OutputDTMFFrame("1"))
        await anyio.sleep(1)
        assert dtmf_tone("1", RATE) in unmixed(audio_of(peer))


async def test_the_end_plays_out_and_no_background_holds_it_up() -> None:
    mixer = Counter()
    session = mixed_session(mixer)
    whole = sound(1)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(0.99)
        begun_s = anyio.current_time()
        await session.task.queue_frames([OutputAudioRawFrame(whole, RATE), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert 1.0 <= anyio.current_time() - begun_s <= 1.1
        assert unmixed(audio_of(peer)).endswith(whole)
    assert session.result.reason is EndReason.ENDED
    assert mixer.stopped == 1


async def test_a_session_that_is_stopped_and_resumed_has_its_background_again() -> None:
    mixer = Counter()
    session = mixed_session(mixer, runs=2, pause_s=1.0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(1)
        await session.task.stop()
        await anyio.sleep(0.9)
        paused = len(peer.received)
        await anyio.sleep(0.1)
        assert len(peer.received) == paused
        await anyio.sleep(1)
        assert len(peer.received) > paused + 20
    assert mixer.started == [RATE]
    assert mixer.stopped == 1


async def test_a_peer_that_stalls_is_not_given_all_the_background_that_it_has_missed() -> None:
    """Where nothing is said, lost time is let go: what would be sent for it would only be late."""
    mixer = Counter()
    session = mixed_session(mixer)
    async with MemoryPeer(session, send_buffer_bytes=1280) as peer:
        await session.started.wait()
        await anyio.sleep(1)
        peer.stall()
        await anyio.sleep(2)
        before = len(peer.received)
        peer.resume()
        await anyio.sleep(0.001)
        assert len(peer.received) - before <= 4
        await anyio.sleep(1)
        assert 24 <= len(peer.received) - before <= 30


async def test_a_mixer_needs_a_rate() -> None:
    session = Session(audio_out_mixer=Counter())
    async with MemoryPeer(session):
        await session.finished()
    assert session.result.reason is EndReason.ERROR
    assert "audio_out_mixer: a mixer needs a rate: set audio_out_sample_rate" in str(
        session.result.error
    )


async def test_stereo_is_mixed_as_stereo() -> None:
    mixer = Counter()
    session = mixed_session(mixer, audio_out_channels=2, serializer=RawAudioSerializer(RATE, 2))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(1)
        assert mixer.num_channels == 2
        assert {len(message.data) for message in peer.received} == {4 * CHUNK}


@pytest.mark.parametrize("rate", [RATE, 24000])
@pytest.mark.parametrize("lead_ms", [0, 200])
async def test_no_background_comes_between_what_belongs_together(lead_ms: int, rate: int) -> None:
    """The rest of an utterance that does not fill a chunk, or waits in the resampler."""
    mixer = Counter()
    session = mixed_session(mixer, audio_out_lead_ms=lead_ms)
    pieces = [b"\x01\x30" * (rate // 50)] * 12 + [b"\x01\x30" * (rate // 200)]
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(0.99)
        for piece in pieces:
            await session.task.queue_frame(OutputAudioRawFrame(piece, rate))
            await anyio.sleep(0.02)
        await anyio.sleep(1)
        samples = array("h", unmixed(audio_of(peer)))
    said = [at for at, sample in enumerate(samples) if abs(sample) > 1000]
    assert said[-1] - said[0] == pytest.approx(0.245 * RATE, abs=0.004 * RATE)
    quiet = [at for at in range(said[0], said[-1]) if abs(samples[at]) < 1000]
    assert len(quiet) < 0.003 * RATE


async def test_a_source_in_real_time_keeps_its_chunks() -> None:
    """What fills half a chunk waits for the other half as long as the peer can."""
    session = mixed_session(Counter())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await anyio.sleep(1.03)
        before = len(peer.received)
        for n in range(50):
            await session.task.queue_frame(OutputAudioRawFrame(sound(0.02, first=n), RATE))
            await anyio.sleep(0.02)
        sizes = {len(message.data) for message in peer.received[before:]}
    assert sizes == {2 * CHUNK}
