import io
import math

import pytest
from rich.console import Console

from wsframes.demo.notes import Progress
from wsframes.demo.screen import Meter, screen

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


class Terminal(io.StringIO):
    """Notes each write as well."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


def terminal(width: int = 80) -> Console:
    environment = {"TERM": "xterm-256color"}
    return Console(file=Terminal(), force_terminal=True, width=width, _environ=environment)


def writes(console: Console) -> list[str]:
    assert isinstance(console.file, Terminal)
    return console.file.writes


def progress(at_s: float, said: int = 0, answered: int = 0, level: float = 0.0) -> Progress:
    return Progress(at_s=at_s, said=said, answered=answered, level_in=level, level_out=0.0)


def test_a_terminal_is_drawn_over_in_one_write_without_erasing() -> None:
    console = terminal()
    with screen(console, 3, 10.0) as show:
        show(progress(1.0))
        before = len(writes(console))
        show(progress(5.0, said=2, answered=1, level=0.5))

    drawn = writes(console)[before]
    assert drawn.startswith("\x1b[3A\r") or drawn.startswith("\x1b[3A")
    assert drawn.count("\n") == 3
    assert "\x1b[2K" not in drawn
    assert "\x1b[J" not in drawn
    assert " 5.0 of 10.0 s" in drawn
    assert "2 of 3" in drawn
    assert "1 of 3" in drawn
    lengths = {Console(width=200).render_str(line).cell_len for line in _plain(drawn)}
    assert len(lengths) == 1  # a shorter line would leave letters of the one before


def _plain(drawn: str) -> list[str]:
    from rich.text import Text

    return [Text.from_ansi(line).plain for line in drawn.splitlines()]


def test_the_end_is_drawn_in_full_and_silent_and_the_cursor_comes_back() -> None:
    console = terminal()
    with screen(console, 3, 10.0) as show:
        show(progress(9.0, said=3, answered=3, level=1.0))

    assert HIDE_CURSOR in writes(console)[0]
    assert "10.0 of 10.0 s" in writes(console)[-2]
    assert SHOW_CURSOR in writes(console)[-1]


def test_the_cursor_comes_back_when_something_fails() -> None:
    console = terminal()
    context = screen(console, 3, 10.0)
    context.__enter__()(progress(9.0))
    context.__exit__(OSError, OSError("lost"), None)

    assert SHOW_CURSOR in writes(console)[-1]
    assert "10.0 of 10.0" not in "".join(writes(console))


def test_nothing_is_drawn_of_a_session_that_did_not_begin() -> None:
    console = terminal()
    with screen(console, 3, 10.0):
        pass
    assert "of 3" not in "".join(writes(console))


@pytest.mark.parametrize(
    "console",
    [
        Console(file=Terminal(), width=80),
        Console(file=Terminal(), force_terminal=True, _environ={"TERM": "dumb"}),
        terminal(width=40),
    ],
    ids=["no terminal", "dumb terminal", "narrow terminal"],
)
def test_elsewhere_there_is_a_line_for_what_is_new(console: Console) -> None:
    with screen(console, 3, 10.0) as show:
        show(progress(0.5))
        show(progress(1.0, said=1))
        show(progress(1.5, said=1))
        show(progress(12.25, said=3, answered=1))

    assert "".join(writes(console)).splitlines() == [
        "  1.0 s  phrase 1 of 3 said",
        " 12.2 s  phrase 2 of 3 said",
        " 12.2 s  phrase 3 of 3 said",
        " 12.2 s  phrase 1 of 3 is being answered",
    ]


def test_a_meter_jumps_up_and_falls_slowly() -> None:
    meter = Meter()
    levels = []
    for level in (0.0, 1.0, 0.1, 0.9, 0.0, 1e-9):
        meter.feed(level)
        levels.append(meter.level_db)

    loud = 20 * math.log10(0.9)
    assert levels == pytest.approx([-60, 0, -3, loud, loud - 3, loud - 6])
    for _ in range(30):
        meter.feed(0.0)
    assert meter.level_db == -60
