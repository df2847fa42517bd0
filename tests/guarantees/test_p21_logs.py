"""P21: at most a log line a second for each session and reason, and little of the peer's in it."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.hostile_named import NAMED
from tests.transport.sessions import Session
from tests.transport.test_app import app_of
from wsframes import Frame, FrameDirection, FrameProcessor, InputTransportMessageFrame
from wsframes.serializers import JsonFrameSerializer
from wsframes.testing import MemoryPeer, PeerDenied

Figure = Callable[[str, str], None]

SECRET = "s3cr3t-t0ken"
LOUD = "\x1b[31m\n\u202e" + "peer" * 100_000


class Log(logging.Handler):
    """Keeps the lines with the second in which each came."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert record.exc_info is None
        self.lines.append((int(anyio.current_time()), record.getMessage()))


@pytest.fixture
def log() -> Any:
    handler = Log()
    logger = logging.getLogger("wsframes")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


class Repeats(FrameProcessor):
    """Fails with all that the peer has said, as careless applications do."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputTransportMessageFrame):
            try:
                raise KeyError(frame.message)
            except KeyError as error:
                raise ValueError(f"cannot handle {frame.message}") from error
        self.push_frame_nowait(frame, direction)


def check(log: Log) -> tuple[int, int]:
    """Lines, and the most that one of them has of the peer's."""
    per_second = Counter((second, _reason(text)) for second, text in log.lines)
    assert max(per_second.values()) == 1, per_second.most_common(3)
    most = 0
    for _, text in log.lines:
        # What comes from the exceptions is told before the lines of each traceback.
        assert text.replace("\n", "").isprintable()
        assert SECRET not in text
        said = text.count("peer") * len("peer") + text.count("\\x1b") + text.count("\\u202e")
        most = max(most, said)
        assert said <= 256
    return len(log.lines), most


def _reason(text: str) -> str:
    return text if " drops " in text else text.partition(":")[0]


async def test_a_peer_that_shouts(log: Log, figure: Figure) -> None:
    """P21: bad messages, refused ones, and errors of the application that repeat good ones."""
    session = Session(
        Repeats(), serializer=JsonFrameSerializer(), max_bad_messages=10**9, audio_in_enabled=False
    )
    named = [data for data in NAMED.values() if len(data) < 100_000]
    sent = 0
    async with MemoryPeer(session, f"/?token={SECRET}", headers={"authorization": SECRET}) as peer:
        await session.started.wait()
        for round_ in range(5):
            for data in (
                *named,
                '{"type":"message","message":"' + "peer" * 1000 + '"}',
                '{"type":"' + "peer" * 1000 + '"}',
                '{"type":"message","message":"\\u001b[31m\\n\\u202e' + "peer" * 1000 + '"}',
            ):
                key = "text" if isinstance(data, str) else "bytes"
                peer.send_raw_event({"type": "websocket.receive", key: data})
                sent += 1
            await anyio.sleep_until(3.0 * (round_ + 1))
        assert session.results == []
    lines, most = check(log)
    figure("P21", f"{sent} hostile messages in 15 s: {lines} lines, at most {most} bytes theirs")


async def test_connections_that_fail(log: Log, figure: Figure) -> None:
    """P21: an `authorize` that raises what it was sent; a session that cannot be built."""

    def authorize(websocket: WebSocket) -> bool:
        if websocket.url.path == "/yes":
            return True
        raise ValueError(websocket.headers["user-agent"])

    def build(transport: object) -> Any:
        raise LookupError(LOUD)

    app = app_of(build, authorize=authorize)
    for number in range(200):
        path = ("/yes", "/no")[number % 2]
        headers = {"user-agent": LOUD.replace("\u202e", ""), "authorization": SECRET}
        async with MemoryPeer(app, f"{path}?token={SECRET}", headers=headers) as peer:
            with pytest.raises(PeerDenied):
                await peer.connect()
            await anyio.sleep(0.05)
    lines, most = check(log)
    assert lines <= 2 * 11
    figure("P21", f"200 failing connections in 10 s: {lines} lines, at most {most} bytes theirs")
