"""P15, P16, P17 at the transport: what a peer may send, and what it can bring about by it."""

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import BAD_JSON
from tests.transport.sessions import RATE, Session
from wsframes import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InputImageRawFrame,
    InputTransportMessageFrame,
    TextFrame,
)
from wsframes.graph import EndReason
from wsframes.serializers import (
    FrameSerializer,
    FrameSerializerType,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
)
from wsframes.testing import PROFILES, MemoryPeer, ServerProfile, run_virtual, settle

FROM_PEERS = (
    InputAudioRawFrame,
    InputImageRawFrame,
    InputTransportMessageFrame,
    InputDTMFFrame,
    TextFrame,
)

SERIALIZERS: list[type[FrameSerializer]] = [
    RawAudioSerializer,
    MsgpackFrameSerializer,
    JsonFrameSerializer,
]

SHORT_BAD_JSON = [
    data
    for name, data in BAD_JSON.items()
    if len(data) < 2000 and name != "lone surrogate"  # no wire carries it
]
anything = st.binary(max_size=200) | st.text(max_size=200) | st.sampled_from(SHORT_BAD_JSON)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("serializer", SERIALIZERS)
@settings(max_examples=60)
@given(st.lists(anything, max_size=30), st.sampled_from(PROFILES))
def test_nothing_that_a_peer_sends_ends_the_session(
    backend: str,
    serializer: type[FrameSerializer],
    messages: list[str | bytes],
    profile: ServerProfile,
) -> None:
    """P15, P17: each message is a frame of a few kinds, or is counted; the next one is read."""

    async def main() -> None:
        session = Session(
            serializer=serializer(), max_bad_messages=1000, video_in_enabled=True, observe=True
        )
        async with MemoryPeer(session, profile=profile) as peer:
            for message in messages:
                await peer.send(message)
            await settle()
            assert session.results == []
            statistics = session.transport.input().statistics()
            assert statistics.taken == len(messages)
            bad = sum(statistics.dropped.values())
            assert statistics.delivered + statistics.ignored + bad == len(messages)
            frames = [frame for frame in session.read if not frame.lifecycle]
            assert all(isinstance(frame, FROM_PEERS) for frame in frames)
            assert all(frame.pts is None for frame in frames)
            assert {frame.id for frame in frames}.isdisjoint(range(1))
            assert len(session.errors) == statistics.dropped.get("bad_message", 0)
            assert not any(error.fatal for error in session.errors)

    run_virtual(main, backend=backend)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BAD_JSON)
async def test_each_named_one_is_one_bad_message(name: str) -> None:
    session = Session(serializer=JsonFrameSerializer(), max_message_bytes=1 << 24)
    async with MemoryPeer(session) as peer:
        await peer.connect()
        data = BAD_JSON[name]
        key = "text" if isinstance(data, str) else "bytes"
        peer.send_raw_event({"type": "websocket.receive", key: data})
        await peer.send('{"type":"text","text":"good"}')
        await settle()
        statistics = session.transport.input().statistics()
        assert statistics.delivered == 1
        assert statistics.dropped == {"bad_message": 1}
    assert len(session.errors[0].error) <= 400


class Anything(FrameSerializer):
    """As bad as a serializer can be: makes of each message what the test wants, or raises it."""

    type = FrameSerializerType.BINARY

    def __init__(self, results: list[Any]) -> None:
        self._results = results

    def _next(self) -> Any:
        result = self._results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result

    def serialize(self, frame: Frame) -> Any:
        return None

    def deserialize(self, data: str | bytes) -> Any:
        return self._next()


class AnythingLater(Anything):
    async def deserialize(self, data: str | bytes) -> Any:
        await anyio.sleep(0.01)
        return self._next()


@pytest.mark.parametrize("kind", [Anything, AnythingLater])
async def test_whatever_a_serializer_does_the_reading_goes_on(kind: type[Anything]) -> None:
    """P23: none of it kills the reader; and nothing gets past it that is no frame for peers."""
    bad: list[Any] = [
        1,
        "text",
        [],
        Frame,
        object(),
        ValueError("x"),
        RecursionError(),
        MemoryError(),
        StopIteration(),
        UnicodeDecodeError("utf-8", b"", 0, 1, "x"),
        InputAudioRawFrame(b"ab", RATE, 0),
        InputAudioRawFrame(b"ab", -1),
        InputAudioRawFrame(b"ab", RATE, 1000),
    ]
    good = TextFrame("good")
    session = Session(serializer=kind([*bad, good]), max_bad_messages=1000, observe=True)
    async with MemoryPeer(session) as peer:
        for _ in range(len(bad) + 1):
            await peer.send(b"x")
        await anyio.sleep(1)
        assert [frame for frame in session.read if not frame.lifecycle] == [good]
        assert session.results == []
    assert session.transport.input().dropped.total() == len(bad)


async def test_an_error_frame_from_a_serializer_does_not_end_the_run() -> None:
    """P17: it goes downstream, where errors mean nothing."""
    session = Session(serializer=Anything([ErrorFrame("x", fatal=True)]))
    async with MemoryPeer(session) as peer:
        await peer.send(b"x")
        await settle()
        assert session.results == []


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
async def test_a_message_may_have_a_mebibyte(size: int) -> None:
    """P16: on by default, and exact."""
    session = Session(serializer=Anything([None]))
    async with MemoryPeer(session, receive_buffer_bytes=1 << 22) as peer:
        await peer.send(bytes(size))
        await settle()
        if size > 1 << 20:
            assert await peer.wait_closed() == (1009, "bad_input")
        else:
            assert session.results == []
            peer.close()
            await session.finished()
    reason = EndReason.BAD_INPUT if size > 1 << 20 else EndReason.CLIENT_DISCONNECTED
    assert session.result.reason is reason
