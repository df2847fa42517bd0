"""The ported bot says on real servers what `docs/porting.md` says it does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.process import ServerProcess

pytestmark = pytest.mark.socket

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
BOT = "examples.ported_bot:app"


@pytest.mark.parametrize(
    "command",
    [
        ["uvicorn", "--host", "127.0.0.1", "--port", "0", BOT],
        ["hypercorn", "--worker-class", "trio", "--bind", "127.0.0.1:0", BOT],
    ],
    ids=["uvicorn", "hypercorn-trio"],
)
def test_the_ported_bot_says_what_the_page_says(command: list[str], tmp_path: Path) -> None:
    (expected,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    server = ServerProcess([sys.executable, "-m", *command], tmp_path)
    try:
        talk = subprocess.run(
            [sys.executable, "docs/porting/talk.py", f"ws://127.0.0.1:{server.port}/ws"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=40,
        )
    finally:
        server.stop()
    assert talk.stdout == expected
    assert "Traceback" not in server.log()
