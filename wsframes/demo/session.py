"""Starts the server and the client, each in a process of its own, and brings back their notes."""

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO, TypeVar

import anyio
import msgspec
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from wsframes.demo.notes import (
    Heard,
    Progress,
    Ready,
    Served,
    read_client,
    read_ready,
    read_served,
)
from wsframes.exceptions import WsframesError

__all__ = ["Child", "DemoError", "child", "hold_session"]

N = TypeVar("N")

# The whole demo is to be over in 40 s, and at its end a picture is drawn.
_LIMIT_S = 35.0
_EXIT_S = 3.0
_MAX_NOTE_BYTES = 1 << 23


class DemoError(WsframesError):
    """The demo did not go as it should; the text says in one line what was wrong."""


async def hold_session(
    backend: str,
    phrases: int,
    *,
    on_ready: Callable[[Ready], None],
    on_progress: Callable[[Progress], None],
    limit_s: float = _LIMIT_S,
) -> tuple[Heard, Served]:
    """One session, from the start of both processes to their end.

    Args:
        backend: of the server.
        phrases: how many the client says.
        on_ready: told when the server can be called.
        on_progress: told 20 times a second how far the client is.
        limit_s: what all of it may take.

    Raises:
        DemoError: one of the processes failed, or it took too long.

    Cancelling: both processes are ended.
    """
    with anyio.move_on_after(limit_s):
        async with child("server", "-m", "wsframes.demo.server", backend) as server:
            ready = await server.note(read_ready)
            on_ready(ready)
            call = ("-m", "wsframes.demo.client", str(ready.port), str(phrases))
            async with child("client", *call) as client:
                while isinstance(note := await client.note(read_client), Progress):
                    on_progress(note)
            return note, await server.note(read_served)
    raise DemoError(f"the session was not over after {limit_s:g} s")


class Child:
    """A Python process that writes notes."""

    def __init__(self, name: str, process: Process, stderr: IO[bytes]) -> None:
        assert process.stdout is not None
        self._name = name
        self._process = process
        self._stdout = BufferedByteReceiveStream(process.stdout)
        self._stderr = stderr

    async def note(self, read: Callable[[bytes], N]) -> N:
        """The next one.

        Raises:
            DemoError: there is none, since the process has ended, or it is not what was expected.
        """
        try:
            line = await self._stdout.receive_until(b"\n", _MAX_NOTE_BYTES)
        except anyio.IncompleteRead:
            code = await self._process.wait()
            raise DemoError(
                f"the {self._name} ended with code {code}: {self._last_words()}"
            ) from None
        try:
            return read(line)
        except msgspec.MsgspecError:
            raise DemoError(f"the {self._name} wrote {line[:100]!r}, which is no note") from None

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "without a word")


@asynccontextmanager
async def child(name: str, *args: str, exit_s: float = _EXIT_S) -> AsyncIterator[Child]:
    """A Python process with these arguments, for as long as the context.

    If nothing went wrong it is given `exit_s` to end by itself. Then it is ended, and, after
    `exit_s` again, killed.
    """
    with tempfile.TemporaryFile() as stderr:
        # A start that is cancelled half-way would leave a process that nobody knows of.
        with anyio.CancelScope(shield=True):
            process = await anyio.open_process(
                [sys.executable, *args],
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                # Ctrl-C is for the demo alone, which then ends its children.
                start_new_session=True,
            )
        try:
            yield Child(name, process, stderr)
            with anyio.move_on_after(exit_s):
                await process.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await _end(process, exit_s)


async def _end(process: Process, exit_s: float) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(exit_s) as scope:
            await process.wait()
        if scope.cancelled_caught:
            process.kill()
    await process.aclose()
