"""Whole sessions on every server, seen from both ends: tests.servers.matrix."""

import statistics
import time
from contextlib import suppress
from typing import Any

import anyio
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.servers.apps import ALLOWED_ORIGIN, MAX_MESSAGE_BYTES, WAYS
from tests.servers.client import BYTES_PER_SECOND, SPEECH, client_of, messages_of
from tests.servers.matrix import Server
from tests.servers.process import ServerProcess
from wsframes import InputAudioRawFrame, OutputAudioRawFrame, TransportMessageFrame
from wsframes.serializers import JsonFrameSerializer, MsgpackFrameSerializer

pytestmark = [
    pytest.mark.socket,
    # The client's; the servers have their own.
    pytest.mark.parametrize("anyio_backend", [pytest.param(("asyncio", {}), id="client")]),
]

SPEECH_S = len(SPEECH) / BYTES_PER_SECOND


@pytest.mark.parametrize(
    ("way", "code", "reason"), [("app", 1000, ""), *((way, 4001, "bye") for way in WAYS)]
)
async def test_echo_is_bit_exact_until_the_peer_closes(
    server: ServerProcess, facts: Server, way: str, code: int, reason: str
) -> None:
    async with client_of(server, way) as client:
        await client.say()
        assert await client.hear(len(SPEECH)) == SPEECH
        await client.connection.close(code, reason)
    report = await client.report()
    told = code if facts.peer_code is None else facts.peer_code
    assert report.close_code == told
    assert report.reason == ("client_lost" if told == 1006 else "client_disconnected")
    assert report.events == ["connected", "disconnected", "finished"]
    assert (report.received, report.lost) == (len(messages_of(SPEECH)), {})
    assert (report.sent, report.stuck, report.raised) == (len(client.arrivals), None, None)


@pytest.mark.parametrize(
    ("name", "serializer"),
    [("msgpack", MsgpackFrameSerializer(client=True)), ("json", JsonFrameSerializer(client=True))],
)
async def test_frames_cross_in_both_directions(
    server: ServerProcess, name: str, serializer: MsgpackFrameSerializer | JsonFrameSerializer
) -> None:
    greeting = {"greeting": "grüß dich", "count": [1, 2.5, None]}
    async with client_of(server, query={"serializer": name}) as client:
        for piece in messages_of(SPEECH):
            message = serializer.serialize(OutputAudioRawFrame(piece, 16000, 1))
            assert message is not None
            await client.connection.send(message)
        audio = b""
        while len(audio) < len(SPEECH):
            frame: Any = serializer.deserialize(await client.connection.recv())
            assert isinstance(frame, InputAudioRawFrame)
            assert (frame.sample_rate, frame.num_channels) == (16000, 1)
            audio += frame.audio
        assert audio == SPEECH
        message = serializer.serialize(TransportMessageFrame(greeting))
        assert message is not None
        await client.connection.send(message)
        frame = serializer.deserialize(await client.connection.recv())
        assert frame.message == greeting
    assert (await client.report()).lost == {}


async def test_fragments_and_odd_lengths_are_joined(server: ServerProcess) -> None:
    pieces = [SPEECH[:333], SPEECH[333:334], SPEECH[334:999], SPEECH[999:]]
    async with client_of(server) as client:
        await client.connection.send(pieces[:3])
        await client.connection.send(pieces[3][:1])
        await client.connection.send(pieces[3][1 : MAX_MESSAGE_BYTES - 1])
        await client.connection.send(pieces[3][MAX_MESSAGE_BYTES - 1 :])
        assert await client.hear(len(SPEECH)) == SPEECH
        await client.connection.send(['{"a', '": "', 'ä"}'])
        assert await client.connection.recv() == '{"a":"ä"}'


async def test_compression_that_the_client_asks_for_changes_nothing(server: ServerProcess) -> None:
    async with client_of(server, compression="deflate") as client:
        extensions = [extension.name for extension in client.connection.protocol.extensions]
        assert extensions == ["permessage-deflate"]  # as docs/servers.md says of the defaults
        await client.say()
        assert await client.hear(len(SPEECH)) == SPEECH


async def test_sessions_at_once_keep_their_audio_apart(server: ServerProcess) -> None:
    async def session(turn: int) -> None:
        speech = SPEECH[turn * 640 :] + SPEECH[: turn * 640]
        async with client_of(server) as client:
            await client.say(speech)
            assert await client.hear(len(speech)) == speech
        assert (await client.report()).lost == {}

    async with anyio.create_task_group() as tasks:
        for turn in range(8):
            tasks.start_soon(session, turn)


