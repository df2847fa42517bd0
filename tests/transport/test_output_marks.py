"""Marks, in sessions with a peer in memory: the bot speaks until the peer says it has heard it."""

from typing import Any

import anyio
import pytest

from tests.transport.playout.test_background import Counter
from tests.transport.sessions import RATE, Session, sound
from wsframes import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InputMarkFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputMarkFrame,
)
from wsframes.serializers import JsonFrameSerializer, MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, settle

TURNS = (BotStartedSpeakingFrame, BotStoppedSpeakingFrame)
CLIENT = MsgpackFrameSerializer(client=True)


class Speaker:
    """A peer with a loudspeaker: plays what it gets, and answers marks when it has.

    Args:
        peer: the connection.
        delay_s: how much later than at once it begins.
    """

    def __init__(self, peer: MemoryPeer, delay_s: float) -> None:
        self.peer = peer
        self.delay_s = delay_s
        self.ends_s = 0.0
        self.marks: list[str] = []

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            async for message in self.peer:
                frame = CLIENT.deserialize(message)
                now_s = anyio.current_time()
                if isinstance(frame, InputAudioRawFrame):
                    begins_s = max(self.ends_s, now_s + self.delay_s)
                    self.ends_s = begins_s + frame.num_frames / frame.sample_rate
                else:
                    assert isinstance(frame, InputMarkFrame)
                    self.marks.append(frame.mark)
                    tasks.start_soon(self._answer, frame.mark, max(self.ends_s, now_s))

    async def _answer(self, mark: str, at_s: float) -> None:
        await anyio.sleep_until(at_s)
        message = CLIENT.serialize(OutputMarkFrame(mark))
        assert message is not None
        self.peer.send_nowait(message)


def marked_session(**params: Any) -> Session:
    params.setdefault("serializer", MsgpackFrameSerializer(marks=True))
    return Session(observe=True, **params)


def turns(session: Session) -> list[tuple[float, type[Frame]]]:
    return [(time_s, type(frame)) for time_s, frame in session.down if isinstance(frame, TURNS)]


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("lead_ms", [0, 200, 2000])
async def test_the_bot_stops_when_the_peer_says_that_it_has_heard_it(
    lead_ms: int, delay_s: float
) -> None:
    session = marked_session(audio_out_lead_ms=lead_ms)
    async with MemoryPeer(session) as peer, anyio.create_task_group() as tasks:
        speaker = Speaker(peer, delay_s)
        tasks.start_soon(speaker.run)
        await session.started.wait()
        for _ in range(2):
            await session.task.queue_frame(OutputAudioRawFrame(sound(1.5), RATE))
            await anyio.sleep(4)
            (*_, (started_s, started), (stopped_s, stopped)) = turns(session)
            assert (started, stopped) == TURNS
            assert -1e-6 <= stopped_s - speaker.ends_s <= 0.1
        assert len(turns(session)) == 4
        assert len(speaker.marks) == 2
        tasks.cancel_scope.cancel()


async def test_an_echo_in_real_time_has_one_mark() -> None:
    session = marked_session(audio_out_10ms_chunks=2)
    async with MemoryPeer(session) as peer, anyio.create_task_group() as tasks:
        speaker = Speaker(peer, 0.1)
        tasks.start_soon(speaker.run)
        await session.started.wait()
        for n in range(50):
            await session.task.queue_frame(OutputAudioRawFrame(sound(0.02, first=n), RATE))
            await anyio.sleep(0.02)
        await anyio.sleep(2)
        assert len(speaker.marks) == 1
        assert [kind for _, kind in turns(session)] == list(TURNS)
        assert turns(session)[-1][0] - speaker.ends_s <= 0.1
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("pieces", [1, 50])
@pytest.mark.parametrize("lead_ms", [0, 200])
@pytest.mark.parametrize("chunk_ms", [40, 80, 100, 200, 300])
async def test_the_background_that_goes_on_does_not_put_off_the_mark(
    chunk_ms: int, lead_ms: int, pieces: int
) -> None:
    session = marked_session(
        audio_out_lead_ms=lead_ms,
        audio_out_10ms_chunks=chunk_ms // 10,
        audio_out_mixer=Counter(),
        audio_out_sample_rate=RATE,
    )
    async with MemoryPeer(session) as peer, anyio.create_task_group() as tasks:
        speaker = Speaker(peer, 0.0)
        tasks.start_soon(speaker.run)
        await session.started.wait()
        await anyio.sleep(1.01)
        begun_s = anyio.current_time()
        for _ in range(pieces):
            await session.task.queue_frame(OutputAudioRawFrame(sound(1 / pieces), RATE))
            await anyio.sleep(1 / pieces)
        await anyio.sleep(2)
        tasks.cancel_scope.cancel()
    (_, stopped) = [time_s - begun_s for time_s, _ in turns(session)]
    # The peer has up to two chunks of background to play before it comes to what is said, and
    # what comes in pieces has to fill a chunk first.
    late_s = (2 if pieces == 1 else 3) * chunk_ms / 1000
    assert 1.0 <= stopped <= 1.0 + late_s + 0.1
    assert len(speaker.marks) == 1


