"""`wsframes.transport.lifetime`: how sessions begin and end, on every server."""

from typing import Any

import anyio
import pytest

from tests.transport.sessions import RATE, Echo, Session, audio_of
from wsframes import (
    EndFrame,
    Frame,
    FrameProcessor,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    PipelineParams,
    StartFrame,
    StopFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.graph import EndReason
from wsframes.serializers import JsonFrameSerializer, RawAudioSerializer
from wsframes.testing import (
    HYPERCORN_TRIO,
    PROFILES,
    UVICORN_SANSIO,
    UVICORN_WEBSOCKETS,
    FailingSends,
    MemoryPeer,
    ServerProfile,
    settle,
)
from wsframes.transport.lifetime import CLOSE_CODES

every_profile = pytest.mark.parametrize("profile", PROFILES)
CANCELLABLE = [profile for profile in PROFILES if not profile.shields_send]
TELLING = [profile for profile in PROFILES if profile.send_when_gone != "silent"]

BEGIN = ["client_connected", "pipeline_started"]


def audio(seconds: float) -> OutputAudioRawFrame:
    return OutputAudioRawFrame(bytes(2 * round(seconds * RATE)), RATE)


# --- the beginning


@every_profile
@pytest.mark.parametrize("accepted", [True, False])
async def test_a_session_from_beginning_to_end(profile: ServerProfile, accepted: bool) -> None:
    session = Session(Echo(), accepted=accepted)
    async with MemoryPeer(session, profile=profile) as peer:
        await peer.send(bytes(1280))
        await anyio.sleep(1)
        assert audio_of(peer) == bytes(1280)
        await session.task.stop_when_done()
        assert await peer.wait_closed() == (1000, "ended")
    assert session.events == [*BEGIN, "pipeline_finished"]
    assert session.result.reason is EndReason.ENDED
    assert session.result.close_code == 1000
    assert session.result.error is None
    assert peer.statistics().sends_after_close == 0
    assert peer.statistics().receives_after_close == 0


async def test_the_serializer_is_set_up_before_the_connection_is_told() -> None:
    order: list[str] = []

    class Noting(RawAudioSerializer):
        def setup(self, frame: StartFrame) -> None:
            order.append(f"setup {frame.audio_in_sample_rate}")

    session = Session(serializer=Noting(), task_params=PipelineParams(audio_in_sample_rate=8000))
    async with MemoryPeer(session):
        await session.started.wait()
        order += session.events
    assert order[:2] == ["setup 8000", "client_connected"]


async def test_a_peer_that_left_before_it_was_accepted() -> None:
    session = Session()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep(1)
        await session(scope, receive, send)

    async with MemoryPeer(app) as peer:
        peer.reset()
    assert session.result.reason is EndReason.CLIENT_LOST
    assert session.result.close_code == 1006
    assert "client_connected" not in session.events
    assert "client_disconnected" not in session.events
    assert session.events[-1] == "pipeline_finished"
    assert session.errors == []


async def test_even_if_the_session_is_to_live_on_without_its_peer() -> None:
    session = Session(end_on_disconnect=False)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep(1)
        await session(scope, receive, send)

    async with MemoryPeer(app) as peer:
        peer.reset()
    assert session.result.reason is EndReason.CLIENT_LOST


@every_profile
async def test_a_peer_that_leaves_while_the_pipeline_starts(
    profile: ServerProfile, caplog: pytest.LogCaptureFixture
) -> None:
    class Slow(FrameProcessor):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep(5)

    session = Session(Slow())
    async with MemoryPeer(session, profile=profile) as peer:
        await peer.connect()
        await anyio.sleep(1)
        left_s = anyio.current_time()
        peer.close(4001)
        await session.finished()
        assert anyio.current_time() - left_s <= 1.0
    lost = profile.peer_close_code == 1006
    reason = EndReason.CLIENT_LOST if lost else EndReason.CLIENT_DISCONNECTED
    assert session.result.reason is reason
    assert session.events == ["client_connected", "client_disconnected", "pipeline_finished"]
    assert not caplog.records


async def test_a_start_that_never_ends_closes_the_socket() -> None:
    class Stuck(FrameProcessor):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep_forever()

    session = Session(Stuck())
    async with MemoryPeer(session) as peer:
        assert await peer.wait_closed() == (1011, "error")
    assert session.result.reason is EndReason.ERROR
    assert session.events == ["client_connected", "pipeline_finished"]


async def test_a_start_that_never_comes_to_the_transport_closes_the_socket_too() -> None:
    """Whoever accepted it, and although neither of its ends ever held it."""

    class Stuck(FrameProcessor):
        async def start(self, frame: StartFrame) -> None:
            await anyio.sleep_forever()

    for accepted in (True, False):
        session = Session(Stuck(), accepted=accepted, only="output")
        async with MemoryPeer(session) as peer:
            closed = await peer.wait_closed()
        assert closed == ((1011, "error") if accepted else (1006, ""))
        assert peer.denied_status == (None if accepted else 403)
        assert session.result.reason is EndReason.ERROR
        assert session.events == ["pipeline_finished"]


# --- the peer ends it


@every_profile
@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (lambda peer: peer.close(1000), 1000),
        (lambda peer: peer.close(4001, "bye"), 4001),
        (lambda peer: peer.close(None), 1005),
        (lambda peer: peer.reset(), None),
        (lambda peer: peer.half_close(), None),
    ],
    ids=["1000", "4001", "no code", "reset", "half-close"],
)
@pytest.mark.parametrize("draining", [False, True])
async def test_a_peer_that_leaves_ends_the_session(
    profile: ServerProfile, leave: Any, code: int | None, draining: bool
) -> None:
    """P4, P5: at once, while it drains too, and told once."""
    session = Session()
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        if draining:
            await session.task.queue_frames([audio(60), EndFrame()])
        await anyio.sleep(1)
        left_s = anyio.current_time()
        leave(peer)
        await session.finished()
        assert anyio.current_time() - left_s <= 1.0
    expected = profile.lost_code if code is None else profile.peer_close_code or code
    clean = expected not in (1005, 1006)
    reason = EndReason.CLIENT_DISCONNECTED if clean else EndReason.CLIENT_LOST
    assert session.result.reason is reason
    assert session.result.close_code == expected
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]
    assert peer.statistics().receives_after_close == 0


