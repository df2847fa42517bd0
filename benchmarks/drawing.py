"""What all charts share: colours, captions, and lines that are labelled where they end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FAINT", "Series", "bare_axes", "chart", "colour", "draw_lines"]

INK = "#1a202c"
FAINT = "#718096"
GRID = "#e2e8f0"

_COLOURS = {"bare": "#718096", "pipecat": "#c05621", "lanes": "#6b46c1", "five": "#2f855a"}
_OURS = "#2b6cb0"

# Inches of a label: a letter of it, and a line.
_LETTER, _LINE = 0.085, 0.19


class Series(NamedTuple):
    """A line of a chart.

    Attributes:
        label: what it is.
        points: x and y.
        dashed: not the main one of its colour.
    """

    label: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


def colour(label: str) -> str:
    """The same thing has the same colour in every chart."""
    found = [value for part, value in _COLOURS.items() if part in label.lower()]
    return found[0] if found else _OURS


@contextmanager
def chart(
    path: Path,
    title: str,
    subtitle: str,
    caption: str,
    *,
    panels: int = 1,
    size: tuple[float, float] = (9.0, 5.4),
    sides: tuple[float, float] = (0.85, 1.75),
) -> Iterator[tuple["Figure", Sequence["Axes"]]]:
    """A figure with that many axes side by side, written as PNG at the end of the block.

    Args:
        path: of the file.
        title: what it shows.
        subtitle: of what, under which load.
        caption: what it was measured on, at the foot.
        panels: how many axes.
        size: inches.
        sides: inches left and right of the axes.
    """
    # Here, since it takes longer to load than all else together.
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "font.family": "DejaVu Sans",  # it comes with matplotlib
        "font.size": 10.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
    }
    with rc_context(settings):
        width, height = size
        figure = Figure(figsize=size, dpi=130, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        figure.subplots_adjust(
            left=sides[0] / width,
            right=1 - sides[1] / width,
            top=1 - 0.95 / height,
            bottom=1.05 / height,
            wspace=0.62,
        )
        left = 0.25 / width
        figure.text(left, 1 - 0.38 / height, title, fontsize=15, weight="bold")
        figure.text(left, 1 - 0.66 / height, subtitle, color=FAINT)
        figure.text(left, 0.12 / height, caption, color=FAINT, fontsize=8, linespacing=1.4)
        yield figure, list(axes)
        figure.savefig(path, format="png")


def bare_axes(axes: "Axes") -> None:
    """No frame, a faint grid behind."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0, colors=FAINT, which="both")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def draw_lines(axes: "Axes", series: Sequence[Series], notes: Mapping[str, str]) -> None:
    """Lines with a mark at each measurement, and what each is beside its end.

    Args:
        axes: with its scales and limits set afterwards untouched: the labels are placed by them.
        series: the lines.
        notes: said under the label of a line.
    """
    bare_axes(axes)
    for label, points, dashed in series:
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=colour(label),
            linestyle=(0, (3, 2)) if dashed else "-",
            linewidth=1.6,
            marker="o",
            markersize=3.5,
        )
    placed: list[tuple[float, float, float]] = []
    width, height = _inches(axes)
    for each in sorted(series, key=lambda each: -each.points[-1][1]):
        x, y = axes.transAxes.inverted().transform(axes.transData.transform(each.points[-1]))
        note = notes.get(each.label, "")
        lines = [*each.label.split("\n"), *([note] if note else [])]
        left, right = x + 0.02, x + 0.02 + max(map(len, lines)) * _LETTER / width
        half = len(lines) * _LINE / height / 2
        # Under those that it would cover, from the top down.
        under = [low for low, begin, end in placed if begin < right and left < end]
        at = min([y, 1.0 - half, *(low - half for low in under)])
        placed.append((at - half, left, right))
        axes.annotate(
            "\n".join(lines),
            xy=(left, at),
            xycoords="axes fraction",
            va="center",
            fontsize=9.5,
            color=colour(each.label),
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
            annotation_clip=False,
        )


def _inches(axes: "Axes") -> tuple[float, float]:
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    width, height = figure.get_size_inches()
    return box.width * width, box.height * height
