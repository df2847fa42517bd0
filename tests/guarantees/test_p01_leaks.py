"""P1: when `run()` has returned, nothing of the session is left, however it ended."""

import gc
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import anyio
import psutil
import pytest

from tests.guarantees.scale import scaled
from tests.transport.sessions import Echo, Session
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    OutputAudioRawFrame,
    StartFrame,
)
from wsframes.graph import EndReason
from wsframes.testing import MemoryPeer, PeerClosed

SESSIONS = scaled(600, 10_000)
FIRST = scaled(200, 1000)
AT_ONCE = 20

# The allocator's arenas and the interpreter's free lists; the promise is 5 MB.
RSS_BYTES = 5_000_000
OBJECTS = 100


class Lane(FrameProcessor):
    """Has a lane, and work in the background."""

    async def start(self, frame: StartFrame) -> None:
        self.start_soon(anyio.sleep_forever)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)


async def _close(session: Session, peer: MemoryPeer) -> None:
    peer.close()


async def _reset(session: Session, peer: MemoryPeer) -> None:
    peer.reset()


async def _end(session: Session, peer: MemoryPeer) -> None:
    await session.task.queue_frames([OutputAudioRawFrame(bytes(3200), 16000), EndFrame()])


async def _cancel(session: Session, peer: MemoryPeer) -> None:
    await session.task.queue_frame(OutputAudioRawFrame(bytes(32_000), 16000))
    await session.task.cancel()


async def _fail(session: Session, peer: MemoryPeer) -> None:
    session.tap.push_error("as it was told", exception=ValueError("planted"), fatal=True)


async def _overload(session: Session, peer: MemoryPeer) -> None:
    for _ in range(5000):
        session.tap.push_frame_nowait(OutputAudioRawFrame(bytes(640), 16000))


class Ending(NamedTuple):
    bring_about: Callable[[Session, MemoryPeer], Awaitable[None]]
    reason: EndReason


ENDINGS = (
    Ending(_close, EndReason.CLIENT_DISCONNECTED),
    Ending(_reset, EndReason.CLIENT_LOST),
    Ending(_end, EndReason.ENDED),
    Ending(_cancel, EndReason.CANCELLED),
    Ending(_fail, EndReason.ERROR),
    Ending(_overload, EndReason.OVERLOAD),
)


class Census:
    """What is alive in this process."""

    def __init__(self) -> None:
        self.tasks = {task.id for task in anyio.get_running_tasks()}
        self.threads = {thread.ident for thread in threading.enumerate()}
        self.fds = set(os.listdir("/proc/self/fd"))
        gc.collect()
        self.objects = len(gc.get_objects())
        self.rss_bytes = psutil.Process().memory_info().rss


async def live(ending: Ending, alive: "weakref.WeakSet[Any]") -> None:
    session = Session(Echo(), Lane())

    def fails(*_: object) -> None:
        raise ValueError("a handler that fails")

    async with MemoryPeer(session) as peer:
        await session.started.wait()
        session.transport.add_event_handler("on_client_disconnected", fails)
        session.task.add_event_handler("on_pipeline_finished", fails)
        await peer.send(bytes(1280))
        with suppress(PeerClosed):
            await peer.receive()
        await ending.bring_about(session, peer)
        await session.finished()
    assert session.result.reason is ending.reason
    for thing in (session, session.transport, session.task, peer, *session.task._pipeline):
        alive.add(thing)


async def live_many(sessions: int, alive: "weakref.WeakSet[Any]") -> None:
    for number in range(0, sessions, AT_ONCE):
        async with anyio.create_task_group() as tasks:
            for index in range(number, number + AT_ONCE):
                tasks.start_soon(live, ENDINGS[index % len(ENDINGS)], alive)


@pytest.mark.usefixtures("quiet")
async def test_p01_nothing_is_left_of_thousands_of_sessions(
    figure: Callable[[str, str], None],
) -> None:
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    await live_many(FIRST, alive)
    before = Census()
    await live_many(SESSIONS - FIRST, alive)
    after = Census()
    assert after.tasks == before.tasks
    assert after.threads <= before.threads  # one of an earlier test may go meanwhile
    assert after.fds == before.fds
    assert not alive
    objects = after.objects - before.objects
    grown_bytes = after.rss_bytes - before.rss_bytes
    figure(
        "P1",
        f"{SESSIONS} sessions over six endings: 0 tasks, threads, fds left, {objects} objects, "
        f"RSS {grown_bytes / 1e6:+.1f} MB after the first {FIRST}",
    )
    assert objects <= OBJECTS
    assert grown_bytes <= RSS_BYTES