async def test_the_session_may_live_on_without_its_peer() -> None:
    session = Session(end_on_disconnect=False)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.close(4001)
        await anyio.sleep(10)
        assert session.results == []
        assert session.events == [*BEGIN, "client_disconnected"]
        await session.task.queue_frames([audio(1), EndFrame()])
        await session.finished()
    assert session.result.reason is EndReason.ENDED
    assert session.result.close_code == 4001
    assert session.transport.output().statistics()[None].audio_dropped == {"unsent": RATE}
    assert peer.statistics().sends_after_close == 0


@pytest.mark.parametrize("profile", TELLING)
async def test_a_send_that_fails_waits_for_the_reader_to_learn_the_code(
    profile: ServerProfile,
) -> None:
    """The code of the peer's close, and not 1006, though the send is the first to notice."""
    session = Session(JsonEcho(), serializer=JsonFrameSerializer())
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        await peer.send('{"type":"message","message":"hold the reader"}')
        await settle()
        await session.task.queue_frame(TransportMessageUrgentFrame("noticed"))
        peer.close(4001)
        await session.finished()
    assert session.result.reason is EndReason.CLIENT_DISCONNECTED
    assert session.result.close_code == 4001
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]


class JsonEcho(FrameProcessor):
    pass


class Holding(JsonFrameSerializer):
    """Reads nothing more once it has been asked to hold."""

    async def deserialize(self, data: str | bytes) -> Any:  # type: ignore[override]
        await anyio.sleep_forever()


