"""Raw frames: through wsframes each fares as on the bare server, on all of them."""

from collections import Counter
from collections.abc import Callable

import anyio
import pytest

from tests.guarantees.real_servers import Fleet
from tests.servers.apps import MAX_MESSAGE_BYTES
from tests.servers.matrix import Server
from tests.servers.process import ServerProcess
from tests.servers.raw import BINARY, CLOSE, CONTINUE, PING, PONG, TEXT, close, frame, raw

pytestmark = [
    pytest.mark.socket,
    pytest.mark.parametrize("anyio_backend", [pytest.param(("asyncio", {}), id="client")]),
]

Figure = Callable[[str, str], None]

CASES: dict[str, list[bytes]] = {
    "three fragments": [
        frame(BINARY, b"ab", fin=False),
        frame(CONTINUE, b"cd", fin=False),
        frame(CONTINUE, b"ef"),
    ],
    "a ping between fragments": [
        frame(TEXT, b'"a', fin=False),
        frame(PING, b"x"),
        frame(CONTINUE, b'b"'),
    ],
    "a character over two fragments": [frame(TEXT, b'"\xc3', fin=False), frame(CONTINUE, b'\xa4"')],
    "empty fragments": [
        frame(BINARY, b"", fin=False),
        frame(CONTINUE, b"", fin=False),
        frame(CONTINUE, b""),
    ],
    "an empty binary message": [frame(BINARY)],
    "an empty text": [frame(TEXT)],
    "nothing but a pong": [frame(PONG, b"nobody asked")],
    "the longest ping": [frame(PING, bytes(125))],
    "a ping that is too long": [frame(PING, bytes(126))],
    "a ping in fragments": [frame(PING, b"x", fin=False)],
    "invalid UTF-8": [frame(TEXT, b'"\xff"')],
    "half a character": [frame(TEXT, b'"\xc3')],
    "a surrogate": [frame(TEXT, b'"\xed\xa0\x80"')],
    "invalid UTF-8 in a fragment": [frame(TEXT, b'"\xff', fin=False), frame(CONTINUE, b'"')],
    "an unknown opcode": [frame(3, b"x")],
    "an unknown control opcode": [frame(0xB, b"x")],
    "a reserved bit": [frame(BINARY, b"ab", rsv=1)],
    "a frame without a mask": [frame(BINARY, b"ab", masked=False)],
    "a continuation of nothing": [frame(CONTINUE, b"x")],
    "a text within fragments": [frame(BINARY, b"a", fin=False), frame(TEXT, b'"x"')],
    "a close with half a code": [frame(CLOSE, b"\x03")],
    "a close with an invalid reason": [close(1000, b"\xff")],
    "a close that is too long": [frame(CLOSE, b"\x03\xe8" + bytes(124))],
}

# RFC 6455, section 7.4, and the registry: what a client may send, and what it may not.
CODES = (None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
WRONG_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)


async def fare(
    process: ServerProcess, way: str, session: str, frames: list[bytes], grace_s: float = 2.0
) -> str:
    """What becomes of the connection, for its peer and for the application."""
    session = f"{session}-{way}"
    async with raw(process.port, f"/{way}?session={session}") as client:
        await client.send(*frames)
        fate = await client.fate(grace_s)
        # Where it is over already, neither does anything.
        await client.send(close(1000))
        await client.fate(0)
    report = await process.report(session)
    return f"{fate}, told {report.close_code}"


async def compare(
    servers: Fleet, title: str, cases: dict[str, list[bytes]], figure: Figure
) -> None:
    fates: Counter[str] = Counter()

    async def ask(facts: Server, process: ServerProcess) -> None:
        results: dict[str, dict[str, str]] = {"plain": {}, "app": {}}

        async def try_one(way: str, name: str, frames: list[bytes]) -> None:
            session = f"{title}-{list(cases).index(name)}"
            results[way][name] = await fare(process, way, session, frames)

        async with anyio.create_task_group() as tasks:
            for name, frames in cases.items():
                for way in results:
                    tasks.start_soon(try_one, way, name, frames)
        assert results["app"] == results["plain"], facts.__name__
        fates.update(result.partition(",")[0].split()[0] for result in results["app"].values())

    await servers.each(ask)
    counts = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
    figure("P15", f"{title} on {len(servers.processes)} servers as without wsframes: {counts}")


async def test_right_and_wrong_frames(servers: Fleet, figure: Figure) -> None:
    """Fragments, pings, empty messages, and each way to break the protocol."""
    await compare(servers, "frames", CASES, figure)


async def test_every_close_code(servers: Fleet, figure: Figure) -> None:
    """Those that a client may send, and those that it may not."""
    codes = {str(code): [close(code, b"bye" if code else b"")] for code in CODES + WRONG_CODES}
    await compare(servers, "close-codes", codes, figure)


async def test_sizes_about_the_limit(servers: Fleet, figure: Figure) -> None:
    """Just under, at and over: in one frame, and in two of which each is under it."""
    half = MAX_MESSAGE_BYTES // 2

    async def ask(facts: Server, process: ServerProcess) -> None:
        for extra, fate in ((-2, "alive"), (0, "alive"), (1, "closed 1009")):
            whole = [frame(BINARY, bytes(MAX_MESSAGE_BYTES + extra))]
            parts = [frame(BINARY, bytes(half), fin=False), frame(CONTINUE, bytes(half + extra))]
            text = [frame(TEXT, b'"' + b"x" * (MAX_MESSAGE_BYTES + extra - 2) + b'"')]
            for kind, frames in {"whole": whole, "parts": parts, "text": text}.items():
                session = f"size-{extra}-{kind}"
                grace_s = 0.2 if fate == "alive" else 5
                told = await fare(process, "app", session, frames, grace_s)
                assert told.startswith(fate), session

    await servers.each(ask)
    figure("P16", f"a message of {MAX_MESSAGE_BYTES} bytes read, a byte more 1009, on real servers")


async def test_a_session_goes_on_after_what_is_allowed(servers: Fleet) -> None:
    """It answers as before, in the middle of everything."""

    async def ask(facts: Server, process: ServerProcess) -> None:
        async with raw(process.port, "/app?session=goes-on") as client:
            for frames in list(CASES.values())[:_KEEPING]:
                await client.send(*frames, frame(TEXT, b'"again"'))
                received = [await client.receive()]
                while received[-1] != (TEXT, b'"again"'):
                    received.append(await client.receive())
            await client.send(close(1000))

    await servers.each(ask)


_KEEPING = 8  # of the cases are allowed
