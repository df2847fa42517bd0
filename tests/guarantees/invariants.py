"""What holds of every session when it is over, however it went: P4 and P6."""

from tests.transport.sessions import Session
from wsframes.graph import EndReason

__all__ = ["LOCAL", "REMOTE", "check_counts", "check_events"]

# Who ends a session for which reason.
REMOTE = {EndReason.CLIENT_DISCONNECTED, EndReason.CLIENT_LOST, EndReason.SLOW_CLIENT}
LOCAL = {
    EndReason.ENDED,
    EndReason.STOPPED,
    EndReason.CANCELLED,
    EndReason.BAD_INPUT,
    EndReason.SESSION_TIMEOUT,
    EndReason.STALLED,
    EndReason.ERROR,
}


def check_events(session: Session, *, end_is_told: bool = True) -> None:
    """P4: each once, in order, and the peer's leaving only where it was the peer's doing.

    Args:
        session: what is over.
        end_is_told: False where the server did not let a send be cancelled, which may use up the
            time in which the end is told.
    """
    events = session.events
    ends = events.count("pipeline_finished")
    assert ends == len(session.told)
    if end_is_told:
        assert ends == max(1, len(session.results))
        assert events[-1] == "pipeline_finished"
    assert events.count("client_connected") <= 1
    assert events.count("client_disconnected") <= events.count("client_connected")
    assert events.count("session_timeout") <= 1
    first = [event for event in events if event not in ("pipeline_started", "pipeline_finished")]
    assert first[:1] in ([], ["client_connected"])
    results = session.results or session.told
    for result in results[:-1]:
        assert result.reason is EndReason.STOPPED
    for result in results[-1:]:
        assert result.reason in REMOTE | LOCAL
        told = "client_disconnected" in events
        assert told or result.reason not in REMOTE or "client_connected" not in events
        assert not told or result.reason in REMOTE or not session.params.end_on_disconnect


def check_counts(session: Session) -> None:
    """P6: what was taken is somewhere, at the end of everything."""
    media = session.transport.output().statistics()
    assert media.keys() <= {None}
    for one in media.values():
        assert one.audio_queued == one.frames_queued == 0
        assert one.audio_taken == one.audio_sent + sum(one.audio_dropped.values())
        assert one.frames_taken == one.frames_sent + sum(one.frames_dropped.values())
    client = session.transport.statistics()
    read = session.transport.input().statistics()
    assert client.received == read.taken
    assert read.taken == read.delivered + read.ignored + sum(read.dropped.values())
    unsent = session.transport.output().dropped["unsent"]
    for one in media.values():
        unsent += one.audio_dropped.get("unsent", 0) + one.frames_dropped.get("unsent", 0)
    assert bool(unsent) <= bool(sum(client.unsent.values()))
    for name, lane in session.task.statistics().items():
        lost = sum(lane.dropped.values()) + sum(lane.refused.values())
        assert lane.taken == lane.delivered + lost + lane.queued, name
        assert lane.queued == 0 or session.told[-1].reason is EndReason.STOPPED, name