@pytest.mark.parametrize("profile", TELLING)
async def test_and_if_the_reader_does_not_learn_it_the_session_ends_all_the_same(
    profile: ServerProfile,
) -> None:
    session = Session(serializer=Holding())
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        await peer.send("hold the reader")
        await settle()
        peer.close(4001)
        begun_s = anyio.current_time()
        for _ in range(3):
            await session.task.queue_frame(TransportMessageUrgentFrame("noticed"))
        await session.finished()
        assert anyio.current_time() - begun_s <= 1.0
    assert session.result.reason is EndReason.CLIENT_LOST
    assert session.result.close_code == 1006
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]
    assert session.transport.statistics().unsent == {"failed": 1, "failing": 2}


# --- this side ends it


@pytest.mark.parametrize("profile", CANCELLABLE)
async def test_cancelling_closes_with_1001(profile: ServerProfile) -> None:
    session = Session()
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        await session.task.cancel()
        assert await peer.wait_closed() == (1001, "cancelled")
    assert session.result.reason is EndReason.CANCELLED
    assert session.events == [*BEGIN, "pipeline_finished"]


async def test_an_error_closes_with_1011() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        session.tap.push_error("broken", fatal=True)
        assert await peer.wait_closed() == (1011, "error")
    assert session.result.reason is EndReason.ERROR


async def test_a_processor_may_name_the_close_code() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        session.tap.end_run(EndReason.ERROR, close_code=4321)
        assert await peer.wait_closed() == (4321, "error")
    assert session.result.close_code == 4321


@pytest.mark.parametrize("code", [1005, 1006])
async def test_but_not_one_that_cannot_be_sent(code: int) -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        session.tap.end_run(EndReason.OVERLOAD, close_code=code)
        assert await peer.wait_closed() == (CLOSE_CODES[EndReason.OVERLOAD], "overload")


async def test_a_peer_that_leaves_after_the_end_was_decided_is_not_told() -> None:
    """P4: the cause is ours."""

    class SlowToCancel(FrameProcessor):
        async def cancel(self, frame: object) -> None:
            await anyio.sleep(0.3)

    session = Session(SlowToCancel())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.cancel()
        await settle()
        peer.close(4001)
        await session.finished()
    assert session.result.reason is EndReason.CANCELLED
    assert session.events == [*BEGIN, "pipeline_finished"]


# --- closing is bounded and silent


@pytest.mark.parametrize("profile", CANCELLABLE)
@pytest.mark.parametrize("way", ["end", "cancel"])
async def test_a_peer_that_never_answers_the_close_costs_half_a_second(
    profile: ServerProfile, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session()
    async with MemoryPeer(session, profile=profile, answers_close=False):
        await session.started.wait()
        begun_s = anyio.current_time()
        if way == "end":
            await session.task.stop_when_done()
        else:
            await session.task.cancel()
        await session.finished()
        assert anyio.current_time() - begun_s <= (0.5 if way == "end" else 1.0)
    assert not caplog.records


@pytest.mark.parametrize("profile", CANCELLABLE)
async def test_cancelling_is_over_within_a_second_whatever_is_stuck(
    profile: ServerProfile,
) -> None:
    """P2: a write under way, a peer that does not read, a processor and a handler that hang."""

    class Stuck(FrameProcessor):
        async def cancel(self, frame: object) -> None:
            await anyio.sleep_forever()

    session = Session(Stuck())
    async with MemoryPeer(session, profile=profile, answers_close=False) as peer:
        await session.started.wait()

        @session.task.event_handler("on_pipeline_finished")
        async def hang(*_: object) -> None:
            await anyio.sleep_forever()

        peer.stall()
        await session.task.queue_frame(TransportMessageFrame("x" * 200_000))
        await session.task.queue_frame(audio(10))
        await settle()
        begun_s = anyio.current_time()
        await session.task.cancel()
        await session.finished()
        assert anyio.current_time() - begun_s <= 1.0 + 1e-9
    assert session.result.stuck is not None


# --- the peer does not read


WRITES: dict[str, Frame] = {
    "audio": audio(1),
    "message": TransportMessageFrame("x"),
    "urgent": TransportMessageUrgentFrame("x"),
    "dtmf": OutputDTMFFrame("5"),
    "marker": InterruptionFrame(),
    "end": EndFrame(),
}


class WithEnd(JsonFrameSerializer):
    def serialize(self, frame: Frame) -> str | None:
        return "end" if isinstance(frame, EndFrame) else super().serialize(frame)


@pytest.mark.parametrize("profile", CANCELLABLE)
@pytest.mark.parametrize("kind", WRITES)
async def test_every_kind_of_write_has_a_deadline(profile: ServerProfile, kind: str) -> None:
    """P9: five seconds and the size at 64 KiB/s; then the peer is slow, whatever was written."""
    session = Session(serializer=WithEnd())
    async with MemoryPeer(session, profile=profile, exit_timeout_s=60) as peer:
        await session.started.wait()
        peer.stall()
        # The buffer is full to the byte from which on the next write waits.
        full = 65_536 + profile.waits_before_write
        await session.transport.client.send("x" * full)
        begun_s = anyio.current_time()
        await session.task.queue_frame(WRITES[kind].replace())
        await session.finished()
        took_s = anyio.current_time() - begun_s
    assert session.result.reason is EndReason.SLOW_CLIENT
    assert session.result.close_code == 1013
    assert session.result.error == "the peer did not read in time"
    told_s = session.event_times_s[session.events.index("client_disconnected")]
    assert told_s - begun_s == pytest.approx(5.0, abs=0.03)
    assert took_s <= 5.03 + 1.0
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]


