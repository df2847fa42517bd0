"""P28: for as long as it runs, memory does not grow and the schedule does not drift."""

import json
import math
import statistics
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import anyio
import pytest

from benchmarks.processes import python_json, running_python
from tests.guarantees.scale import scaled
from tests.transport.sessions import RATE, Session
from wsframes import EndFrame, OutputAudioRawFrame
from wsframes.testing import MemoryPeer

SECONDS = scaled(3.0, 1800.0)
WARM_UP_S = scaled(0.5, 300.0)
# What malloc keeps in pieces grows with the first ten thousand connections, on hypercorn above all,
# and then no more. So many come in the first minutes here, and not in the first hours.
HECTIC_S = WARM_UP_S - scaled(0.1, 30.0)
SESSIONS = scaled(5, 15)

HOURS = scaled(1.0, 24.0)
UTTERANCE_S = 2.0
PERIOD_S = 60.0


def slope_per_hour(samples: list[tuple[float, int]]) -> float:
    """Of a straight line through the samples, in units an hour."""
    fit = statistics.linear_regression([at_s for at_s, _ in samples], [size for _, size in samples])
    return fit.slope * 3600


# hypercorn under trio leaves its connections in cycles until a collection, and its memory creeps up
# with a bare application as well: that one is here to be compared with, and has nothing to hold.
BYTES_PER_HOUR = {"crowd": scaled(math.inf, 1_000_000.0), "bare_crowd": math.inf}
RUNS = [("uvicorn", "crowd"), ("hypercorn-trio", "crowd"), ("hypercorn-trio", "bare_crowd")]


@pytest.mark.socket
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize(("server", "application"), scaled(RUNS[:1], RUNS))
def test_p28_memory_does_not_grow_while_sessions_come_and_go(
    server: str, application: str, figure: Callable[[str, str], None]
) -> None:
    serve = ["-m", "benchmarks.serve", server, f"benchmarks.apps:{application}", "--freeze"]
    with running_python(serve) as (pid, at):
        crowd = ["-m", "benchmarks.crowd", str(at["port"]), str(pid), "--churn"]
        options = [
            "--sessions",
            str(SESSIONS),
            "--seconds",
            str(SECONDS),
            "--hectic",
            str(HECTIC_S),
        ]
        report: Any = python_json([*crowd, *options, "--sample", "0.5"], timeout_s=SECONDS + 100)
        with urlopen(f"http://127.0.0.1:{at['port']}/probe?sessions") as answer:
            kept = json.load(answer)["sessions"]
    assert report["admitted"] >= SESSIONS
    assert not report["refused"]
    assert set(report["left"]) <= {"end", "close", "reset"}
    assert kept == 0  # and nobody has collected garbage for that
    samples = [(at_s, size) for at_s, size in report["rss_bytes"] if at_s >= WARM_UP_S]
    slope = slope_per_hour(samples)
    figure(
        "P28",
        f"{SECONDS / 60:.2g} min of {application} on {server}, {report['admitted']} sessions, "
        f"{report['sent']} messages: RSS {slope / 1e6:+.2f} MB/h after {WARM_UP_S:g} s, "
        f"{samples[-1][1] / 1e6:.1f} MB at the end, {kept} of the sessions left in memory",
    )
    assert slope <= BYTES_PER_HOUR[application]


async def test_p28_nothing_drifts_in_a_day(figure: Callable[[str, str], None]) -> None:
    """Two seconds of speech a minute. The lead is none, so that each chunk comes at its time."""
    session = Session(audio_out_lead_ms=0, audio_out_10ms_chunks=2)
    chunks = round(UTTERANCE_S / 0.02)
    minutes = round(HOURS * 3600 / PERIOD_S)
    worst_s = 0.0
    async with MemoryPeer(session, keep_received=chunks, exit_timeout_s=10) as peer:
        await session.started.wait()
        for minute in range(minutes):
            begin_s = minute * PERIOD_S + 1.0
            await anyio.sleep_until(begin_s)
            audio = OutputAudioRawFrame(bytes(2 * round(UTTERANCE_S * RATE)), RATE)
            await session.task.queue_frame(audio)
            await anyio.sleep(UTTERANCE_S + 1)
            late_s = [
                abs(message.time_s - (begin_s + number * 0.02))
                for number, message in enumerate(peer.received)
            ]
            assert len(late_s) == chunks
            worst_s = max(worst_s, *late_s)
        await session.task.queue_frame(EndFrame())
        await session.finished()
        media = session.transport.output().statistics()[None]
        assert media.audio_sent == media.audio_taken == minutes * round(UTTERANCE_S * RATE)
    figure("P28", f"{HOURS:g} h of virtual time: a chunk was {worst_s * 1e6:.3f} us off at worst")
    assert worst_s < 1e-6
