import msgspec
import pytest

from tests.demo.story import as_heard, as_served, two_phrases
from wsframes.demo.notes import Progress, Ready, read_client, read_ready, read_served, tell


def test_notes_are_one_line_each_and_come_back_as_they_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard = as_heard(two_phrases())
    progress = Progress(at_s=1.5, said=1, answered=0, level_in=0.1, level_out=0.0)
    for note in (Ready(port=1234), as_served(heard), progress, heard):
        tell(note)
    lines = capsys.readouterr().out.encode().splitlines()

    assert read_ready(lines[0]) == Ready(port=1234)
    assert read_served(lines[1]) == as_served(heard)
    assert [read_client(line) for line in lines[2:]] == [progress, heard]


def test_another_note_than_the_expected_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_ready(b'{"type":"Served"}')