async def test_the_deadline_is_exact_whenever_the_write_begins() -> None:
    for begin_s in (0.0, 0.3, 4.99, 5.0, 7.5):
        session = Session()
        async with MemoryPeer(session, exit_timeout_s=60) as peer:
            await session.started.wait()
            await anyio.sleep(begin_s)
            peer.stall()
            begun_s = anyio.current_time()
            size = 32 * 1024 - 2
            for _ in range(4):  # the fourth one waits
                await session.task.queue_frame(TransportMessageFrame("x" * size))
            await session.finished()
            took_s = session.event_times_s[-2] - begun_s
            assert session.events[-2] == "client_disconnected"
        assert took_s == pytest.approx(5.5)


async def test_a_connection_that_was_given_up_before_is_not_given_up_again() -> None:
    session = Session()
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frames([TransportMessageFrame("x" * 40_000)] * 3)
        await settle()
        assert session.transport.client.give_up(4321, "enough")
        await anyio.sleep(100)
        assert session.results == []
        await session.task.cancel()
    assert session.result.reason is EndReason.CANCELLED
    assert session.transport.client.close_code == 4321


async def test_a_pause_that_is_shorter_loses_nothing() -> None:
    session = Session(audio_out_lead_ms=30_000)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frame(audio(10))
        await anyio.sleep(4.9)
        peer.resume()
        await anyio.sleep(20)
        assert len(audio_of(peer)) == 20 * RATE
        assert session.results == []


async def test_a_mebibyte_over_a_megabit_a_second_is_delivered() -> None:
    """P9: it takes 8.4 s, and may take 21."""
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.read_rate(125_000)
        message = "x" * (1 << 20)
        await session.task.queue_frames([TransportMessageFrame(message)] * 2)
        for _ in range(2):
            assert len(await peer.receive()) == len(message) + 2
        assert anyio.current_time() == pytest.approx(16.8, abs=0.1)
        assert session.results == []


async def test_the_timeout_can_be_set() -> None:
    session = Session(write_timeout=0.5)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.stall()
        begun_s = anyio.current_time()
        await session.task.queue_frames([TransportMessageFrame("x" * 40_000)] * 3)
        await session.finished()
        assert anyio.current_time() - begun_s <= 0.5 + 40_000 / 65536 + 0.51
    assert session.result.reason is EndReason.SLOW_CLIENT


