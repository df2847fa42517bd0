"""`wsframes.transport.playout.timed_sender`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from wsframes import Frame, TextFrame, TransportMessageFrame
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventQueue
from wsframes.testing import settle
from wsframes.transport.playout.timed_sender import TimedSender
from wsframes.transport.tasks.waiting import ClearGate

NS = 1_000_000_000


class Bench:
    """A timed sender in a run, and what it has written, with the times.

    Attributes:
        reason: why a write takes nothing; None: it takes everything.
        takes_s: how long each write lasts.
    """

    def __init__(self) -> None:
        self.gate = ClearGate()
        self.sender = TimedSender(self._write, self.gate)
        self.written: list[tuple[float, str]] = []
        self.reason: str | None = None
        self.takes_s = 0.0

    @asynccontextmanager
    async def run(self) -> AsyncIterator[RunContext]:
        async with anyio.create_task_group() as tasks:
            context = RunContext(tasks, EventQueue(tasks, 5.0, lambda *_: None))
            self.sender.begin(context)
            yield context
            tasks.cancel_scope.cancel()

    def put(self, text: str, seconds: float) -> None:
        assert self.sender.put(TextFrame(text, pts=round(seconds * NS)))

    async def _write(self, frame: Frame) -> str | None:
        if self.takes_s:
            await anyio.sleep(self.takes_s)
        assert isinstance(frame, TextFrame | TransportMessageFrame)
        text = frame.text if isinstance(frame, TextFrame) else str(frame.message)
        self.written.append((anyio.current_time(), text))
        return self.reason


async def test_each_leaves_at_its_time() -> None:
    bench = Bench()
    async with bench.run():
        begun_s = anyio.current_time()
        bench.put("c", 0.3)
        bench.put("a", 0.1)
        await anyio.sleep(0.05)
        bench.put("b", 0.2)
        bench.put("late", 0.01)
        bench.put("first", 0)
        await anyio.sleep(1)
    times = [(time_s - begun_s, text) for time_s, text in bench.written]
    expected = [(0.05, "first"), (0.05, "late"), (0.1, "a"), (0.2, "b"), (0.3, "c")]
    assert [text for _, text in times] == [text for _, text in expected]
    assert [time_s for time_s, _ in times] == pytest.approx([time_s for time_s, _ in expected])


async def test_what_is_of_one_time_keeps_its_order() -> None:
    bench = Bench()
    async with bench.run():
        for n in range(50):
            bench.put(str(n), 1)
        await anyio.sleep(2)
    assert [text for _, text in bench.written] == [str(n) for n in range(50)]


async def test_there_is_no_task_while_nothing_waits() -> None:
    bench = Bench()
    async with bench.run() as context:
        await settle()
        assert context.working == []
        bench.put("x", 0.5)
        await settle()
        assert [title for title, _ in context.working] == ["timed frames"]
        await anyio.sleep(1)
        assert context.working == []


async def test_a_time_beyond_all_clocks_waits_and_blocks_nothing() -> None:
    bench = Bench()
    async with bench.run():
        bench.sender.put(TextFrame("never", pts=10**400))
        bench.put("soon", 0.5)
        await anyio.sleep(1)
        assert [text for _, text in bench.written] == ["soon"]
        bench.sender.close("ended")
        await settle()
        assert bench.sender.statistics().dropped == {"ended": 1}


async def test_an_interruption_drops_and_the_gate_holds_back() -> None:
    bench = Bench()
    async with bench.run():
        bench.put("lost", 0.1)
        bench.sender.put(TransportMessageFrame("kept", pts=NS // 10))
        bench.gate.shut()
        bench.sender.interrupt()
        await anyio.sleep(1)
        assert bench.written == []
        bench.gate.told(bench.gate.number)
        await settle()
        assert [text for _, text in bench.written] == ["kept"]
        await anyio.sleep(1)
    assert bench.sender.statistics().dropped == {"interrupted": 1}


async def test_what_is_not_taken_is_counted() -> None:
    bench = Bench()
    async with bench.run():
        bench.reason = "unsent"
        bench.put("x", 0)
        await settle()
        bench.takes_s = 1.0
        bench.put("x", 0)
        await settle()
    statistics = bench.sender.statistics()
    assert statistics.dropped == {"unsent": 1, "cancelled": 1}
    assert (statistics.taken, statistics.queued) == (2, 0)


async def test_no_more_than_there_is_room_for() -> None:
    bench = Bench()
    async with bench.run():
        for _ in range(1024):
            bench.put("x", 9)
        assert not bench.sender.put(TextFrame("one more", pts=0))
        assert bench.sender.statistics().taken == 1024


async def test_the_clock_goes_on_between_two_runs() -> None:
    bench = Bench()
    assert bench.sender.time_ns == 0
    async with bench.run():
        begun_s = anyio.current_time()
        bench.put("x", 3)
        await anyio.sleep(1)
        assert bench.sender.time_ns == pytest.approx(NS, abs=2)
    await anyio.sleep(1)
    async with bench.run():
        await anyio.sleep(5)
        assert bench.sender.time_ns == pytest.approx(7 * NS, abs=10)
    assert [time_s - begun_s for time_s, _ in bench.written] == pytest.approx([3])
