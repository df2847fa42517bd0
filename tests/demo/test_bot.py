"""The application of the demo over a connection in memory, in virtual time."""

import anyio
import pytest

from tests.demo.story import tone
from wsframes import (
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    TextFrame,
    TransportMessageFrame,
)
from wsframes.demo.bot import make_app
from wsframes.demo.clip import GOODBYE, MESSAGE_MS, SAMPLE_RATE, recorded_clip
from wsframes.demo.measure import find_problem, measure
from wsframes.demo.notes import Arrival, Cleared, Heard, Served
from wsframes.demo.playout import PlayOut
from wsframes.demo.room import Room, room_samples
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, PeerDenied

CODEC = MsgpackFrameSerializer(client=True)


def encoded(frame: Frame) -> bytes:
    data = CODEC.serialize(frame)
    assert data is not None
    return data


async def received(peer: MemoryPeer) -> Frame:
    """The next frame that is no audio."""
    while isinstance(frame := CODEC.deserialize(await peer.receive()), InputAudioRawFrame):
        pass
    return frame


async def test_every_phrase_is_said_back_on_time_and_the_session_ends() -> None:
    ends: list[Served] = []
    clip = recorded_clip(3)
    sent_s = []
    async with MemoryPeer(make_app(ends.append)) as peer:
        await peer.connect()
        begins_s = anyio.current_time()
        for number, audio in enumerate(clip.messages(), 1):
            await anyio.sleep(begins_s + number * MESSAGE_MS / 1000 - anyio.current_time())
            sent_s.append(anyio.current_time() - begins_s)
            await peer.send(encoded(OutputAudioRawFrame(audio, SAMPLE_RATE)))
        await peer.send(encoded(TransportMessageFrame(GOODBYE)))
        closed = await peer.wait_closed()

    arrivals: list[Arrival] = []
    cleared: list[Cleared] = []
    room, player, speaks, audio_heard = Room(room_samples()), PlayOut(SAMPLE_RATE), False, b""
    for time_s, data in peer.received:
        assert isinstance(data, bytes)
        frame = CODEC.deserialize(data)
        at_s = time_s - begins_s
        if isinstance(frame, InterruptionFrame):
            cleared.append(Cleared(at_s, len(arrivals)))
            player.clear(at_s)
            speaks = False
            continue
        assert isinstance(frame, InputAudioRawFrame)
        audio_heard += frame.audio
        waits_s = 0.0 if speaks else max(0.0, player.ends_s - at_s)
        player.take(frame.num_frames, at_s)
        if answer := room.without(frame.audio):
            arrivals.append(Arrival(at_s, answer, waits_s))
        speaks = bool(answer)
    heard = Heard(
        sent_s=sent_s,
        arrivals=arrivals,
        cleared=cleared,
        audio=audio_heard,
        pings=0,
        round_trips_s=[],
        messages_sent=len(sent_s) + 1,
        messages_received=len(peer.received),
        close_code=closed.code,
        close_reason=closed.reason,
    )
    assert find_problem(clip, heard, ends[0]) is None
    figures = measure(clip, heard, ends[0])
    assert [piece.late_ms for piece in figures.pieces] == pytest.approx(
        [0.0] * len(arrivals), abs=1e-3
    )
    # Played to the end before it was closed.
    assert figures.gaps == 0
    assert [answer.interrupted for answer in figures.answers] == [False, True, False]
    # The user spoke for a little more than the tenth of a second that is asked for.
    spoke_s = clip.spoken[2].start / SAMPLE_RATE
    assert 0.1 < figures.answers[1].ends_s - spoke_s < 0.3
    assert ends[0].interrupted > 0
    assert len(ends) == 1
    assert ends[0].lead_ms == 200


async def test_messages_come_back_at_once_and_other_frames_in_their_turn() -> None:
    ends: list[Served] = []
    async with MemoryPeer(make_app(ends.append)) as peer:
        await peer.connect()
        await peer.send(encoded(TransportMessageFrame(1.25)))
        first = await received(peer)
        await peer.send(encoded(TextFrame("hello")))
        second = await received(peer)

    assert isinstance(first, InputTransportMessageFrame)
    assert first.message == 1.25
    assert isinstance(second, TextFrame)
    assert second.text == "hello"


async def test_what_is_lost_is_told_by_its_place_and_reason() -> None:
    ends: list[Served] = []
    async with MemoryPeer(make_app(ends.append)) as peer:
        await peer.connect()
        await peer.send(b"no frame")
        await peer.send(encoded(OutputAudioRawFrame(tone(1) + bytes(16000), SAMPLE_RATE)))
        await anyio.sleep(0.5)
        peer.close(1000)

    served = ends[0]
    assert (served.reason, served.close_code) == ("client_disconnected", 1000)
    assert served.dropped["input: bad_message"] == 1
    # 1 s and 0.1 s of margin, of which 0.5 s and the lead had been sent, with the background that
    # the client was still playing before it.
    assert served.dropped["audio: cancelled"] / SAMPLE_RATE == pytest.approx(0.46, abs=0.05)
    assert (served.received, served.error) == (2, None)


async def test_what_failed_is_told() -> None:
    ends: list[Served] = []
    async with MemoryPeer(make_app(ends.append)) as peer:
        await peer.connect()
        for _ in range(10):
            await peer.send(b"no frame")
        closed = await peer.wait_closed()

    assert (ends[0].reason, ends[0].close_code) == ("bad_input", closed.code)
    assert ends[0].error is not None
    assert "10 messages" in ends[0].error


async def test_a_second_session_is_refused() -> None:
    app = make_app(lambda _: None)
    async with MemoryPeer(app) as peer:
        await peer.connect()
        async with MemoryPeer(app) as other:
            with pytest.raises(PeerDenied):
                await other.connect()