async def test_a_slow_peer_that_reads_again_in_time_sees_1013() -> None:
    """Where the close frame can be queued behind what was written."""
    session = Session()
    async with MemoryPeer(session, profile=UVICORN_WEBSOCKETS) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frames([TransportMessageFrame("x" * 40_000)] * 2)
        await session.finished()
        peer.resume()
        assert await peer.wait_closed() == (1013, "slow_client")


@pytest.mark.parametrize("profile", [profile for profile in PROFILES if profile.shields_send])
async def test_where_a_blocked_send_cannot_be_cancelled_the_end_is_told_in_time(
    profile: ServerProfile,
) -> None:
    """And `run` returns as soon as the server lets it."""
    session = Session()
    async with MemoryPeer(session, profile=profile) as peer:
        await session.started.wait()
        peer.stall()
        begun_s = anyio.current_time()
        await session.task.queue_frame(TransportMessageFrame("x" * 65_537))
        await anyio.sleep(100)
        assert session.events == [*BEGIN, "client_disconnected"]
        assert session.event_times_s[-1] - begun_s == pytest.approx(6, abs=0.01)
        assert session.results == []
        let_go_s = anyio.current_time()
        peer.reset()
        await session.finished()
        assert anyio.current_time() - let_go_s <= 1.0
    assert session.result.reason is EndReason.SLOW_CLIENT
    assert session.result.close_code == 1013
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]


async def test_an_end_waits_for_a_write_as_long_as_the_write_may_take() -> None:
    """It does not stall while a large message goes out; nor does a slow peer count as a stall."""
    session = Session()
    async with MemoryPeer(session, profile=UVICORN_WEBSOCKETS, exit_timeout_s=60) as peer:
        await session.started.wait()
        peer.read_rate(100_000)
        for _ in range(2):
            await session.task.queue_frame(TransportMessageFrame("x" * (1 << 20)))
        await session.task.stop_when_done()
        assert (await peer.wait_closed()).code == 1000
    assert session.result.reason is EndReason.ENDED


async def test_an_end_that_is_stuck_elsewhere_still_stalls() -> None:
    class Stuck(FrameProcessor):
        async def stop(self, frame: EndFrame) -> None:
            await anyio.sleep_forever()

    stuck = Stuck(name="stuck")
    session = Session(below=(stuck,))
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        begun_s = anyio.current_time()
        await session.task.queue_frames([audio(2), EndFrame()])
        assert (await peer.wait_closed()).code == 1011
        assert anyio.current_time() - begun_s == pytest.approx(2 + 5, abs=0.6)
    assert session.result.reason is EndReason.STALLED
    assert session.result.stuck == "stuck"


# --- the session's time


async def test_a_session_has_its_time() -> None:
    session = Session(session_timeout=3600)
    async with MemoryPeer(session) as peer:
        assert await peer.wait_closed() == (1000, "session_timeout")
        assert anyio.current_time() == pytest.approx(3600)
    assert session.result.reason is EndReason.SESSION_TIMEOUT
    assert session.result.close_code == 1000
    assert session.events == [*BEGIN, "session_timeout", "pipeline_finished"]


async def test_the_handler_may_be_all_that_is_wanted() -> None:
    session = Session(session_timeout=10, end_on_session_timeout=False)
    async with MemoryPeer(session):
        await anyio.sleep(100)
        assert session.results == []
    assert session.events.count("session_timeout") == 1
    assert session.result.reason is EndReason.CLIENT_DISCONNECTED


# --- stopped and resumed


async def test_a_resumed_session_goes_on_with_the_same_socket() -> None:
    session = Session(Echo(), runs=2, pause_s=30.0, session_timeout=100)
    async with MemoryPeer(session) as peer:
        await peer.send(b"a" * 1280)
        await anyio.sleep(10)
        await session.task.stop()
        await anyio.sleep(1)
        assert [result.reason for result in session.results] == [EndReason.STOPPED]
        await peer.send(b"b" * 1280)  # while nobody reads
        await anyio.sleep(49)
        assert audio_of(peer) == b"a" * 1280 + b"b" * 1280
        assert await peer.wait_closed() == (1000, "session_timeout")
        assert anyio.current_time() == pytest.approx(100)  # from the first start
    assert session.events == [
        *BEGIN,
        "pipeline_finished",
        "pipeline_started",
        "session_timeout",
        "pipeline_finished",
    ]
    assert peer.statistics().sends_after_close == 0


