import io

from rich.console import Console

from tests.demo.story import as_heard, as_served, two_phrases
from wsframes.demo.measure import measure
from wsframes.demo.report import report


def table(width: int = 80) -> str:
    clip = two_phrases()
    heard = as_heard(clip)
    served = as_served(heard)
    console = Console(file=io.StringIO(), width=width)
    console.print(report(clip, heard, served, measure(clip, heard, served)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_has_the_figures() -> None:
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in table().splitlines()]
    figures = {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}

    assert figures["frames in"] == ("160", "156 audio, 4 messages")
    assert figures["frames out"] == ("37", "34 audio, 3 messages")
    assert figures["dropped"][0] == "0"
    assert figures["round trip"][0] == "p50 0.7 ms  p99 7.0 ms"
    assert figures["answer after"] == ("p50 301 ms  max 301 ms", "the gate listens 300 ms of it")
    assert figures["audio late"] == ("p50 1.2 ms  p99 1.2 ms", "its schedule is 200 ms ahead")
    assert figures["gaps heard"][0] == "0"
    assert figures["client late"][0] == "p50 0.0 ms  p99 0.0 ms"
    assert figures["session"][0] == "ended, close code 1000"
    assert figures["answer"] == ("21,120 samples", "equal to the phrases, every bit")
    assert figures["speech heard"] == ("2 times", "by Silero, on its way in")
    assert figures["interrupted"] == ("0", "0.00 s of the answer were not sent")
    assert figures["background"] == ("3.1 s", "mixed in, and taken out here")


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    assert table(80).rstrip() == table(200).rstrip()
