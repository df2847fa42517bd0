"""The README's program does what the README says."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from wsframes.testing import MemoryPeer

README = Path(__file__).parent.parent / "README.md"


def _program() -> str:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


async def test_the_echo_answers_and_says_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(_program(), str(README), "exec"), names)
    speech = bytes(range(256)) * 50
    async with MemoryPeer(names["app"], path="/ws") as peer:
        message = {"type": "audio", "audio": speech, "sample_rate": 16000}
        await peer.send(msgspec.msgpack.encode(message))
        heard = b""
        while len(heard) < len(speech):
            data = await peer.receive()
            assert isinstance(data, bytes)
            heard += msgspec.msgpack.decode(data)["audio"]
        peer.close(1000)
    assert heard == speech
    assert capsys.readouterr().out == "client_disconnected 1000\n"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_commands_that_it_names_exist(target: str) -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    assert f"make {target} " in README.read_text(encoding="utf-8")
    assert f"\n{target}: " in makefile


def test_the_pages_that_it_links_exist() -> None:
    for page in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / page).is_file(), page
