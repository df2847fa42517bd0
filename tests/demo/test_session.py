"""The processes of the demo, and what is said when one of them does not do its part."""

import time

import anyio
import pytest

from wsframes.demo.notes import Ready, read_ready
from wsframes.demo.session import DemoError, child, hold_session

pytestmark = pytest.mark.socket

READY = 'print(\'{"type":"Ready","port":7}\', flush=True)\n'


async def note_of(code: str) -> Ready:
    async with child("server", "-c", code) as process:
        return await process.note(read_ready)


async def test_a_note_is_read() -> None:
    assert await note_of(READY) == Ready(port=7)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("raise SystemExit(3)", "the server ended with code 3: without a word"),
        ("raise OSError('no\\nroom')", "the server ended with code 1: room"),
        ("print('hello')", r"the server wrote b'hello', which is no note"),
        ("print('{}')", r"the server wrote b'{}', which is no note"),
    ],
)
async def test_no_note_is_an_error_that_says_why(code: str, problem: str) -> None:
    with pytest.raises(DemoError, match=problem):
        await note_of(code)


async def test_a_process_that_stays_is_ended() -> None:
    begun_s = time.monotonic()
    async with child(
        "server", "-c", READY + "input = __import__('time').sleep(60)", exit_s=0.1
    ) as process:
        await process.note(read_ready)
    assert time.monotonic() - begun_s < 10


async def test_a_process_that_will_not_end_is_killed() -> None:
    begun_s = time.monotonic()
    stubborn = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    async with child("server", "-c", stubborn + READY + "time.sleep(60)", exit_s=0.1) as process:
        await process.note(read_ready)
    assert time.monotonic() - begun_s < 10


async def test_a_process_is_ended_with_the_task_that_needs_it() -> None:
    begun_s = time.monotonic()
    with anyio.move_on_after(0.3) as scope:
        await note_of("__import__('time').sleep(60)")
    assert scope.cancelled_caught
    assert time.monotonic() - begun_s < 10


async def test_a_session_that_takes_too_long_is_given_up() -> None:
    def on_note(note: object) -> None:
        raise AssertionError(f"{note} came in no time")

    with pytest.raises(DemoError, match=r"was not over after 0.01 s"):
        await hold_session("asyncio", 1, on_ready=on_note, on_progress=on_note, limit_s=0.01)