async def test_a_peer_that_answers_no_marks_is_waited_for_once_and_for_a_second() -> None:
    session = marked_session(audio_out_lead_ms=0)
    async with MemoryPeer(session):
        await session.started.wait()
        late_s = []
        for _ in range(3):
            begun_s = anyio.current_time()
            await session.task.queue_frame(OutputAudioRawFrame(sound(1), RATE))
            await anyio.sleep(5)
            late_s.append(turns(session)[-1][0] - begun_s - 1.0)
    assert 1.0 <= late_s[0] <= 1.1
    assert max(late_s[1:]) <= 0.1
    assert len(turns(session)) == 6


async def test_an_end_waits_for_the_peer_to_have_heard_it_all() -> None:
    session = marked_session()
    async with MemoryPeer(session) as peer, anyio.create_task_group() as tasks:
        speaker = Speaker(peer, 0.5)
        tasks.start_soon(speaker.run)
        await session.started.wait()
        await session.task.queue_frames([OutputAudioRawFrame(sound(1), RATE), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert anyio.current_time() == pytest.approx(speaker.ends_s, abs=0.05)
    assert [kind for _, kind in turns(session)] == list(TURNS)


async def test_an_end_waits_a_second_at_most_for_a_peer_that_says_nothing() -> None:
    session = marked_session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frames([OutputAudioRawFrame(sound(1), RATE), EndFrame()])
        assert (await peer.wait_closed()).code == 1000
        assert anyio.current_time() - begun_s == pytest.approx(2.0, abs=0.05)


async def test_an_interruption_voids_a_mark() -> None:
    session = marked_session(audio_out_lead_ms=2000)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(sound(1), RATE))
        await anyio.sleep(0.95)  # the mark is out
        await session.task.queue_frame(InterruptionFrame())
        await settle()
        frames = [CLIENT.deserialize(message.data) for message in peer.received]
        (mark,) = [frame for frame in frames if isinstance(frame, InputMarkFrame)]
        assert [kind for _, kind in turns(session)] == list(TURNS)
        await session.task.queue_frame(OutputAudioRawFrame(sound(1), RATE))
        await settle()
        message = CLIENT.serialize(OutputMarkFrame(mark.mark))
        assert message is not None
        await peer.send(message)
        await settle()
        assert len(turns(session)) == 3  # it is the next one that is heard
        await anyio.sleep(3)


async def test_marks_of_one_s_own_go_out_in_order_and_their_answers_come_in() -> None:
    session = marked_session(serializer=JsonFrameSerializer(marks=True))
    client = JsonFrameSerializer(client=True)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames(
            [
                OutputAudioRawFrame(sound(0.1), RATE),
                OutputMarkFrame("word 1"),
                OutputAudioRawFrame(sound(0.1), RATE),
            ]
        )
        await settle()
        kinds = [type(client.deserialize(message.data)) for message in peer.received]
        assert kinds.index(InputMarkFrame) == 3
        message = client.serialize(OutputMarkFrame("word 1"))
        assert message is not None
        await peer.send(message)
        await settle()
        answers = [frame for frame in session.read if isinstance(frame, InputMarkFrame)]
        assert [frame.mark for frame in answers] == ["word 1"]
        assert answers[0] in [frame for _, frame in session.down]
        assert [kind for _, kind in turns(session)] == [BotStartedSpeakingFrame]


async def test_a_serializer_without_marks_sends_none() -> None:
    session = marked_session(serializer=MsgpackFrameSerializer())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(OutputAudioRawFrame(sound(1), RATE))
        await anyio.sleep(3)
        frames = [CLIENT.deserialize(message.data) for message in peer.received]
    assert {type(frame) for frame in frames} == {InputAudioRawFrame}
    assert [frame for _, frame in session.down if isinstance(frame, BotSpeakingFrame)]