async def test_an_end_plays_out_in_real_time(server: ServerProcess) -> None:
    """However fast the audio comes: its chunks keep their times, none is lost, then it closes."""
    lead_ms = 200
    async with client_of(server, query={"lead_ms": lead_ms}) as client:
        await client.say()
        await client.tell("end")
        heard = await client.hear(len(SPEECH) + 1)
    report = await client.report()
    assert heard == SPEECH
    assert await client.closed() == (1000, "ended")
    assert (report.reason, report.close_code, report.lost) == ("ended", 1000, {})
    assert report.events == ["connected", "finished"]
    begun_s = client.arrivals[0][0]
    late_ms = [
        1000 * (at_s - begun_s - max(0.0, before / BYTES_PER_SECOND - lead_ms / 1000))
        for at_s, before in client.arrivals
    ]
    # The first chunk may be late itself, and make the others early by as much.
    assert -100 < min(late_ms)
    assert statistics.median(late_ms) < 100
    assert -0.1 < client.over_s - begun_s - SPEECH_S < 1


@pytest.mark.parametrize(
    ("order", "code", "reason"), [("cancel", 1001, "cancelled"), ("fail", 1011, "error")]
)
async def test_other_ends_have_their_codes(
    server: ServerProcess, order: str, code: int, reason: str
) -> None:
    async with client_of(server, query={"lead_ms": 200}) as client:
        await client.say()
        await client.tell(order)
        at_s = time.monotonic()
        heard = await client.hear(len(SPEECH))
    report = await client.report()
    assert SPEECH.startswith(heard)
    assert await client.closed() == (code, reason)
    assert (report.reason, report.close_code, report.raised) == (reason, code, None)
    assert report.events == ["connected", "finished"]
    assert report.over_at_s - at_s < 1


@pytest.mark.parametrize("reset", [True, False], ids=["rst", "fin"])
@pytest.mark.parametrize("while_playing", [True, False], ids=["playing", "silent"])
async def test_a_peer_that_vanishes_ends_the_session(
    server: ServerProcess, facts: Server, reset: bool, while_playing: bool
) -> None:
    async with client_of(server, query={"lead_ms": 0 if while_playing else 2000}) as client:
        await client.say()
        if while_playing:
            await client.tell("end")
            await client.hear(BYTES_PER_SECOND // 4)
        else:
            await client.hear(len(SPEECH))
        vanished_s = client.vanish(reset=reset)
    report = await client.report()
    assert (report.reason, report.close_code) == ("client_lost", facts.lost_code)
    assert report.events == ["connected", "disconnected", "finished"]
    assert report.over_at_s - vanished_s < 1


async def test_a_message_over_the_limit_ends_the_session(server: ServerProcess) -> None:
    async with client_of(server) as client:
        await client.connection.send(SPEECH[:MAX_MESSAGE_BYTES])
        assert await client.hear(MAX_MESSAGE_BYTES) == SPEECH[:MAX_MESSAGE_BYTES]
        await client.connection.send(SPEECH[: MAX_MESSAGE_BYTES + 1])
        assert (await client.closed())[0] == 1009
    report = await client.report()
    assert (report.reason, report.close_code) == ("bad_input", 1009)


async def test_a_foreign_origin_is_refused(server: ServerProcess) -> None:
    refused = client_of(server, query={"session": "foreign"}, origin="https://foreign.example")
    with pytest.raises(InvalidStatus) as caught:
        async with refused:
            raise AssertionError("it was let in")
    assert caught.value.response.status_code == 403
    assert (await server.report("foreign")).events == []
    async with client_of(server, origin=ALLOWED_ORIGIN) as client:
        await client.tell("hello")
        assert await client.connection.recv() == '"hello"'


async def test_a_session_too_many_is_refused(server: ServerProcess) -> None:
    async with client_of(server, "one-session") as client:
        await client.tell("hello")
        assert await client.connection.recv() == '"hello"'
        with pytest.raises(InvalidStatus) as caught:
            async with client_of(server, "one-session", query={"session": "second"}):
                raise AssertionError("it was let in")
        assert caught.value.response.status_code == 503
        assert (await server.report("second")).events == []
    await client.report()
    async with client_of(server, "one-session") as client:
        await client.tell("hello again")
        assert await client.connection.recv() == '"hello again"'


async def test_a_peer_that_does_not_read_ends_the_session(server: ServerProcess) -> None:
    """On every server: where a send cannot be cancelled, its connection is cut underneath it."""
    query = {"write_timeout": 0.2}
    async with client_of(server, query=query, max_queue=1, close_timeout=0.1) as client:
        await client.tell("flood")
        at_s = time.monotonic()
        report = await client.report()
    assert (report.reason, report.close_code) == ("slow_client", 1013)
    assert 0 < report.over_at_s - at_s < 5


async def test_messages_that_nobody_reads_hold_no_connection(server: ServerProcess) -> None:
    query = {"stuck": 1, "session_timeout": 0.2}
    async with client_of(server, query=query) as client:
        port = client.connection.local_address[1]
        with suppress(ConnectionClosed):
            await client.say(SPEECH * 8)
        assert (await client.closed())[0] == 1000
    assert (await client.report()).reason == "session_timeout"
    await server.let_go_of(port)
