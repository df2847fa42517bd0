"""P14: odd input is carried, converted, or refused and counted; never a shift or an exception."""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests.guarantees.scale import scaled
from tests.transport.sessions import RATE, Session, sound
from wsframes import InputAudioRawFrame
from wsframes.serializers import MsgpackFrameSerializer, RawAudioSerializer
from wsframes.testing import MemoryPeer, settle

Figure = Callable[[str, str], None]

SPLITS = scaled(5_000, 100_000)
UNLIMITED: dict[str, Any] = {"max_messages_per_s": None, "max_bytes_per_s": None}


def heard(session: Session) -> bytes:
    frames = [frame for frame in session.read if isinstance(frame, InputAudioRawFrame)]
    assert all(len(frame.audio) % (2 * frame.num_channels) == 0 for frame in frames)
    return b"".join(frame.audio for frame in frames)


@pytest.mark.parametrize("channels", [1, 2, 3])
async def test_random_splits(channels: int, figure: Figure) -> None:
    """P14: audio that is cut anywhere, within samples too, comes out bit for bit."""
    rng = random.Random(channels)
    audio = sound(SPLITS * 12 / (2 * channels * RATE), num_channels=channels)
    cuts = sorted(rng.randrange(len(audio) + 1) for _ in range(SPLITS))
    session = Session(
        serializer=RawAudioSerializer(RATE, channels),
        audio_in_channels=channels,
        observe=True,
        **UNLIMITED,
    )
    async with MemoryPeer(session, receive_buffer_messages=SPLITS + 2) as peer:
        for start, end in pairwise([0, *cuts, len(audio)]):
            await peer.send(audio[start:end])
        await settle()
        statistics = session.transport.statistics().input
        assert (statistics.dropped, statistics.odd_bytes) == ({}, 0)
        assert heard(session) == audio
    figure("P14", f"{channels} channel(s): {len(audio)} bytes in {SPLITS} random pieces, bit-exact")


def message(audio: Any, rate: Any, channels: Any) -> bytes:
    fields = {"type": "audio", "audio": audio, "sample_rate": rate, "num_channels": channels}
    return msgspec.msgpack.encode(fields)


LIES: dict[str, tuple[Any, Any, Any]] = {
    "no audio": (b"", RATE, 1),
    "half a sample": (b"x", RATE, 1),
    "half a frame of two channels": (b"xx", RATE, 2),
    "a rate of 0": (b"xx", 0, 1),
    "a rate of 1": (b"xx", 1, 1),
    "a rate of -16000": (b"xx", -RATE, 1),
    "a rate that is not a number": (b"xx", float("nan"), 1),
    "a rate of infinity": (b"xx", float("inf"), 1),
    "a rate with a fraction": (b"xx", 16000.5, 1),
    "a rate in text": (b"xx", "16000", 1),
    "a rate of a gigahertz": (b"xx", 10**9, 1),
    "no channels": (b"xx", RATE, 0),
    "-1 channels": (b"xx", RATE, -1),
    "a thousand channels": (b"x" * 2000, RATE, 1000),
    "nine channels": (b"x" * 18, RATE, 9),
    "two seconds and a sample": (bytes(2 * (2 * RATE + 1)), RATE, 1),
    "audio in text": ("xx", RATE, 1),
    "audio of null": (None, RATE, 1),
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies_between_true_words(lie: str, figure: Figure) -> None:
    """P14: about rate, channels and length; what was said before and after them is whole."""
    before, after = sound(0.1), sound(0.1, first=5000)
    session = Session(serializer=MsgpackFrameSerializer(), audio_in_channels=1, observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(message(before, RATE, 1))
        await peer.send(message(*LIES[lie]))
        await peer.send(message(after, RATE, 1))
        await settle()
        assert session.results == []
        audio = heard(session)
        assert audio.startswith(before)
        statistics = session.transport.statistics().input
        assert statistics.taken == 3
        assert statistics.delivered + sum(statistics.dropped.values()) == 3
        kept = lie == "half a sample"  # it waits for its other half, and has it from the next
        assert audio.endswith(after) is not kept
        assert not any(error.fatal for error in session.errors)


async def test_rates_and_channels_that_change_with_every_message(figure: Figure) -> None:
    """P14: each is carried, converted or counted, and the session goes on."""
    rng = random.Random(14)
    session = Session(
        serializer=MsgpackFrameSerializer(), audio_in_channels=1, observe=True, **UNLIMITED
    )
    count = scaled(500, 10_000)
    async with MemoryPeer(session, receive_buffer_messages=count) as peer:
        for _ in range(count):
            rate = rng.choice((8000, 11025, 16000, 22050, 24000, 44100, 48000, 192_000))
            size = rng.randrange(2000)
            await peer.send(message(bytes(size), rate, rng.randrange(1, 9)))
        await settle()
        assert session.results == []
        statistics = session.transport.statistics().input
        assert statistics.taken == count
        assert statistics.delivered + sum(statistics.dropped.values()) == count
        assert {len(piece) % 2 for piece in (heard(session),)} == {0}
    figure("P14", f"{count} messages, each with its own rate and channels: none ends the session")
