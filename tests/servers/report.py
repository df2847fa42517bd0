"""What the server's process tells the tests: a line of JSON for each connection."""

from pathlib import Path

import msgspec

__all__ = ["REPORTS", "Report", "read_reports", "write_report"]

REPORTS = "WSFRAMES_TEST_REPORTS"
"""The environment variable that names the file."""


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One connection, written when the application has returned.

    Attributes:
        session: what the client called it.
        reason: of the `RunResult`; None if there was no run.
        close_code: of the `RunResult`.
        stuck: of the `RunResult`.
        raised: what the application raised, if it did.
        events: of transport and task, in order.
        received: messages.
        sent: messages.
        lost: what was dropped or not sent, by reason, anywhere in the transport.
        over_at_s: `time.monotonic()`, which all processes of a machine share.
    """

    session: str
    reason: str | None = None
    close_code: int | None = None
    stuck: str | None = None
    raised: str | None = None
    events: list[str] = []
    received: int = 0
    sent: int = 0
    lost: dict[str, int] = {}
    over_at_s: float = 0.0


def write_report(path: Path, report: Report) -> None:
    """Append it, in one write, so that no other is written into it."""
    with path.open("ab", buffering=0) as file:
        file.write(msgspec.json.encode(report) + b"\n")


def read_reports(path: Path) -> dict[str, Report]:
    """The reports so far, by session."""
    # A line may be seen before its last page is there: what is after the last end is for later.
    *lines, _ = path.read_bytes().split(b"\n")
    reports = [msgspec.json.decode(line, type=Report) for line in lines]
    return {report.session: report for report in reports}
