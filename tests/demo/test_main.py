"""The command line: what it takes, what it refuses and how, and the demo once as a whole."""

import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import pytest

import wsframes.__main__ as command_line
from wsframes.demo.session import DemoError

main = command_line.main


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    help_text = capsys.readouterr().out
    assert help_text.startswith("usage: python -m wsframes")
    assert "demo" in help_text
    assert len(help_text.splitlines()) < 15


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["dmeo"], "argument COMMAND: invalid choice: 'dmeo' (choose from"),
        (["--fast"], "'--fast' is no command; the only one is 'demo'"),
        (["demo", "--fast"], "'--fast' is none of --backend, --out and --phrases"),
        (["demo", "--back", "trio"], "'--back' is none of --backend, --out and --phrases"),
        (["demo", "now"], "'now' is none of --backend, --out and --phrases"),
        (["demo", "--backend", "curio"], "'curio' is no backend; asyncio or trio is"),
        (["demo", "--backend"], "argument --backend: expected one argument"),
        (["demo", "--phrases", "4"], "'4' is not a number from 1 to 3"),
        (["demo", "--phrases", "0"], "'0' is not a number from 1 to 3"),
        (["demo", "--phrases", "a\nb"], "is not a number from 1 to 3"),
        (["demo", "--out", "pyproject.toml/x"], "--out pyproject.toml/x: Not a directory; name a"),
        (["demo", "--out", "pyproject.toml"], "--out pyproject.toml: File exists; name a"),
    ],
)
def test_bad_input_is_one_line_and_2(
    args: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("wsframes: ")
    assert complaint in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("backend", "package"),
    [
        ("asyncio", "matplotlib"),
        ("asyncio", "rich"),
        ("trio", "websockets"),
        ("asyncio", "uvicorn"),
        ("trio", "hypercorn"),
        ("trio", "trio"),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(
    backend: str,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["demo", "--backend", backend, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert f"wsframes: {package} is not installed" in err
    assert 'pip install "wsframes[demo]"' in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def ends_with(error: BaseException) -> Any:
    def run(backend: str, out: Path, phrases: int) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "complaint"),
    [
        (DemoError("the server dropped\nframes"), 1, "wsframes: the server dropped frames\n"),
        (KeyboardInterrupt(), 130, "wsframes: interrupted\n"),
    ],
)
def test_what_goes_wrong_is_one_line_too(
    error: BaseException,
    code: int,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command_line, "run", ends_with(error))
    assert main(["demo"]) == code
    assert capsys.readouterr().err == complaint


def test_all_is_said_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(command_line, "run", lambda *args: calls.append(args))

    assert main(["demo"]) == 0
    assert main(["demo", "--backend", "trio", "--out", "x/y", "--phrases", "2"]) == 0
    assert calls == [("asyncio", Path("demo-output"), 3), ("trio", Path("x/y"), 2)]


@pytest.mark.socket
@pytest.mark.parametrize(
    ("backend", "server"), [("asyncio", "uvicorn on asyncio"), ("trio", "hypercorn on trio")]
)
def test_the_demo(backend: str, server: str, tmp_path: Path) -> None:
    begun_s = time.monotonic()
    out = tmp_path / "new" / "out"
    run = subprocess.run(
        [sys.executable, "-m", "wsframes", "demo", "--backend", backend, "--phrases", "1"]
        + ["--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(server)
    assert "equal to the phrases" in run.stdout
    with wave.open(str(out / "answer.wav")) as wav:
        assert wav.getnframes() > 16000
    assert (out / "session.png").stat().st_size > 20_000
    assert time.monotonic() - begun_s < 30