async def test_one_whose_time_ran_out_while_it_was_stopped_ends_when_it_is_resumed() -> None:
    session = Session(runs=2, pause_s=30.0, session_timeout=10)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.stop()
        assert (await peer.wait_closed()).reason == "session_timeout"
        assert anyio.current_time() == pytest.approx(30)
    assert session.events.count("session_timeout") == 1


async def test_its_end_is_told_once_however_often_it_is_resumed() -> None:
    session = Session(runs=3, pause_s=30.0, session_timeout=10, end_on_session_timeout=False)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        for _ in range(2):
            await anyio.sleep(20)
            await session.task.stop()
            await anyio.sleep(30)
        await session.task.stop_when_done()
        await peer.wait_closed()
    assert session.events.count("session_timeout") == 1
    assert len(session.results) == 3


async def test_a_peer_that_left_while_it_was_stopped_is_told_when_it_is_resumed() -> None:
    session = Session(runs=2, pause_s=30.0)
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        await session.started.wait()
        await session.task.stop()
        await anyio.sleep(1)
        peer.close(4001)
        await session.finished()
    assert session.results[1].reason is EndReason.CLIENT_DISCONNECTED
    assert session.results[1].close_code == 4001
    assert session.events.count("client_disconnected") == 1


async def test_and_one_that_left_in_the_moment_of_stopping() -> None:
    """The reader saw it when the stop was decided already."""
    session = Session(runs=2, pause_s=30.0)
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        await session.started.wait()
        session.task._run.context.finish(EndReason.STOPPED)  # type: ignore[union-attr]
        peer.close(4001)
        await session.finished()
    assert [result.reason for result in session.results] in (
        [EndReason.STOPPED, EndReason.CLIENT_DISCONNECTED],
    )
    assert session.events.count("client_disconnected") == 1


async def test_one_whose_last_words_failed_is_not_told_as_ended() -> None:
    session = Session()
    app = FailingSends(session, 2)
    async with MemoryPeer(app):
        await session.started.wait()
        await session.task.queue_frame(TransportMessageFrame("the last words"))
        await session.task.stop_when_done()
        begun_s = anyio.current_time()
        await session.finished()
        assert anyio.current_time() - begun_s <= 1.0
    assert session.result.reason is EndReason.CLIENT_LOST
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]


async def test_a_send_that_failed_just_before_the_run_stopped_is_found_when_it_is_resumed() -> None:
    session = Session(only="input", runs=2, pause_s=1)
    app = FailingSends(session, 2, "raises once")
    async with MemoryPeer(app) as peer:
        await peer.connect()
        await settle()
        await session.transport.output().send_message(TransportMessageUrgentFrame("lost"))
        await session.task.queue_frame(StopFrame())
        await session.finished()
    assert [result.reason for result in session.results] == [
        EndReason.STOPPED,
        EndReason.CLIENT_LOST,
    ]
    assert anyio.current_time() == 1.5


async def test_one_that_is_not_resumed_is_closed_by_aclose() -> None:
    session = Session()
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frame(StopFrame())
        assert await peer.wait_closed() == (1000, "stopped")
    assert session.result.reason is EndReason.STOPPED
    assert "client_disconnected" not in session.events


# --- events


async def test_a_handler_that_hangs_holds_nothing_up_for_good() -> None:
    session = Session()
    async with MemoryPeer(session, exit_timeout_s=60) as peer:
        await session.started.wait()

        @session.transport.event_handler("on_client_disconnected")
        async def hang(*_: object) -> None:
            await anyio.sleep_forever()

        begun_s = anyio.current_time()
        peer.close()
        await session.finished()
        assert anyio.current_time() - begun_s <= 5.5
    assert session.events == [*BEGIN, "client_disconnected", "pipeline_finished"]


