"""Clients of an echo, in a process of their own: `python -m benchmarks.load URL ...`.

`--rate`: sessions that each send messages at a steady rate, none at the same moment as another. The
cost is what the server has used between two probes, divided by the messages that have come back
between them; how late one came back is counted from the moment at which it was due to be sent.

Without it: sessions that exchange a few messages and are silent then. Their cost is what the server
holds more than before, per session, and what is left when they have gone.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from typing import NamedTuple

import psutil
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.data import SAMPLE_RATE, message_audio

__all__: list[str] = []

_LAST_ANSWERS_S = 2.0
_EXCHANGED = 5

# More than any message of audio here.
_IMAGE_BYTES = 4000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int, help="of the server")
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--wire", choices=["pcm", "msgpack"], default="pcm")
    parser.add_argument("--rate", type=float, help="messages a second and session")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--settle", type=float, default=1.0, help="seconds before a probe")
    parser.add_argument("--images", action="store_true", help="count the images that come")
    parser.add_argument("--cpu", type=int, help="the one to run on")
    options = parser.parse_args()
    if options.cpu is not None:
        psutil.Process().cpu_affinity([options.cpu])
    target = Target(options.port, options.pid)
    message = _MESSAGES[options.wire]()
    if options.rate is None:
        measure = _idle(target, message, options.sessions, options.settle)
    else:
        schedule = Schedule(options.rate, options.settle, options.seconds)
        measure = _busy(target, message, options.sessions, schedule, options.images)
    print(json.dumps(asyncio.run(measure)))


def _pcm() -> bytes:
    return message_audio()


def _msgpack() -> bytes:
    import msgspec

    return msgspec.msgpack.encode(
        {
            "type": "audio",
            "audio": message_audio(),
            "sample_rate": SAMPLE_RATE,
            "num_channels": 1,
        }
    )


_MESSAGES = {"pcm": _pcm, "msgpack": _msgpack}


class Target:
    """The server."""

    def __init__(self, port: int, pid: int) -> None:
        self._port = port
        self._process = psutil.Process(pid)

    async def probe(self, query: str = "") -> dict[str, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"GET /probe?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        body = answer[answer.index(b"{") : answer.rindex(b"}") + 1]
        return {**json.loads(body), "rss_bytes": self._process.memory_info().rss}

    def connect(self) -> connect:
        return connect(
            f"ws://127.0.0.1:{self._port}/", compression=None, ping_interval=None, proxy=None
        )


class Schedule(NamedTuple):
    """How many messages a second, and for how long: unmeasured at first, and then measured."""

    rate: float
    settle_s: float
    measured_s: float


class Session:
    """Sends on a schedule and notes how late each message comes back."""

    def __init__(self, connection: ClientConnection, message: bytes, period_s: float) -> None:
        self._connection = connection
        self._message = message
        self._period_s = period_s
        self._begun_s = 0.0
        self.sent = 0
        self.images = 0
        self.late_s: list[float] = []

    async def send(self, begin_s: float, until_s: float) -> None:
        self._begun_s = begin_s
        while (due_s := begin_s + self.sent * self._period_s) < until_s:
            await asyncio.sleep(due_s - time.monotonic())
            await self._connection.send(self._message)
            self.sent += 1

    async def receive(self) -> None:
        async for data in self._connection:
            # Whatever else a server may say, audio is what comes back as large as it was sent.
            if len(data) >= _IMAGE_BYTES:
                self.images += 1
            elif len(data) >= len(self._message):
                due_s = self._begun_s + len(self.late_s) * self._period_s
                self.late_s.append(time.monotonic() - due_s)


async def _busy(
    target: Target, message: bytes, sessions: int, schedule: Schedule, images: bool
) -> dict[str, float]:
    rate = schedule.rate
    chance = random.Random(0)
    connections = [await target.connect() for _ in range(sessions)]
    clients = [Session(connection, message, 1 / rate) for connection in connections]
    readers = [asyncio.create_task(client.receive()) for client in clients]
    begin_s = time.monotonic() + 0.1
    until_s = begin_s + schedule.settle_s + schedule.measured_s
    senders = [
        asyncio.create_task(client.send(begin_s + chance.random() / rate, until_s))
        for client in clients
    ]
    await asyncio.sleep(begin_s + schedule.settle_s - time.monotonic())
    first_images = sum(client.images for client in clients)
    first, first_back = await target.probe(), [len(client.late_s) for client in clients]
    await asyncio.sleep(until_s - time.monotonic())
    last, last_back = await target.probe(), [len(client.late_s) for client in clients]
    seen_images = sum(client.images for client in clients) - first_images
    await asyncio.gather(*senders)
    answers_until_s = time.monotonic() + _LAST_ANSWERS_S
    while any(len(client.late_s) < client.sent for client in clients):
        if time.monotonic() > answers_until_s:
            break
        await asyncio.sleep(0.05)
    lost = sum(client.sent - len(client.late_s) for client in clients)
    await asyncio.gather(*(connection.close() for connection in connections))
    await asyncio.gather(*readers)
    in_order_s = [
        late
        for client, begin, end in zip(clients, first_back, last_back, strict=True)
        for late in client.late_s[begin:end]
    ]
    late_s = sorted(in_order_s)
    if not late_s:
        raise SystemExit("nothing came back")
    return {
        "message_us": (last["cpu_s"] - first["cpu_s"]) / len(late_s) * 1e6,
        "late_p50_ms": _percentile(late_s, 50) * 1e3,
        "late_p99_ms": _percentile(late_s, 99) * 1e3,
        "lost_messages": lost,
        **(_beside(in_order_s, seen_images / schedule.measured_s) if images else {}),
    }


def _beside(in_order_s: list[float], images_per_s: float) -> dict[str, float]:
    """Where something else goes on. What other work on the machine does comes in bursts, so it is
    left out by looking at the slowest of each hundred messages, and taking the middle one."""
    hundreds = [in_order_s[at : at + 100] for at in range(0, len(in_order_s), 100)]
    slowest_s = statistics.median(max(hundred) for hundred in hundreds)
    return {"slowest_of_100_ms": slowest_s * 1e3, "images_per_s": images_per_s}


async def _idle(target: Target, message: bytes, sessions: int, settle_s: float) -> dict[str, float]:
    # What the first sessions bring into memory stays there for all others.
    await _close(await _exchange(target, message, min(sessions, 20), settle_s), settle_s)
    before = await target.probe("collect")
    connections = await _exchange(target, message, sessions, settle_s)
    during = await target.probe("collect")
    await _close(connections, settle_s)
    after = await target.probe("collect")
    return {
        name: (during[name] - before[name]) / sessions
        for name in ("rss_bytes", "traced_bytes", "tasks")
    } | {"left_tasks": after["tasks"] - before["tasks"]}


async def _exchange(
    target: Target, message: bytes, sessions: int, settle_s: float
) -> list[ClientConnection]:
    connections = []
    for _ in range(sessions):
        connection = await target.connect()
        connections.append(connection)
        for _ in range(_EXCHANGED):
            await connection.send(message)
            async with asyncio.timeout(10.0):
                await connection.recv()
    await asyncio.sleep(settle_s)
    return connections


async def _close(connections: list[ClientConnection], settle_s: float) -> None:
    await asyncio.gather(*(connection.close() for connection in connections))
    await asyncio.sleep(settle_s)


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


if __name__ == "__main__":
    main()
