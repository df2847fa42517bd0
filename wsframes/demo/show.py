"""The demo itself, once everything it needs is there."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from rich.console import Console

from wsframes.audio import wav_bytes
from wsframes.demo.clip import SAMPLE_RATE, recorded_clip
from wsframes.demo.measure import find_problem, measure
from wsframes.demo.notes import Ready
from wsframes.demo.picture import draw
from wsframes.demo.report import report
from wsframes.demo.screen import screen
from wsframes.demo.session import DemoError, hold_session

__all__ = ["show"]


def show(server: str, backend: str, out: Path, phrases: int) -> None:
    """Hold the session, show it, check it, and write what is left of it.

    Args:
        server: what serves, in words.
        backend: of the server.
        out: the directory for `answer.wav` and `session.png`; it exists.
        phrases: how many are said.

    Raises:
        DemoError: something was not as it should be. What came back is in `answer.wav` even so.
    """
    console = Console(highlight=False)
    clip = recorded_clip(phrases)
    total_s = clip.duration_s + clip.answers()[-1].samples / SAMPLE_RATE

    def on_ready(ready: Ready) -> None:
        console.print(f"{server}, ws://127.0.0.1:{ready.port}", soft_wrap=True)

    with screen(console, phrases, total_s) as on_progress:
        hold = functools.partial(hold_session, on_ready=on_ready, on_progress=on_progress)
        heard, served = anyio.run(hold, backend, phrases)
    sound = out / "answer.wav"
    with _writing(sound):
        sound.write_bytes(wav_bytes(heard.audio, SAMPLE_RATE, 1))
    problem = find_problem(clip, heard, served)
    if problem is not None:
        raise DemoError(problem)
    figures = measure(clip, heard, served)
    picture = out / "session.png"
    with _writing(picture):
        draw(picture, server, clip, heard, served, figures)
    console.print(report(clip, heard, served, figures))
    console.print(f" {sound}\n {picture}", soft_wrap=True, markup=False)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise DemoError(f"{path} cannot be written: {exc.strerror}") from exc