async def test_an_event_of_a_transport_that_never_ran_goes_nowhere() -> None:
    session = Session()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        session._build((scope, receive, send))
        await session.transport.client.trigger_client_timeout()
        session.transport.lifetime.watch_end()
        assert session.transport.client.when_failed is not None
        session.transport.client.when_failed()
        assert session.transport.client.when_gone is not None
        session.transport.client.when_gone()
        await session.transport.input().cleanup()

    async with MemoryPeer(app, profile=UVICORN_SANSIO) as peer:
        await peer.wait_closed()
        assert peer.denied_status == 403
    assert session.events == []


async def test_where_a_close_cannot_be_cancelled_either() -> None:
    """Hypercorn on trio waits for room in the buffer to close, too."""
    session = Session()
    async with MemoryPeer(session, profile=HYPERCORN_TRIO) as peer:
        await session.started.wait()
        peer.stall()
        await session.task.queue_frame(TransportMessageFrame("x" * 65_537))
        await settle()
        await session.task.cancel()
        await anyio.sleep(30)
        assert session.results == []
        peer.resume()
        await session.finished()
    assert session.result.reason is EndReason.CANCELLED


async def test_input_audio_may_come_while_it_ends() -> None:
    session = Session(Echo())
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        await session.task.queue_frames([audio(1), EndFrame()])
        for _ in range(10):
            await peer.send(bytes(640))
            await anyio.sleep(0.02)
        assert (await peer.wait_closed()).code == 1000
    assert session.result.reason is EndReason.ENDED


async def test_more_interruptions_than_can_be_told_one_by_one() -> None:
    """They are not counted; but afterwards the peer has been told of the last one."""
    session = Session(audio_out_lead_ms=0)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.stall()
        await session.transport.client.send("x" * 65_537)
        for _ in range(2000):
            session.tap.push_frame_nowait(InterruptionFrame())
        session.tap.push_frame_nowait(audio(0.04))
        await settle()
        peer.resume()
        await anyio.sleep(1)
        assert len(audio_of(peer)) == 1280


# --- a peer that says nothing


@pytest.mark.parametrize("silent_s", [0.0, 25.0])
async def test_a_peer_that_sends_nothing_for_too_long(silent_s: float) -> None:
    """P20: it is told why, and no ping of the server is needed to find it out."""
    session = Session(receive_timeout=8)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        while anyio.current_time() < silent_s:
            await peer.send(bytes(64))
            await anyio.sleep(6.9)
        last_s = anyio.current_time() - 6.9 if silent_s else 0.0
        assert await peer.wait_closed() == (1000, "idle_timeout")
        await session.finished()
    assert session.result.reason is EndReason.IDLE_TIMEOUT
    assert session.result.error == "the peer has sent nothing for 8.0 s"
    assert 8 <= session.event_times_s[-1] - last_s <= 9.0 + 1e-9
    assert "client_disconnected" not in session.events


async def test_a_peer_that_vanished_is_found_out() -> None:
    session = Session(receive_timeout=60)
    async with MemoryPeer(session, exit_timeout_s=100) as peer:
        await session.started.wait()
        peer.vanish()
        await session.finished()
    assert session.result.reason is EndReason.IDLE_TIMEOUT


async def test_after_a_send_that_failed_the_reader_may_know_first() -> None:
    """Then the grace that it was given changes nothing any more."""
    session = Session(end_on_disconnect=False)
    async with MemoryPeer(session) as peer:
        await session.started.wait()
        peer.reset()
        assert not await session.transport.client.send("x")
        await anyio.sleep(2)
        assert session.results == []
        assert session.events.count("client_disconnected") == 1
        await session.task.cancel()
        await session.finished()
    assert session.transport.client.statistics().unsent == {"failed": 1}
