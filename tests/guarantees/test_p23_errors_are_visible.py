"""P23: what raises is one ErrorFrame with a name or a counted line, and the session goes on."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Echo, Session, audio_of
from wsframes import (
    BaseObserver,
    Frame,
    FrameDirection,
    FrameProcessor,
    FramePushed,
    InterruptionFrame,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    StartFrame,
    TextFrame,
)
from wsframes.audio import BaseAudioFilter, BaseAudioMixer
from wsframes.graph import EndReason
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer

PLANTED = "planted by the test"


def fail(*_: Any) -> Any:
    raise ValueError(PLANTED)


class Function(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            fail()
        self.push_frame_nowait(frame, direction)


class Lane(FrameProcessor):
    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            fail()
        await self.push_frame(frame, direction)


class Interrupted(FrameProcessor):
    def interrupt(self, frame: InterruptionFrame) -> None:
        fail()


class Background(FrameProcessor):
    def start(self, frame: StartFrame) -> None:
        self.start_soon(self._work)

    async def _work(self) -> None:
        await anyio.sleep(0.1)
        fail()


async def talk(session: Session, peer: MemoryPeer) -> None:
    """Every kind of thing that somebody may raise on; at last, whether it still echoes."""
    await session.started.wait()
    for _ in range(3):
        await session.task.queue_frame(TextFrame("x"))
        await anyio.sleep(0.1)
    await session.task.queue_frame(InterruptionFrame())
    await anyio.sleep(1)
    before = len(audio_of(peer))
    for _ in range(25):
        await peer.send(bytes(640))
        await anyio.sleep(0.02)
    await anyio.sleep(1)
    assert len(audio_of(peer)) - before == 25 * 640, "the session is no echo any more"
    await session.task.stop_when_done()
    await session.finished()
    assert session.result.reason is EndReason.ENDED


@pytest.mark.parametrize(
    ("kind", "errors"), [(Function, 3), (Lane, 3), (Interrupted, 1), (Background, 1)]
)
async def test_p23_a_processor_that_raises_is_named_and_the_session_goes_on(
    kind: type[FrameProcessor], errors: int
) -> None:
    session = Session(kind(name="culprit"), Echo())
    async with MemoryPeer(session) as peer:
        await talk(session, peer)
    assert [error.processor for error in session.errors] == ["culprit"] * errors
    assert all("culprit" in error.error and PLANTED in error.error for error in session.errors)
    assert all(isinstance(error.exception, ValueError) for error in session.errors)
    assert not any(error.fatal for error in session.errors)


@pytest.mark.parametrize("waits", [False, True])
async def test_p23_an_observer_that_raises_is_counted_and_the_session_goes_on(waits: bool) -> None:
    class Quick(BaseObserver):
        def on_push_frame(self, data: FramePushed) -> None:
            fail()

    class Waiting(BaseObserver):
        async def on_push_frame(self, data: FramePushed) -> None:
            fail()

    session = Session(Echo())
    session.observers.append(Waiting() if waits else Quick())
    async with MemoryPeer(session) as peer:
        await talk(session, peer)
    (counts,) = session.task.observer_statistics()
    assert counts.taken > 50
    assert counts.dropped == {"error": counts.taken}


async def test_p23_a_handler_that_raises_is_told_and_the_session_goes_on() -> None:
    session = Session(Echo())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        session.task.add_event_handler("on_frame_reached_downstream", fail)
        await talk(session, peer)
    assert session.errors
    assert all("on_frame_reached_downstream" in error.error for error in session.errors)
    counts = session.task.event_statistics()
    assert counts.dropped["error"] == len(session.errors)


class Filter(BaseAudioFilter):
    def start(self, sample_rate: int) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def process_frame(self, frame: Any) -> None:
        """Nothing to do."""

    def filter(self, audio: bytes) -> bytes:
        return bytes(fail())


class Mixer(BaseAudioMixer):
    def start(self, sample_rate: int) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def process_frame(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        """Nothing to do."""

    def mix(self, audio: bytes) -> bytes:
        return bytes(fail())


class Refusing(RawAudioSerializer):
    """Raises on the mark of an interruption."""

    def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, InterruptionFrame):
            fail()
        return super().serialize(frame)


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "filter": lambda: {"audio_in_filter": Filter()},
    "mixer": lambda: {"audio_out_mixer": Mixer(), "audio_out_sample_rate": RATE},
    "serializer": lambda: {"serializer": Refusing(RATE)},
}


@pytest.mark.parametrize("part", PARTS)
async def test_p23_a_part_that_raises_is_told_once_and_the_audio_goes_on(part: str) -> None:
    session = Session(Echo(), **PARTS[part]())
    async with MemoryPeer(session) as peer:
        await talk(session, peer)
    (error,) = session.errors
    assert error.processor in ("input", "output")
    assert PLANTED in error.error
    assert not error.fatal


async def test_p23_an_error_beside_a_session_comes_out_as_it_is() -> None:
    """The block of a peer raises, as a test that fails does: the session must not be in the way."""
    session = Session()

    async def fails() -> None:
        async with MemoryPeer(session):
            await session.started.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert [result.reason for result in session.told] == [EndReason.CANCELLED]
