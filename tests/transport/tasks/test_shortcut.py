"""`wsframes.transport.tasks.shortcut`: whose task sends, which changes nothing for the peer."""

from typing import Any, Literal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.sessions import Echo, Session, audio_of, sound
from wsframes import (
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    TransportMessageFrame,
)
from wsframes.testing import HYPERCORN_TRIO, UVICORN_SANSIO, MemoryPeer, run_virtual, settle
from wsframes.transport.tasks.shortcut import Shortcut, Summons


class Sender:
    """Its work is to wait for a while, or not."""

    def __init__(self, name: str, log: list[str], waits: bool = False) -> None:
        self.name = name
        self._log = log
        self._waits = waits

    async def send_due(self) -> None:
        self._log.append(f"{self.name} sends")
        if self._waits:
            await anyio.sleep(1)
        self._log.append(f"{self.name} has sent")

    def wake(self) -> None:
        self._log.append(f"{self.name} is woken")


async def test_the_reader_sends_for_those_who_asked_and_reads_on() -> None:
    log: list[str] = []
    shortcut = Shortcut()
    shortcut.asked += [Sender("a", log), Sender("b", log)]
    assert await shortcut.send(lambda: log.append("another reads"))
    assert log == ["b sends", "b has sent", "a sends", "a has sent"]
    assert shortcut.asked == []


async def test_a_send_that_waits_lets_another_task_read_and_wakes_the_other_senders() -> None:
    log: list[str] = []
    shortcut = Shortcut()
    shortcut.asked += [Sender("a", log), Sender("b", log, waits=True)]
    assert not await shortcut.send(lambda: log.append("another reads"))
    assert log == ["b sends", "a is woken", "another reads", "b has sent"]


async def test_whom_a_summons_calls() -> None:
    log: list[str] = []
    shortcut = Shortcut()
    sender = Sender("a", log)
    summons = Summons(shortcut, sender)

    async def wait() -> None:
        await summons.wait()
        log.append("own task")

    async with anyio.create_task_group() as tasks:
        summons.call()  # nobody sleeps: nobody is called
        tasks.start_soon(wait)
        await settle()
        shortcut.is_open = True
        summons.call()
        summons.call()
        assert shortcut.asked == [sender]
        await settle()
        assert log == []
        summons.lent = True  # the reader is at it
        summons.call()
        await settle()
        assert log == ["own task"]


class _Answers(Echo):
    """Echoes audio and messages."""

    def process_frame(self, frame: Frame, direction: Any) -> None:
        if isinstance(frame, InputTransportMessageFrame):
            frame = TransportMessageFrame(frame.message)
        super().process_frame(frame, direction)


def _task_names() -> list[str | None]:
    return [task.name for task in anyio.get_running_tasks()]


async def test_a_peer_that_does_not_read_is_still_read() -> None:
    session = Session(Echo(), audio_out_lead_ms=10**6)
    async with MemoryPeer(session, send_buffer_bytes=2000) as peer:
        await peer.connect()
        await peer.send(sound(0.1))
        await settle()
        peer.stall()
        for _ in range(5):
            await peer.send(sound(0.1))
        await settle()
        assert session.transport.client.write_deadline_s is not None  # one is blocked
        await peer.send('"are you there?"')
        await settle()
        assert session.transport.input().statistics().delivered == 7
        assert _task_names().count("input reader") == 2  # the first one is in the send
        peer.resume()
        await settle()
        assert _task_names().count("input reader") == 1
        await anyio.sleep(1)
    assert audio_of(peer) == sound(0.1) * 6


class _Twice(Echo):
    """Answers audio on two destinations."""

    def process_frame(self, frame: Frame, direction: Any) -> None:
        if isinstance(frame, InputAudioRawFrame):
            for destination in (None, "other"):
                answer = OutputAudioRawFrame(frame.audio, frame.sample_rate)
                self.push_frame_nowait(answer.replace(transport_destination=destination), direction)
        else:
            super().process_frame(frame, direction)


async def test_a_blocked_send_leaves_the_other_destination_to_its_own_task() -> None:
    session = Session(_Twice(), audio_out_lead_ms=10**6, audio_out_destinations=["other"])
    async with MemoryPeer(session, send_buffer_bytes=2000) as peer:
        await peer.connect()
        await settle()
        peer.stall()
        for _ in range(5):
            await peer.send(sound(0.04))
        await settle()
        assert _task_names().count("input reader") == 2
        peer.resume()
        await anyio.sleep(1)
    assert len(audio_of(peer)) == 10 * len(sound(0.04))
    for statistics in session.transport.output().statistics().values():
        assert statistics.audio_sent == statistics.audio_taken


@pytest.mark.parametrize("profile", [UVICORN_SANSIO, HYPERCORN_TRIO], ids=str)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    lengths=st.lists(st.sampled_from([640, 1280, 333, 64, 0]) | st.none(), max_size=20),
    lead_ms=st.sampled_from([0, 200, 10**6]),
    slow=st.booleans(),
)
def test_the_peer_gets_the_same_whoever_sends(
    profile: Any,
    backend: Literal["asyncio", "trio"],
    lengths: list[int | None],
    lead_ms: int,
    slow: bool,
) -> None:
    """For all messages: what arrives, and when each has arrived, does not depend on the way."""

    async def received(kind: type[Session]) -> list[tuple[float, Any]]:
        session = kind(_Answers(), audio_out_lead_ms=lead_ms)
        async with MemoryPeer(session, profile=profile, send_buffer_bytes=1500) as peer:
            await peer.connect()
            begun_s = anyio.current_time()
            if slow:
                peer.read_rate(64_000)
            for length in lengths:
                await peer.send('"message"' if length is None else sound(0.04)[:length])
                await anyio.sleep(0.02)
            await anyio.sleep(5)
            return [(round(time_s - begun_s, 6), data) for time_s, data in peer.received]

    first = run_virtual(received, Session, backend=backend)
    assert first == run_virtual(received, _WithoutShortcut, backend=backend)
    assert len(first) >= len([length for length in lengths if length is None])


class _WithoutShortcut(Session):
    def _build(self, websocket: Any) -> None:
        super()._build(websocket)
        self.transport.shortcut = _Shut()


class _Shut(Shortcut):
    @property
    def is_open(self) -> bool:
        return False

    @is_open.setter
    def is_open(self, is_open: bool) -> None:
        """Stay shut."""
