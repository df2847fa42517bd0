"""A scripted session: everything that a session does, in two seconds of virtual time."""

import random
from contextlib import suppress

import anyio
import anyio.lowlevel
import sniffio

from tests.transport.sessions import RATE, Session
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    StartFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.graph import BaseObserver, FramePushed
from wsframes.testing import MemoryPeer, PeerClosed

__all__ = ["act", "make_session", "same_order"]


class Thinking(FrameProcessor):
    """A lane: answers audio with audio, slowly; has work in the background, and slow hooks."""

    async def start(self, frame: StartFrame) -> None:
        self.start_soon(self._work)
        await anyio.sleep(0.01)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            await anyio.sleep(0.005)
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate)
        await self.push_frame(frame, direction)

    async def stop(self, frame: EndFrame) -> None:
        await anyio.sleep(0.01)

    async def cleanup(self) -> None:
        await anyio.sleep(0.01)

    async def _work(self) -> None:
        while True:
            await anyio.sleep(0.05)
            await self.push_frame(TextFrame("from the background"))


class Watching(BaseObserver):
    """Has a task of its own."""

    async def on_push_frame(self, data: FramePushed) -> None:
        await anyio.lowlevel.checkpoint()


def make_session() -> Session:
    """With a lane, an observer, background work and slow hooks."""
    session = Session(Thinking())
    session.observers.append(Watching())
    return session


async def act(session: Session, peer: MemoryPeer) -> None:
    """The script: speech, messages, a peer that falls behind, an interruption, the end."""
    await session.started.wait()
    with suppress(PeerClosed, RuntimeError):
        for number in range(8):
            await peer.send(bytes(640 + number))
            await anyio.sleep(0.02)
        await peer.send('"hello"')
        await peer.send("no JSON")
        queue = session.task.queue_frame
        await queue(TransportMessageFrame("in its turn"))
        await queue(OutputAudioRawFrame(bytes(RATE), RATE))
        await queue(TransportMessageFrame("after the audio"))
        await anyio.sleep(0.1)
        peer.stall()
        await queue(TransportMessageUrgentFrame("x" * 9000))
        await queue(TransportMessageUrgentFrame("y" * 9000))
        await anyio.sleep(0.2)
        await queue(InterruptionFrame())
        peer.resume()
        await queue(OutputAudioRawFrame(bytes(RATE // 2), RATE))
        await anyio.sleep(0.1)
        await queue(EndFrame())
        await session.finished()


def same_order(seed: int) -> None:
    """On trio the order of the tasks is chance: make it one that comes again."""
    if sniffio.current_async_library() == "trio":
        from trio._core import _run

        _run._r = random.Random(seed)
