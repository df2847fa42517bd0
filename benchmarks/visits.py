"""Clients that come, say one thing and leave: `python -m benchmarks.visits PORT PID --sessions N`.

What the server uses from before the first comes until each has had its answer; and from before the
first leaves until nothing of them is left. Prints one object of JSON.
"""

import argparse
import asyncio
import json
import time

import psutil
from websockets.asyncio.client import ClientConnection

from benchmarks.data import message_audio
from benchmarks.load import Target

__all__: list[str] = []

_GONE_S = 20.0
_SETTLE_S = 0.3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int, help="of the server")
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--cpu", type=int, help="the one to run on")
    options = parser.parse_args()
    if options.cpu is not None:
        psutil.Process().cpu_affinity([options.cpu])
    print(json.dumps(asyncio.run(_visit(Target(options.port, options.pid), options.sessions))))


async def _visit(target: Target, sessions: int) -> dict[str, float]:
    tasks = (await target.probe("collect"))["tasks"]
    # What the first ones load is there for all others.
    await _leave(target, await _come(target, min(sessions, 10)), tasks)
    before = await target.probe("collect")
    connections = await _come(target, sessions)
    during = await target.probe()
    left_tasks = await _leave(target, connections, tasks)
    after = await target.probe()
    return {
        "start_us": (during["cpu_s"] - before["cpu_s"]) / sessions * 1e6,
        "end_us": (after["cpu_s"] - during["cpu_s"]) / sessions * 1e6,
        "left_tasks": left_tasks,
    }


async def _come(target: Target, sessions: int) -> list[ClientConnection]:
    connections = []
    for _ in range(sessions):
        connection = await target.connect()
        connections.append(connection)
        await connection.send(message_audio())
        async with asyncio.timeout(_GONE_S):
            await connection.recv()
    await asyncio.sleep(_SETTLE_S)
    return connections


async def _leave(target: Target, connections: list[ClientConnection], tasks: float) -> float:
    """How many tasks are left of them when they should all be gone."""
    await asyncio.gather(*(connection.close() for connection in connections))
    until_s = time.monotonic() + _GONE_S
    while True:
        await asyncio.sleep(_SETTLE_S)
        left = (await target.probe())["tasks"] - tasks
        if left <= 0 or time.monotonic() > until_s:
            return left


if __name__ == "__main__":
    main()
