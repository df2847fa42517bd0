"""P1 to P6 as invariants of a whole session, whatever is done to it and in whichever order."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, Literal

import anyio
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.guarantees.invariants import check_counts, check_events
from tests.guarantees.scale import scaled
from tests.transport.sessions import RATE, Session
from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.graph.mailbox import QueueLimits
from wsframes.testing import (
    PROFILES,
    MemoryPeer,
    PeerClosed,
    ServerProfile,
    SteppedRun,
    run_test,
    settle,
)

EXAMPLES = scaled(100, 2500)  # on each backend

# The others do not let a blocked send be cancelled, and so make no promise about time possible.
CANCELLABLE = [profile for profile in PROFILES if not profile.shields_send]

CANCEL_BOUND_S = 1.0
# A peer that has left is noticed by a send at the latest, and then its code is waited for.
GONE_BOUND_S = 1.0
# What is queued is played out, and a peer that does not read has the write timeout.
END_BOUND_S = 20.0
TOLERANCE_S = 1e-6


class Moody(FrameProcessor):
    """A lane that answers audio with audio, takes its time, and fails when it is told to."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            await anyio.sleep(0.01)
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate)
        elif isinstance(frame, TextFrame) and frame.text == "fail":
            raise ValueError("as it was told")
        await self.push_frame(frame, direction)


async def test_the_lane_that_is_used_here_does_what_it_says() -> None:
    heard = InputAudioRawFrame(bytes(640), RATE)
    await run_test(Moody(), frames_to_send=[heard], expected_down_frames=[OutputAudioRawFrame])
    with pytest.raises(AssertionError, match="as it was told"):
        await run_test(Moody(), frames_to_send=[TextFrame("fail")])


