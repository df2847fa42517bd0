"""P1, P4, P5, P6 at the transport: whatever happens to a session, and in whichever order.

A history is a list of things that peer, application and time do to one session on one server. After
it, the peer is gone or the application cancels, so that every session ends. Then all must be told,
counted and over.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.guarantees.invariants import check_counts, check_events
from tests.transport.sessions import RATE, Session
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    StopFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import PROFILES, MemoryPeer, PeerClosed, ServerProfile, run_virtual, settle

Step = Callable[[MemoryPeer, Session], Awaitable[None]]


async def _send(peer: MemoryPeer, data: str | bytes) -> None:
    # It may have left, or the application has, or does not read.
    with suppress(RuntimeError, PeerClosed, anyio.WouldBlock):
        peer.send_nowait(data)


def _leaving(how: str, *args: Any) -> Step:
    async def leave(peer: MemoryPeer, session: Session) -> None:
        with suppress(RuntimeError):  # it has vanished
            getattr(peer, how)(*args)

    return leave


def _queueing(*frames: Callable[[], Frame]) -> Step:
    async def queue(peer: MemoryPeer, session: Session) -> None:
        with anyio.move_on_after(1):
            await session.task.queue_frames([make() for make in frames])

    return queue


def _waiting(seconds: float) -> Step:
    async def wait(peer: MemoryPeer, session: Session) -> None:
        await (anyio.sleep(seconds) if seconds else settle(3))

    return wait


async def _cancel(peer: MemoryPeer, session: Session) -> None:
    await session.task.cancel()


async def _fail(peer: MemoryPeer, session: Session) -> None:
    # A run that is over takes a moment to return.
    if not session.results and session.tap._node is not None:
        session.tap.push_error("as it was told", fatal=True)


STEPS: dict[str, Step] = {
    "hear audio": lambda peer, session: _send(peer, bytes(1281)),
    "hear text": lambda peer, session: _send(peer, '"hello"'),
    "hear nonsense": lambda peer, session: _send(peer, "{"),
    "hear too much": lambda peer, session: _send(peer, bytes(20_001)),
    "say": _queueing(lambda: OutputAudioRawFrame(bytes(20_001), RATE)),
    "write": _queueing(lambda: TransportMessageFrame("x" * 9000)),
    "write at once": _queueing(lambda: TransportMessageUrgentFrame("x" * 9000)),
    "tell": _queueing(lambda: TextFrame("x")),
    "interrupt": _queueing(InterruptionFrame),
    "end": _queueing(EndFrame),
    "stop": _queueing(StopFrame),
    "cancel": _cancel,
    "fail": _fail,
    "stall": _leaving("stall"),
    "resume": _leaving("resume"),
    "read slowly": _leaving("read_rate", 10_000.0),
    "close": _leaving("close", 4001, "bye"),
    "close without a code": _leaving("close", None),
    "reset": _leaving("reset"),
    "half-close": _leaving("half_close"),
    "vanish": _leaving("vanish"),
    "a moment": _waiting(0),
    "a while": _waiting(0.3),
    "long": _waiting(7.0),
}


class Answering(FrameProcessor):
    """A lane: answers audio with audio, slowly enough for frames to queue."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            await anyio.sleep(0.01)
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate)
        await self.push_frame(frame, direction)


async def live(
    profile: ServerProfile, history: Sequence[str], params: dict[str, Any]
) -> tuple[Session, MemoryPeer]:
    session = Session(
        Answering(),
        runs=1 + history.count("stop"),
        pause_s=0.1,
        serializer=RawAudioSerializer(RATE),
        max_message_bytes=20_000,
        write_timeout=2.0,
        **params,
    )
    before = {task.id for task in anyio.get_running_tasks()}
    async with MemoryPeer(
        session, profile=profile, send_buffer_bytes=8192, exit_timeout_s=120
    ) as peer:
        await session.started.wait()
        for name in history:
            await STEPS[name](peer, session)
        # A vanished peer is told to nobody: then the application has had enough.
        patience_s = 10
        await anyio.sleep(1)
        while not peer.app.finished.is_set():
            await session.task.cancel()
            await anyio.sleep(1)
            patience_s -= 1
            if not patience_s:  # a send that no one can cancel, to one who does not read
                assert profile.shields_send
                peer._server.cut()
    assert peer.app.error is None
    assert {task.id for task in anyio.get_running_tasks()} == before
    return session, peer


# What ends a session comes seldom, or most histories would be over before they have begun.
OFTEN = sorted(set(STEPS) - {"end", "cancel", "fail", "hear too much"})
histories = st.lists(st.sampled_from(sorted(STEPS) + OFTEN * 3), max_size=14)
all_params = st.fixed_dictionaries(
    {},
    optional={
        "session_timeout": st.just(3.0),
        "end_on_session_timeout": st.booleans(),
        "end_on_disconnect": st.booleans(),
        "audio_out_lead_ms": st.sampled_from([0, 2000]),
        "max_bad_messages": st.just(2),
    },
)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=300)
@example(PROFILES[0], ["close", "end"], {})
@example(PROFILES[0], ["cancel", "fail"], {})
@example(PROFILES[0], ["a moment", "fail"], {})
@example(PROFILES[1], ["stop", "close"], {})
@example(PROFILES[1], ["say", "reset", "write at once"], {})
@example(PROFILES[2], ["stall", "say", "write", "write", "long", "resume"], {})
@example(PROFILES[4], ["stall", "write", "write", "write", "write", "long", "cancel"], {})
@example(PROFILES[0], ["interrupt", "say", "interrupt", "end", "close"], {})
@given(st.sampled_from(PROFILES), histories, all_params)
def test_whatever_happens_it_is_told_and_counted_and_over(
    backend: str, profile: ServerProfile, history: list[str], params: dict[str, Any]
) -> None:
    """Events once and in order, nothing lost silently, no task left, no use of a closed socket."""

    async def main() -> None:
        session, peer = await live(profile, history, params)
        # A send that could not be cancelled may use up the time in which an end is told.
        stuck = profile.shields_send and any(result.stuck for result in session.results)
        check_events(session, end_is_told=not stuck)
        check_counts(session)
        assert peer.statistics().receives_after_close == 0

    run_virtual(main, backend=backend)  # type: ignore[arg-type]
