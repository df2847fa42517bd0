"""What the terminal shows while the session runs."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.control import Control
from rich.progress_bar import ProgressBar
from rich.table import Table

from wsframes.demo.notes import Progress

__all__ = ["Dashboard", "Meter", "PlainLines", "screen"]

_BAR_WIDTH = 40
_MIN_WIDTH = 64


@contextmanager
def screen(console: Console, phrases: int, total_s: float) -> Iterator[Callable[[Progress], None]]:
    """Show a session: gives the function that is told how far it is.

    On a terminal, a bar and two meters that move. Elsewhere, and where they do not fit, a line for
    each thing that happens.

    Args:
        console: where.
        phrases: how many will be said.
        total_s: how long it will take, about.
    """
    fits = console.is_terminal and not console.is_dumb_terminal and console.width >= _MIN_WIDTH
    if not fits:
        yield PlainLines(console, phrases).show
        return
    console.show_cursor(False)
    try:
        dashboard = Dashboard(console, phrases, total_s)
        yield dashboard.show
        dashboard.finish()
    finally:
        console.show_cursor(True)


class Meter:
    """Level in decibels below full scale; it jumps up, and falls slowly enough for the eye."""

    FLOOR_DB = -60.0
    FALL_DB = 3.0

    def __init__(self) -> None:
        self.level_db = self.FLOOR_DB

    def feed(self, level: float) -> None:
        """Take the RMS since the last look, where full scale is 1."""
        now_db = 20 * math.log10(level) if level > 0 else self.FLOOR_DB
        self.level_db = max(now_db, self.level_db - self.FALL_DB, self.FLOOR_DB)


class Dashboard:
    """A bar and two meters.

    Each picture is drawn over the one before, in one write and without erasing anything, so that
    nothing flickers. Nothing else may be printed between two of them.
    """

    def __init__(self, console: Console, phrases: int, total_s: float) -> None:
        self._console = console
        self._phrases = phrases
        self._total_s = total_s
        self._meters = {"said": Meter(), "heard": Meter()}
        self._last: Progress | None = None

    def show(self, progress: Progress) -> None:
        """Draw how far it is."""
        self._meters["said"].feed(progress.level_in)
        self._meters["heard"].feed(progress.level_out)
        self._draw(progress, progress.at_s)

    def finish(self) -> None:
        """Draw a session that is over."""
        self._meters = {"said": Meter(), "heard": Meter()}
        if self._last is not None:
            self._draw(self._last, self._total_s)

    def _draw(self, progress: Progress, at_s: float) -> None:
        grid = self._grid(progress, at_s)
        with self._console as console:  # one write
            if self._last is not None:
                console.control(Control.move(0, -grid.row_count))
            console.print(grid)
        self._last = progress

    def _grid(self, progress: Progress, at_s: float) -> Table:
        at_s = min(at_s, self._total_s)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=5, no_wrap=True)
        grid.add_column(width=_BAR_WIDTH)
        grid.add_column(width=14, no_wrap=True)  # of one width, so that no letter stays behind
        bar = ProgressBar(total=self._total_s, completed=at_s, width=_BAR_WIDTH)
        grid.add_row("time", bar, f"{at_s:4.1f} of {self._total_s:.1f} s")
        for name, count, style in (
            ("said", progress.said, "blue"),
            ("heard", progress.answered, "dark_orange"),
        ):
            meter = _bar(self._meters[name], style)
            grid.add_row(name, meter, f"{count:4} of {self._phrases}")
        return grid


def _bar(meter: Meter, style: str) -> RenderableType:
    return ProgressBar(
        total=-Meter.FLOOR_DB,
        completed=meter.level_db - Meter.FLOOR_DB,
        width=_BAR_WIDTH,
        complete_style=style,
        finished_style=style,
    )


class PlainLines:
    """A line when a phrase has been said, and when its answer has begun."""

    def __init__(self, console: Console, phrases: int) -> None:
        self._console = console
        self._phrases = phrases
        self._said = 0
        self._answered = 0

    def show(self, progress: Progress) -> None:
        """Print what is new."""
        for number in range(self._said + 1, progress.said + 1):
            self._print(progress.at_s, f"phrase {number} of {self._phrases} said")
        for number in range(self._answered + 1, progress.answered + 1):
            self._print(progress.at_s, f"phrase {number} of {self._phrases} is being answered")
        self._said, self._answered = progress.said, progress.answered

    def _print(self, at_s: float, what: str) -> None:
        self._console.print(f"{at_s:5.1f} s  {what}", highlight=False)
