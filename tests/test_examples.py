"""The examples do what they say, and are what the documentation shows."""

import importlib
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from examples import bare_asgi, bot, echo_asgi, ported_bot
from wsframes import InputAudioRawFrame, OutputAudioRawFrame
from wsframes.serializers import FrameSerializer, JsonFrameSerializer, MsgpackFrameSerializer
from wsframes.testing import (
    PROCESSOR_RULES,
    PROFILES,
    SERIALIZER_RULES,
    MemoryPeer,
    ServerProfile,
    check_processor,
)

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PORTING = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80


async def echoed(peer: MemoryPeer, client: FrameSerializer) -> None:
    audio = bytes(range(256)) * 5  # 40 ms of 16 kHz: one chunk of the output
    for _ in range(10):
        message = client.serialize(OutputAudioRawFrame(audio, 16000))
        assert isinstance(message, str | bytes)
        await peer.send(message)
        frame = client.deserialize(await peer.receive())
        assert isinstance(frame, InputAudioRawFrame)
        assert (frame.audio, frame.sample_rate, frame.num_channels) == (audio, 16000, 1)


@pytest.mark.parametrize("profile", PROFILES)
async def test_echo_asgi_echoes_on_any_server(
    profile: ServerProfile, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with MemoryPeer(echo_asgi.app, "/ws", profile=profile) as peer:
            await echoed(peer, MsgpackFrameSerializer(client=True))
    assert not peer.app.cancelled
    assert "session over: client_" in caplog.text


@pytest.mark.parametrize("profile", PROFILES)
async def test_bare_asgi_echoes_on_any_server(profile: ServerProfile) -> None:
    async with MemoryPeer(bare_asgi.app, profile=profile) as peer:
        await echoed(peer, JsonFrameSerializer(client=True))
    assert not peer.app.cancelled
    assert bare_asgi.app.statistics().running == 0


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_bot_ends_by_itself_when_the_connection_breaks(profile: ServerProfile) -> None:
    async with MemoryPeer(bot.app, profile=profile) as peer:
        await peer.connect()
        peer.reset()
    assert not peer.app.cancelled
    assert bot.app.statistics().running == 0


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_ported_bot_answers_on_any_server(profile: ServerProfile) -> None:
    """Audio with audio, words with words, and bye with the end."""
    audio = bytes(range(256)) * 50
    async with MemoryPeer(ported_bot.app, "/ws", profile=profile) as peer:
        assert await peer.receive() == '{"say": "hello"}'
        for at in range(0, len(audio), 640):
            await peer.send(audio[at : at + 640])
        await peer.send('{"say": "how are you"}')
        await peer.send('{"say": "bye"}')
        assert (await peer.wait_closed()).code == 1000
    messages = [message.data for message in peer.received]
    assert b"".join(data for data in messages if isinstance(data, bytes)) == audio
    texts = [data for data in messages if isinstance(data, str)]
    assert texts == ['{"say": "hello"}', '{"heard": "how are you"}', '{"heard": "bye"}']
    assert not peer.app.cancelled


@pytest.mark.parametrize("path", ["docs/porting/pipecat_bot.py", "examples/ported_bot.py"])
def test_the_page_of_porting_shows_both_bots_as_they_are(path: str) -> None:
    _, docstring, code = (ROOT / path).read_text(encoding="utf-8").split('"""', 2)
    assert docstring
    assert f"```python\n{code.lstrip()}```" in PORTING


def test_the_page_of_porting_names_what_there_is() -> None:
    """What stands in the third column of its tables can be imported from where it says."""
    rows = re.findall(r"^\| .* \| `(wsframes[.\w]*)` \|", PORTING, re.MULTILINE)
    assert len(rows) > 10
    for name in rows:
        module, _, member = name.rpartition(".")
        assert hasattr(importlib.import_module(module), member), name


async def test_the_processors_of_the_examples_keep_the_rules() -> None:
    audio = InputAudioRawFrame(b"12", 16000)
    await check_processor(echo_asgi.Echo, frames=[audio])
    await check_processor(bare_asgi.echo, frames=[audio])


def test_the_tests_of_the_bot_pass_by_themselves_and_an_hour_takes_moments(
    tmp_path: Path,
) -> None:
    # Without the configuration of this project, as in a project of a user's own; and without the
    # tracing of its coverage, which takes more time than the test.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = tmp_path / "report.xml"
    options = ["-c", str(tmp_path / "pytest.ini"), "--rootdir", str(tmp_path), "-W", "error"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", "examples/test_bot.py"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr

    cases = {case.get("name"): case for case in ElementTree.parse(report).iter("testcase")}
    assert len(cases) == 6
    for backend in ("asyncio", "trio"):
        hour = cases[f"test_an_hour_with_a_stall_and_an_interruption[{backend}]"]
        # A fifth of a second on an idle machine; what a busy one takes is no fault.
        assert float(hour.get("time", "inf")) < 20


def test_the_guide_shows_the_tests_of_the_bot_as_they_are() -> None:
    assert (ROOT / "examples" / "test_bot.py").read_text(encoding="utf-8") in GUIDE


@pytest.mark.parametrize("rules", [PROCESSOR_RULES, SERIALIZER_RULES])
def test_the_guide_lists_every_rule_that_is_checked(rules: dict[str, str]) -> None:
    for rule, meaning in rules.items():
        assert f"| `{rule}` | {meaning} |" in GUIDE
