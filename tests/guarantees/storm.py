"""Strangers who want in, in a process of their own: `main` is its command line.

Each asks for a websocket on a connection of its own, reads how that is answered, and goes. Prints
one object of JSON: how many had come, in what time, and how many got which status.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter

__all__ = ["main"]

_AT_ONCE = 16

_REQUEST = (
    b"GET /closed HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--strangers", type=int, required=True)
    parser.add_argument("--rate", type=float, help="a second at most; as fast as they are refused")
    parser.add_argument("--cpu", type=int, required=True, help="the one to run on")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.cpu})
    begun_s = time.monotonic()
    statuses = asyncio.run(storm(options.port, options.strangers, options.rate))
    seconds = time.monotonic() - begun_s
    sys.stdout.write(json.dumps({"seconds": seconds, "statuses": statuses}))


async def storm(port: int, strangers: int, rate: float | None) -> Counter[str]:
    statuses: Counter[str] = Counter()
    begun_s = time.monotonic()
    numbers = iter(range(strangers))

    async def come() -> None:
        for number in numbers:
            if rate is not None:
                await asyncio.sleep(begun_s + number / rate - time.monotonic())
            statuses[await ask(port)] += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(come())
    return statuses


async def ask(port: int) -> str:
    """Its status, by the first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head.split(maxsplit=2)[1].decode()
