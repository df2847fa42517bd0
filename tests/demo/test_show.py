"""What becomes of a session, without one."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.demo.story import as_heard, as_served
from wsframes.demo import show as showing
from wsframes.demo.clip import recorded_clip
from wsframes.demo.notes import Heard, Progress, Ready, Served
from wsframes.demo.session import DemoError

CLIP = recorded_clip(1)
HEARD = as_heard(CLIP)
SERVED = as_served(HEARD, CLIP)


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[Heard, Served], None]:
    """Makes a session go as it is told."""

    def as_told(heard: Heard, served: Served) -> None:
        async def hold_session(
            backend: str, phrases: int, *, on_ready: Any, on_progress: Any
        ) -> tuple[Heard, Served]:
            on_ready(Ready(port=4242))
            on_progress(Progress(at_s=1.0, said=1, answered=0, level_in=0.0, level_out=0.0))
            return heard, served

        monkeypatch.setattr(showing, "hold_session", hold_session)

    return as_told


def test_it_tells_where_it_serves_and_leaves_sound_and_picture(
    hold: Callable[[Heard, Served], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(HEARD, SERVED)
    showing.show("a server", "trio", tmp_path, 1)

    said = capsys.readouterr().out
    assert said.startswith("a server, ws://127.0.0.1:4242\n  1.0 s  phrase 1 of 1 said\n")
    assert "equal to the phrases" in said
    assert f" {tmp_path / 'answer.wav'}\n {tmp_path / 'session.png'}\n" in said
    with wave.open(str(tmp_path / "answer.wav")) as wav:
        assert wav.getparams()[:3] == (1, 2, 16000)
        assert wav.readframes(wav.getnframes()) == HEARD.audio
    assert (tmp_path / "session.png").read_bytes().startswith(b"\x89PNG")


def test_an_answer_that_differs_is_an_error_and_can_be_listened_to(
    hold: Callable[[Heard, Served], None], tmp_path: Path
) -> None:
    hold(msgspec.structs.replace(HEARD, arrivals=HEARD.arrivals[1:]), SERVED)
    with pytest.raises(DemoError, match="the answer has"):
        showing.show("a server", "trio", tmp_path, 1)

    assert [path.name for path in tmp_path.iterdir()] == ["answer.wav"]


@pytest.mark.parametrize("name", ["answer.wav", "session.png"])
def test_a_file_that_cannot_be_written_is_named(
    hold: Callable[[Heard, Served], None], tmp_path: Path, name: str
) -> None:
    hold(HEARD, SERVED)
    (tmp_path / name).mkdir()
    with pytest.raises(DemoError, match=f"{name} cannot be written: Is a directory"):
        showing.show("a server", "trio", tmp_path, 1)
