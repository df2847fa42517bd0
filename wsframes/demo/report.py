"""The figures of a session as a table."""

from rich.box import ROUNDED
from rich.table import Table

from wsframes.demo.clip import SAMPLE_RATE, Clip
from wsframes.demo.gate import GateSettings
from wsframes.demo.measure import Figures, percentile
from wsframes.demo.notes import Heard, Served

__all__ = ["report"]


def report(clip: Clip, heard: Heard, served: Served, figures: Figures) -> Table:
    """The table, for a terminal of 80 columns or more."""
    trips = figures.round_trips_ms
    late = [piece.late_ms for piece in figures.pieces]
    own = figures.send_late_ms
    after = [answer.after_ms for answer in figures.answers]
    samples = sum(len(arrival.audio) for arrival in heard.arrivals) // 2
    background_s = len(heard.audio) / 2 / SAMPLE_RATE
    audio_in = len(clip.messages())
    audio_out = served.sent - len(trips) - len(heard.cleared)
    table = Table(box=ROUNDED, show_header=False, border_style="dim")
    table.add_column()
    table.add_column(style="bold")
    table.add_column(style="dim")
    for row in (
        ("frames in", f"{served.received:,}", _kinds(audio_in, served.received)),
        (
            "frames out",
            f"{served.sent:,}",
            _kinds(audio_out, served.sent),
        ),
        ("dropped", f"{sum(served.dropped.values())}", "anywhere in the server"),
        (
            "round trip",
            f"p50 {_ms(trips, 50)}  p99 {_ms(trips, 99)}",
            "a message through the pipeline",
        ),
        (
            "answer after",
            f"p50 {_ms(after, 50, 0)}  max {_ms(after, 100, 0)}",
            f"the gate listens {GateSettings().hang_ms} ms of it",
        ),
        (
            "audio late",
            f"p50 {_ms(late, 50)}  p99 {_ms(late, 99)}",
            f"its schedule is {served.lead_ms} ms ahead",
        ),
        ("gaps heard", f"{figures.gaps}", "by a player that never waits"),
        (
            "client late",
            f"p50 {_ms(own, 50)}  p99 {_ms(own, 99)}",
            "its own sends, for comparison",
        ),
        ("session", f"{served.reason}, close code {served.close_code}", "as the client saw it"),
        ("speech heard", f"{len(served.speech)} times", "by Silero, on its way in"),
        (
            "interrupted",
            f"{sum(answer.interrupted for answer in figures.answers)}",
            f"{served.interrupted / SAMPLE_RATE:.2f} s of the answer were not sent",
        ),
        ("answer", f"{samples:,} samples", "equal to the phrases, every bit"),
        ("background", f"{background_s:.1f} s", "mixed in, and taken out here"),
    ):
        table.add_row(*row)
    return table


def _kinds(audio: int, messages: int) -> str:
    return f"{audio:,} audio, {messages - audio:,} messages"


def _ms(values: list[float], percent: float, digits: int = 1) -> str:
    return f"{percentile(values, percent):.{digits}f} ms"
