"""The session as a picture: what was said, what was heard, and how late each piece of it came."""

from pathlib import Path
from typing import TYPE_CHECKING

from wsframes.audio import peak
from wsframes.demo.clip import SAMPLE_RATE, Clip
from wsframes.demo.measure import Figures, percentile
from wsframes.demo.notes import Heard, Served

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_SAID = "#2b6cb0"
_HEARD = "#c05621"
_LATE = "#6b46c1"
_SPEECH = "#2f855a"
_INK = "#1a202c"
_FAINT = "#718096"
_GRID = "#e2e8f0"

_COLUMN_SAMPLES = 80  # a waveform is drawn as the extremes of so many samples at a time: 5 ms
_HEADROOM = 1.6  # over the loudest sample, for words
_FEWEST_MS = 4.0  # of the scale of lateness, so that a perfect session does not look like noise


def draw(
    path: Path, server: str, clip: Clip, heard: Heard, served: Served, figures: Figures
) -> None:
    """Write the picture, as PNG.

    Args:
        path: of the file.
        server: what served, for the title.
        clip: what was said.
        heard: what came back.
        served: when the server heard speech.
        figures: of the session.

    Raises:
        OSError: the file cannot be written.
    """
    # Here, since it takes longer to load than all else together.
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(
        {
            "font.family": "DejaVu Sans",  # it comes with matplotlib
            "font.size": 10.5,
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "axes.edgecolor": _GRID,
        }
    ):
        figure = Figure(figsize=(13, 7.6), dpi=140, facecolor="white")
        FigureCanvasAgg(figure)
        said, answer, late = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [3, 3, 2.4], "hspace": 0.12}
        )
        figure.subplots_adjust(left=0.07, right=0.965, top=0.86, bottom=0.085)
        figure.text(0.07, 0.945, "A conversation with an echo", fontsize=18, weight="bold")
        figure.text(
            0.07,
            0.905,
            f"wsframes, {server}: a pipeline answers each phrase with itself, and stops when "
            "it is interrupted",
            color=_FAINT,
        )
        _draw_said(said, clip, served, figures)
        _draw_heard(answer, clip, heard, figures)
        _draw_late(late, figures)
        figure.align_ylabels()
        late.set_xlabel("seconds since the client began")
        late.set_xlim(0, max(clip.duration_s, figures.answers[-1].ends_s) + 0.15)
        figure.savefig(path, format="png")


def _draw_said(axes: "Axes", clip: Clip, served: Served, figures: Figures) -> None:
    _waveform(axes, "said", _SAID, clip)
    _envelope(axes, clip.audio, 0.0, _SAID)
    for answer in figures.answers:
        middle_s = (answer.said_s + answer.until_s) / 2
        _caption(axes, middle_s, f"“{answer.words}”", _SAID)
    for from_s, until_s in served.speech:
        axes.axvspan(from_s, until_s, 0.02, 0.06, color=_SPEECH, linewidth=0)
    axes.text(
        served.speech[0][1] + 0.08,
        0.04,
        "speech, as the server hears it (Silero)",
        transform=axes.get_xaxis_transform(),
        va="center",
        color=_SPEECH,
        fontsize=9,
    )


def _draw_heard(axes: "Axes", clip: Clip, heard: Heard, figures: Figures) -> None:
    _waveform(axes, "heard", _HEARD, clip)
    for audio, starts_s in _runs(heard, figures):
        _envelope(axes, audio, starts_s, _HEARD)
    for answer in figures.answers:
        axes.axvspan(answer.until_s, answer.begins_s, color=_HEARD, alpha=0.12, linewidth=0)
        middle_s = (answer.begins_s + answer.ends_s) / 2
        _caption(axes, middle_s, f"{answer.after_ms:.0f} ms later", _HEARD)
        if answer.interrupted:
            axes.axvline(answer.ends_s, 0, 0.8, color=_SPEECH, linewidth=1.2)
            axes.text(
                answer.ends_s,
                0.06,
                " interrupted",
                transform=axes.get_xaxis_transform(),
                va="bottom",
                color=_SPEECH,
            )


def _draw_late(axes: "Axes", figures: Figures) -> None:
    late_ms = [piece.late_ms for piece in figures.pieces]
    p99_ms = percentile(late_ms, 99)
    top_ms = _HEADROOM * max(_FEWEST_MS, *late_ms)
    _bare(axes)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.axhline(0, color=_FAINT, linewidth=0.8)
    axes.axhline(p99_ms, color=_LATE, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(
        [piece.at_s for piece in figures.pieces],
        late_ms,
        linestyle="none",
        marker="o",
        markersize=4.5,
        markerfacecolor=_LATE,
        markeredgecolor="white",
        markeredgewidth=0.5,
    )
    axes.set_ylim(min(0.0, *late_ms) - 0.06 * top_ms, top_ms)
    axes.set_ylabel("late, ms", color=_LATE, weight="bold")
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick < top_ms])
    axes.text(
        0.006,
        0.93,
        f"each piece of the answer, when it came: 99 % at most {p99_ms:.1f} ms after its time",
        transform=axes.transAxes,
        va="top",
        color=_LATE,
    )
    axes.text(1.005, p99_ms, "p99", transform=axes.get_yaxis_transform(), va="center", color=_LATE)


def _waveform(axes: "Axes", label: str, colour: str, clip: Clip) -> None:
    loudest = peak(clip.audio)
    _bare(axes)
    axes.set_ylabel(label, color=colour, weight="bold")
    axes.set_ylim(-1.1 * loudest, _HEADROOM * loudest)
    axes.set_yticks([])
    axes.axhline(0, color=colour, linewidth=0.8, alpha=0.5)


def _caption(axes: "Axes", middle_s: float, words: str, colour: str) -> None:
    """Words over a waveform."""
    axes.text(
        middle_s,
        0.93,
        words,
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="top",
        color=colour,
    )


def _bare(axes: "Axes") -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=_FAINT)
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _envelope(axes: "Axes", audio: bytes, starts_s: float, colour: str) -> None:
    import numpy as np

    samples = np.frombuffer(audio, "<i2") / 32768
    samples = np.pad(samples, (0, -len(samples) % _COLUMN_SAMPLES))
    columns = samples.reshape(-1, _COLUMN_SAMPLES)
    at_s = starts_s + (np.arange(len(columns)) + 0.5) * _COLUMN_SAMPLES / SAMPLE_RATE
    low, high = columns.min(axis=1), columns.max(axis=1)
    axes.fill_between(at_s, low, high, color=colour, linewidth=0.4)


def _runs(heard: Heard, figures: Figures) -> list[tuple[bytes, float]]:
    """The answer as it was heard: what was played without a gap, and from when."""
    runs: list[tuple[bytearray, float]] = []
    for arrival, piece in zip(heard.arrivals, figures.pieces, strict=True):
        if not runs or piece.heard_s > runs[-1][1] + len(runs[-1][0]) / 2 / SAMPLE_RATE + 1e-6:
            runs.append((bytearray(), piece.heard_s))
        runs[-1][0].extend(arrival.audio[: 2 * piece.samples])
    return [(bytes(audio), starts_s) for audio, starts_s in runs]