class SessionMachine(RuleBasedStateMachine):
    """One session, on one server, with one peer."""

    backend: Literal["asyncio", "trio"]

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.run = self._stack.enter_context(SteppedRun(self.backend))
        self.now_s = 0.0
        self.over_s: float | None = None
        self.must_be_over_s = float("inf")
        self.vanished = False
        self.session: Session
        self.peer: MemoryPeer

    @initialize(
        profile=st.sampled_from(CANCELLABLE),
        lead_ms=st.sampled_from([0, 200]),
        session_timeout=st.sampled_from([None, 8.0]),
    )
    def connect(self, profile: ServerProfile, lead_ms: int, session_timeout: float | None) -> None:
        self.session = Session(
            Moody(),
            audio_out_lead_ms=lead_ms,
            session_timeout=session_timeout,
            max_message_bytes=20_000,
            write_timeout=2.0,
        )
        self.run.start_soon(self._live, profile)
        self._call(settle)

    async def _live(self, profile: ServerProfile) -> None:
        tasks = {task.id for task in anyio.get_running_tasks()}
        self.peer = MemoryPeer(self._app, profile=profile, send_buffer_bytes=8192)
        async with self.peer:
            await self.peer.app.finished.wait()
        await settle()
        self.left = {task.id for task in anyio.get_running_tasks()} - tasks

    async def _app(self, *asgi: Any) -> None:
        try:
            await self.session(*asgi)
        finally:
            self.over_s = anyio.current_time()

    def _call(self, func: Callable[..., Any], *args: Any) -> None:
        async def step() -> None:
            await func(*args)
            await settle()
            self.now_s = anyio.current_time()

        self.run.call(step)

    def _by(self, bound_s: float) -> None:
        self.must_be_over_s = min(self.must_be_over_s, self.now_s + bound_s)

    @property
    def is_over(self) -> bool:
        return self.over_s is not None

    # --- the peer

    @rule(
        data=st.sampled_from([bytes(640), bytes(641), bytes(20_001), '"hello"', "{", "\x00"]),
        times=st.integers(1, 3),
    )
    def hear(self, data: str | bytes, times: int) -> None:
        async def send() -> None:
            for _ in range(times):
                with suppress(RuntimeError, PeerClosed, anyio.WouldBlock):
                    self.peer.send_nowait(data)

        self._call(send)

    @precondition(lambda self: not self.vanished)
    @rule(how=st.sampled_from(["stall", "resume", "read slowly"]))
    def change_reading(self, how: str) -> None:
        async def change() -> None:
            if how == "read slowly":
                self.peer.read_rate(10_000.0)
            else:
                getattr(self.peer, how)()

        self._call(change)

    @precondition(lambda self: not self.vanished)
    @rule(how=st.sampled_from(["close", "half_close", "reset"]))
    def lose(self, how: str) -> None:
        async def leave() -> None:
            getattr(self.peer, how)()

        self._call(leave)
        self._by(GONE_BOUND_S)

    @precondition(lambda self: not self.vanished)
    @rule()
    def vanish(self) -> None:
        async def vanish() -> None:
            self.peer.vanish()

        self._call(vanish)
        self.vanished = True

    # --- the application

    @rule(
        make=st.sampled_from(
            [
                lambda: OutputAudioRawFrame(bytes(20_001), RATE),
                lambda: TransportMessageFrame("x" * 3000),
                lambda: TransportMessageUrgentFrame("x" * 3000),
                lambda: TextFrame("hello"),
                lambda: TextFrame("fail"),
                InterruptionFrame,
            ]
        ),
        times=st.integers(1, 4),
    )
    def queue(self, make: Callable[[], Frame], times: int) -> None:
        async def put() -> None:
            with anyio.move_on_after(0.5):
                await self.session.task.queue_frames([make() for _ in range(times)])

        self._call(put)

    @rule()
    def end(self) -> None:
        self._call(self.session.task.queue_frame, EndFrame())
        self._by(END_BOUND_S)

    @rule()
    def cancel(self) -> None:
        self._call(self.session.task.cancel)
        self._by(CANCEL_BOUND_S)

    @precondition(lambda self: not self.is_over)
    @rule()
    def fail(self) -> None:
        async def fail() -> None:
            self.session.tap.push_error("as it was told", fatal=True)

        self._call(fail)
        self._by(CANCEL_BOUND_S)

    # --- time

    @rule(seconds=st.sampled_from([0.0, 0.02, 0.3, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self._call(anyio.sleep, seconds)

    # --- what always holds

    @invariant()
    def it_is_over_in_time(self) -> None:
        """P2, P5."""
        if self.now_s > self.must_be_over_s + TOLERANCE_S:
            assert self.over_s is not None
            assert self.over_s <= self.must_be_over_s + TOLERANCE_S

    @invariant()
    def nothing_is_lost_and_no_queue_grows(self) -> None:
        """P6, P7."""
        limits = QueueLimits()
        for name, lane in self.session.task.statistics().items():
            lost = sum(lane.dropped.values()) + sum(lane.refused.values())
            at_work = lane.taken - lane.delivered - lost - lane.queued
            assert 0 <= at_work <= 2, name
            assert lane.queued <= 16 * limits.max_frames + 1, name
        for media in self.session.transport.output().statistics().values():
            assert media.frames_taken == (
                media.frames_sent + sum(media.frames_dropped.values()) + media.frames_queued
            )

    @invariant()
    def events_are_told_once_and_in_order(self) -> None:
        """P4."""
        if self.is_over:
            check_events(self.session)
        else:
            events = self.session.events
            assert len(events) == len(set(events))
            assert "pipeline_finished" not in events[:-1]

    def teardown(self) -> None:
        try:
            self._end()
        finally:
            self._stack.close()

    def _end(self) -> None:
        """P1: after it nothing is left, and everything is counted."""
        if self.must_be_over_s == float("inf"):
            self.cancel()
        self._call(anyio.sleep_until, self.must_be_over_s + 1.0)
        self.it_is_over_in_time()
        self._call(anyio.sleep, 20.0)  # of the peer
        assert self.left == set()
        assert self.peer.app.error is None
        assert self.peer.statistics().receives_after_close == 0
        check_events(self.session)
        check_counts(self.session)


class OnAsyncio(SessionMachine):
    backend = "asyncio"


class OnTrio(SessionMachine):
    backend = "trio"


def _run(machine: type[SessionMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_p04_a_session_on_asyncio_keeps_p1_to_p6(figure: Callable[[str, str], None]) -> None:
    _run(OnAsyncio)
    figure("P4", f"0 violations in {EXAMPLES} histories of up to 25 steps on asyncio")


def test_p04_a_session_on_trio_keeps_p1_to_p6(figure: Callable[[str, str], None]) -> None:
    _run(OnTrio)
    figure("P4", f"0 violations in {EXAMPLES} histories of up to 25 steps on trio")
