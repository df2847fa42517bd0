"""`wsframes.transport.outlet`: what has no message, where it is made by the reader's task too."""

from typing import Any

import pytest

from tests.transport.sessions import Echo, Session, audio_of, sound
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    InterruptionFrame,
    OutputAudioRawFrame,
    TransportMessageFrame,
)
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer, settle


class Mute(RawAudioSerializer):
    """Has no message for audio."""

    def serialize(self, frame: Frame) -> str | bytes | None:
        return None if isinstance(frame, OutputAudioRawFrame) else super().serialize(frame)


class Failing(RawAudioSerializer):
    def serialize(self, frame: Frame) -> str | bytes | None:
        raise ValueError("no words")


class FailingLater(RawAudioSerializer):
    async def serialize(self, frame: Frame) -> str | bytes | None:  # type: ignore[override]
        raise ValueError("no words")


async def sent_by(serializer: RawAudioSerializer) -> Any:
    session = Session(Echo(), serializer=serializer, audio_out_10ms_chunks=2)
    async with MemoryPeer(session) as peer:
        await peer.connect()
        await peer.send(sound(0.02))
        await settle()
        assert audio_of(peer) == b""
        (statistics,) = session.transport.output().statistics().values()
        return statistics


async def test_audio_that_the_serializer_has_no_message_for_counts_as_sent() -> None:
    statistics = await sent_by(Mute(16000))
    assert (statistics.audio_sent, statistics.audio_dropped) == (320, {})


@pytest.mark.parametrize("kind", [Failing, FailingLater])
async def test_audio_that_cannot_be_made_a_message_is_dropped(
    kind: type[RawAudioSerializer],
) -> None:
    statistics = await sent_by(kind(16000))
    assert (statistics.audio_sent, statistics.audio_dropped) == (0, {"encode_error": 320})


async def test_a_message_that_cannot_be_made_later_is_told() -> None:
    session = Session(serializer=FailingLater(16000))
    async with MemoryPeer(session):
        await session.started.wait()
        assert not await session.transport.output().send_message(TransportMessageFrame("x"))
    assert session.transport.output().dropped == {"encode_error": 1}


class Startled(FrameProcessor):
    """Stands below the output, and interrupts at the first audio that has been sent."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Frame] = []

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, OutputAudioRawFrame):
            self.heard.append(frame)
            if len(self.heard) == 1:
                self.push_frame_nowait(InterruptionFrame(), FrameDirection.UPSTREAM)
        self.push_frame_nowait(frame, direction)


async def test_who_interrupts_on_what_was_sent_is_told_of_no_speech() -> None:
    startled = Startled()
    session = Session(Echo(), below=(startled,), audio_out_10ms_chunks=2)
    async with MemoryPeer(session) as peer:
        await peer.connect()
        await peer.send(sound(0.02))
        await settle()
        await peer.send(sound(0.02))
        await settle()
    assert len(startled.heard) == 2
    assert audio_of(peer) == sound(0.02) * 2
