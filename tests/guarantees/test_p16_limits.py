"""P16: limits are on by default, each just below and just above."""

from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest

from tests.guarantees.scale import scaled
from tests.transport.sessions import Session
from wsframes import Frame, InputAudioRawFrame
from wsframes.serializers import (
    FrameSerializer,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
)
from wsframes.testing import MemoryPeer, settle

Figure = Callable[[str, str], None]

MIB = 1 << 20


class Fixed(RawAudioSerializer):
    """Makes the same frame of every message."""

    def __init__(self, frame: Frame | None = None) -> None:
        super().__init__()
        self._frame = frame

    def deserialize(self, data: str | bytes) -> Any:
        return None if self._frame is None else self._frame.replace()


@pytest.mark.parametrize("kind", ["bytes", "ascii", "two bytes a character"])
@pytest.mark.parametrize("over", [False, True])
async def test_a_message_of_a_mebibyte(kind: str, over: bool, figure: Figure) -> None:
    """P16: 1 MiB is read, and a byte more is 1009."""
    data: str | bytes = bytes(MIB)
    if kind != "bytes":
        data = "x" * MIB if kind == "ascii" else "\u00e4" * (MIB // 2)
    if over:
        data = data + b"x" if isinstance(data, bytes) else data + "x"
    session = Session(serializer=Fixed())
    async with MemoryPeer(session, receive_buffer_bytes=4 * MIB) as peer:
        await peer.send(data)
        await settle()
        if over:
            assert await peer.wait_closed() == (1009, "bad_input")
        else:
            assert session.results == []
            assert session.transport.input().statistics().ignored == 1
    if over:
        assert session.transport.input().dropped == {"too_big": 1}
        figure("P16", f"1 MiB of {kind} read, a byte more closed with 1009")


@pytest.mark.parametrize(("per_s", "throttled"), [(500, False), (550, True)])
async def test_500_messages_a_second(per_s: int, throttled: bool, figure: Figure) -> None:
    """P16: for as long as one likes; and who sends more is read at just that rate."""
    seconds = scaled(40, 300)
    session = Session(serializer=Fixed())
    async with MemoryPeer(session, receive_buffer_messages=100_000) as peer:
        for second in range(seconds):
            for _ in range(per_s):
                await peer.send(b"x")
            await anyio.sleep_until(second + 1)
        statistics = session.transport.statistics().input
        assert (statistics.throttled > 0) is throttled
        assert session.results == []
        assert statistics.taken <= 500 * (anyio.current_time() + 2) + 3
        if not throttled:
            assert statistics.taken == per_s * seconds
        seconds = round(anyio.current_time())
    figure(
        "P16", f"{per_s} messages/s for {seconds} s: {statistics.taken / seconds:.1f} read a second"
    )


@pytest.mark.parametrize(("size", "throttled"), [(MIB // 64, False), (MIB // 58, True)])
async def test_a_mebibyte_a_second(size: int, throttled: bool, figure: Figure) -> None:
    """P16: likewise."""
    seconds = scaled(40, 300)
    session = Session(serializer=Fixed())
    async with MemoryPeer(session, receive_buffer_bytes=64 * MIB) as peer:
        for second in range(seconds):
            for _ in range(64):
                await peer.send(bytes(size))
            await anyio.sleep_until(second + 1)
        statistics = session.transport.statistics()
        assert (statistics.input.throttled > 0) is throttled
        now_s = anyio.current_time()
        assert statistics.received_bytes <= MIB * (now_s + 2) + 3 * size
        rate = statistics.received_bytes / now_s / MIB
    figure("P16", f"{64 * size / MIB:.3f} MiB/s for {now_s:.0f} s: {rate:.3f} MiB/s read")


async def test_a_flood_of_single_bytes_costs_what_its_messages_cost(figure: Figure) -> None:
    """P16: the byte limit alone would let a million of them through a second."""
    session = Session()
    async with MemoryPeer(session) as peer:
        with anyio.move_on_after(scaled(10, 600)):
            while True:
                await peer.send(b"x")
        taken = session.transport.statistics().received
        now_s = anyio.current_time()
        assert session.results == []
        assert taken <= 500 * (now_s + 2) + 3
    figure("P16", f"a flood of single bytes: {taken} messages read in {now_s:.0f} s")


@pytest.mark.parametrize("serializer", [JsonFrameSerializer, MsgpackFrameSerializer])
@pytest.mark.parametrize(("depth", "dropped"), [(32, {}), (33, {"bad_message": 1})])
async def test_32_levels(
    serializer: type[FrameSerializer], depth: int, dropped: dict[str, int]
) -> None:
    """P16: of arrays and objects in an application's message."""
    packed = b"\x82\xa4type\xa7message\xa7message" + b"\x91" * (depth - 1) + b"\x90"
    text = '{"type":"message","message":' + '{"":' * (depth - 1) + "[]" + "}" * (depth - 1) + "}"
    session = Session(serializer=serializer())
    async with MemoryPeer(session) as peer:
        await peer.send(text if serializer is JsonFrameSerializer else packed)
        await settle()
        assert session.transport.input().dropped == dropped


def audio(sample_rate: int, num_channels: int, samples: int = 160) -> bytes:
    return msgspec.msgpack.encode(
        {
            "type": "audio",
            "audio": bytes(2 * samples * num_channels),
            "sample_rate": sample_rate,
            "num_channels": num_channels,
        }
    )


@pytest.mark.parametrize(
    ("form", "ok"),
    [
        ((8000, 1), True),
        ((7999, 1), False),
        ((192_000, 1), True),
        ((192_001, 1), False),
        ((16000, 8), True),
        ((16000, 9), False),
        ((16000, 0), False),
        ((8000, 1, 16000), True),
        ((8000, 1, 16001), False),
        ((48000, 2, 96000), True),
        ((48000, 2, 96001), False),
    ],
)
@pytest.mark.parametrize("own", [False, True], ids=["msgpack", "a serializer of one's own"])
async def test_audio(form: Any, ok: bool, own: bool) -> None:
    """P16: 8 to 192 kHz, 1 to 8 channels, 2 s a message, whatever the serializer lets through."""
    rate, channels, *samples = form
    message = audio(rate, channels, *samples)
    if own:
        size = 2 * (samples[0] if samples else 160) * channels
        serializer: FrameSerializer = Fixed(InputAudioRawFrame(bytes(size), rate, channels))
    else:
        serializer = MsgpackFrameSerializer()
    session = Session(serializer=serializer)
    async with MemoryPeer(session, receive_buffer_bytes=4 * MIB) as peer:
        await peer.send(message)
        await settle()
        assert session.results == []
        dropped = session.transport.input().dropped
        assert (sum(dropped.values()) == 0) is ok
