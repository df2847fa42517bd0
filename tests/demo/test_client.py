"""The demo's client, which needs asyncio, against servers that the demo does not have."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

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
from wsframes.demo.client import call
from wsframes.demo.clip import GOODBYE, SAMPLE_RATE, Clip, Spoken
from wsframes.demo.notes import Heard, Progress
from wsframes.serializers import MsgpackFrameSerializer

pytestmark = [
    pytest.mark.socket,
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
]

CODEC = MsgpackFrameSerializer()
LOUD = tone(0.2)
SILENCE = bytes(2 * SAMPLE_RATE * 36 // 100)
CLIP = Clip(LOUD + SILENCE, [Spoken("one", 0, len(LOUD) // 2)])


def encoded(frame: Frame) -> bytes:
    data = CODEC.serialize(frame)
    assert data is not None
    return data


@asynccontextmanager
async def serving(handle: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[int]:
    async with serve(handle, "127.0.0.1", 0, close_timeout=0.1) as server:
        port: int = next(iter(server.sockets)).getsockname()[1]
        yield port


async def called(handle: Callable[[ServerConnection], Awaitable[None]]) -> tuple[Heard, Progress]:
    told: list[Progress] = []
    async with serving(handle) as port:
        heard = await call(port, CLIP, told.append)
    return heard, told[-1]


async def test_it_says_all_of_the_clip_and_notes_what_comes_back() -> None:
    audio = bytearray()
    answer = CLIP.answers()[0].audio

    async def echo(socket: ServerConnection) -> None:
        while True:
            frame = CODEC.deserialize(await socket.recv())
            if isinstance(frame, InputAudioRawFrame):
                audio.extend(frame.audio)
            elif isinstance(frame, InputTransportMessageFrame) and frame.message != GOODBYE:
                await socket.send(encoded(TransportMessageFrame(frame.message)))
            else:
                await socket.send(encoded(OutputAudioRawFrame(answer, SAMPLE_RATE)))
                await socket.close(4321, "enough")
                return

    heard, last = await called(echo)

    assert bytes(audio) == CLIP.audio
    assert len(heard.sent_s) == len(CLIP.messages())
    assert heard.messages_sent == len(heard.sent_s) + heard.pings + 1
    assert heard.messages_received == len(heard.round_trips_s) + 1
    assert heard.pings == len(heard.round_trips_s) >= 10
    assert all(0 < trip_s < 1 for _, trip_s in heard.round_trips_s)
    assert b"".join(arrival.audio for arrival in heard.arrivals) == answer
    assert (heard.close_code, heard.close_reason) == (4321, "enough")
    assert last.said == 1


async def test_no_message_leaves_before_it_has_been_said() -> None:
    async def listen(socket: ServerConnection) -> None:
        data: str | bytes = b""
        while isinstance(data, bytes) and GOODBYE.encode() not in data:
            data = await socket.recv()

    heard, _ = await called(listen)

    for number, at_s in enumerate(heard.sent_s, 1):
        assert at_s >= number * 0.02 - 1e-6


async def test_it_stops_when_the_server_hangs_up() -> None:
    async def hang_up(socket: ServerConnection) -> None:
        for _ in range(8):
            await socket.recv()
        await socket.send(encoded(TextFrame("that will do")))
        await socket.close(1011)

    heard, _ = await called(hang_up)

    assert heard.close_code == 1011
    assert heard.messages_received == 1
    assert not heard.arrivals
    assert len(heard.sent_s) < len(CLIP.messages())


async def test_what_is_heard_moves_the_meter_when_it_is_played() -> None:
    told: list[Progress] = []

    async def answer(socket: ServerConnection) -> None:
        for piece in (tone(0.1, 0.5), tone(0.1, 0.1)):
            await socket.send(encoded(OutputAudioRawFrame(piece, SAMPLE_RATE)))
        while not told or told[-1].at_s < 0.3:
            await socket.recv()

    async with serving(answer) as port:
        await call(port, CLIP, told.append)

    loud, soft = 0.5 / 2**0.5, 0.1 / 2**0.5
    levels = [progress.level_out for progress in told if progress.level_out > 0]
    assert levels == pytest.approx([loud, soft], rel=0.05)
    assert max(progress.level_in for progress in told) == pytest.approx(loud, rel=0.05)
    assert told[-1].answered == 1


async def test_what_is_cleared_is_not_heard() -> None:
    pieces = [tone(0.2, level) for level in (0.5, 0.2, 0.1)]

    async def interrupt(socket: ServerConnection) -> None:
        await socket.send(encoded(InterruptionFrame()))
        await socket.send(encoded(OutputAudioRawFrame(pieces[0], SAMPLE_RATE)))
        await socket.send(encoded(OutputAudioRawFrame(pieces[1], SAMPLE_RATE)))
        await socket.send(encoded(InterruptionFrame()))
        await socket.send(encoded(OutputAudioRawFrame(pieces[2], SAMPLE_RATE)))
        data: str | bytes = b""
        while isinstance(data, bytes) and GOODBYE.encode() not in data:
            data = await socket.recv()

    heard, last = await called(interrupt)

    assert [cleared.arrivals for cleared in heard.cleared] == [0, 2]
    assert [arrival.audio for arrival in heard.arrivals] == pieces
    # The first piece had begun, perhaps, and the last is whole.
    assert len(pieces[2]) <= len(heard.audio) < len(pieces[2]) + len(pieces[0])
    assert heard.audio.endswith(pieces[2])
    assert last.answered == 1


async def test_a_server_that_never_hangs_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsframes.demo.client._PATIENCE_S", 0.1)

    async def stay(socket: ServerConnection) -> None:
        await socket.wait_closed()

    with pytest.raises(TimeoutError):
        await called(stay)
