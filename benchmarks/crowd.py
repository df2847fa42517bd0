"""A crowd of clients in a process of their own: `python -m benchmarks.crowd PORT PID ...`.

Each session is an echo of 50 messages of audio a second. They arrive one after the other; some may
misbehave, and with `--churn` each of them stays for a random time only and leaves in a random way.
The well-behaved note how late each message came back, counted from when it was due to be sent.

Prints one object of JSON, with what the server used meanwhile.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from benchmarks.data import message_audio

__all__: list[str] = []

_RATE = 50
_LAST_ANSWERS_S = 3.0
_MEAN_STAY_S = 8.0
_HECTIC_STAY_S = 0.3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int, help="of the server")
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--arrivals", type=float, default=50.0, help="sessions a second")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds before it counts")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--bad", choices=sorted(_BAD), help="what one more session does")
    parser.add_argument("--churn", action="store_true", help="sessions come and go")
    parser.add_argument(
        "--hectic", type=float, default=0.0, help="seconds in which they come and go much faster"
    )
    parser.add_argument("--sample", type=float, default=1.0, help="seconds between looks at memory")
    parser.add_argument("--cpu", type=int, help="the one to run on")
    options = parser.parse_args()
    if options.cpu is not None:
        psutil.Process().cpu_affinity([options.cpu])
    print(json.dumps(asyncio.run(Crowd(options).live())))


@dataclass
class Tally:
    """What has become of everybody."""

    late_s: list[float] = field(default_factory=list)
    sent: int = 0
    back: int = 0
    admitted: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


class Crowd:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._process = psutil.Process(options.pid)
        self._chance = random.Random(0)
        self._message = message_audio()
        self._begun_s = time.monotonic()
        self._tally = Tally()
        self._rss_bytes: list[tuple[float, int]] = []

    async def live(self) -> dict[str, Any]:
        options = self._options
        arriving_s = options.sessions / options.arrivals
        counts_from_s = time.monotonic() + arriving_s + options.settle
        until_s = counts_from_s + options.seconds
        async with asyncio.TaskGroup() as tasks:
            for number in range(options.sessions):
                tasks.create_task(self._come(number / options.arrivals, counts_from_s, until_s))
            if options.bad is not None:
                tasks.create_task(self._misbehave(until_s))
            sampling = tasks.create_task(self._sample())
            await asyncio.sleep(counts_from_s - time.monotonic())
            cpu_s = self._cpu_s()
            await asyncio.sleep(until_s - time.monotonic())
            cpu_s = self._cpu_s() - cpu_s
            await asyncio.sleep(_LAST_ANSWERS_S + 0.5)
            sampling.cancel()
        tally = self._tally
        late_s = sorted(tally.late_s) or [float("nan")]
        return {
            "admitted": tally.admitted,
            "refused": dict(tally.refused),
            "sent": tally.sent,
            "lost_messages": tally.sent - tally.back,
            "left": dict(tally.left),
            "late_p50_ms": late_s[len(late_s) // 2] * 1e3,
            "late_p99_ms": late_s[min(len(late_s) - 1, len(late_s) * 99 // 100)] * 1e3,
            "cpu_share": cpu_s / options.seconds,
            "rss_bytes": self._rss_bytes,
        }

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    async def _sample(self) -> None:
        while True:
            at_s = time.monotonic() - self._begun_s
            self._rss_bytes.append((at_s, self._process.memory_info().rss))
            await asyncio.sleep(self._options.sample)

    def _connect(self, query: str = "") -> connect:
        return connect(
            f"ws://127.0.0.1:{self._options.port}/?{query}",
            compression=None,
            ping_interval=None,
            proxy=None,
            open_timeout=30,
        )

    # --- who behaves

    async def _come(self, after_s: float, counts_from_s: float, until_s: float) -> None:
        await asyncio.sleep(after_s)
        if not self._options.churn:
            await self._stay(counts_from_s, until_s)
            return
        while (now_s := time.monotonic()) < until_s:
            is_hectic = now_s - self._begun_s < self._options.hectic
            mean_s = _HECTIC_STAY_S if is_hectic else _MEAN_STAY_S
            stay_s = self._chance.expovariate(1 / mean_s)
            await self._stay(counts_from_s, min(until_s, now_s + stay_s))

    async def _stay(self, counts_from_s: float, until_s: float) -> None:
        tally = self._tally
        try:
            connection = await self._connect()
        except InvalidStatus as exc:
            tally.refused[exc.response.status_code] += 1
            await asyncio.sleep(0.5)
            return
        except (OSError, TimeoutError, InvalidMessage) as exc:
            tally.left[f"no connection: {type(exc).__name__}"] += 1
            return
        tally.admitted += 1
        reader = asyncio.create_task(self._read(connection, counts_from_s))
        sent = 0
        begin_s = time.monotonic() + self._chance.random() / _RATE
        reader.begin_s = begin_s  # type: ignore[attr-defined]
        try:
            while (due_s := begin_s + sent / _RATE) < until_s:
                await asyncio.sleep(due_s - time.monotonic())
                await connection.send(self._message)
                sent += 1
            await self._leave(connection)
        except (ConnectionClosed, OSError) as exc:
            tally.left[f"lost: {exc}"] += 1
        tally.sent += sent
        tally.back += await reader

    async def _read(self, connection: ClientConnection, counts_from_s: float) -> int:
        back = 0
        task: Any = asyncio.current_task()
        try:
            async for data in connection:
                if len(data) >= len(self._message):
                    now_s = time.monotonic()
                    if now_s >= counts_from_s:
                        self._tally.late_s.append(now_s - (task.begin_s + back / _RATE))
                    back += 1
        except ConnectionClosed:
            pass
        return back

    async def _leave(self, connection: ClientConnection) -> None:
        how = self._chance.choice(["end", "close", "reset"]) if self._options.churn else "close"
        if how == "end":
            await connection.send('"end"')
            try:
                async with asyncio.timeout(_LAST_ANSWERS_S):
                    await connection.wait_closed()
            except TimeoutError:
                how = "no end in time"
                connection.transport.abort()
            self._tally.left[how] += 1
            return
        self._tally.left[how] += 1
        await asyncio.sleep(_LAST_ANSWERS_S if not self._options.churn else 0.5)
        if how == "close":
            await connection.close()
        else:
            connection.transport.abort()

    # --- who does not

    async def _misbehave(self, until_s: float) -> None:
        while time.monotonic() < until_s:
            try:
                async with asyncio.timeout(until_s - time.monotonic()):
                    async with self._connect(f"bad={self._options.bad}") as connection:
                        await _BAD[self._options.bad](connection, self._message)
            except (TimeoutError, ConnectionClosed, InvalidStatus, OSError):
                await asyncio.sleep(0.01)


async def _raise(connection: ClientConnection, message: bytes) -> None:
    """The application raises on each of its messages."""
    while True:
        await connection.send(message)
        await asyncio.sleep(1 / _RATE)


async def _flood(connection: ClientConnection, message: bytes) -> None:
    """It sends as fast as it is read."""
    while True:
        await connection.send(message)


async def _stall(connection: ClientConnection, message: bytes) -> None:
    """It sends, and reads nothing."""
    connection.transport.pause_reading()
    await _raise(connection, message)


async def _cling(connection: ClientConnection, message: bytes) -> None:
    """The application does not let itself be cancelled for a second, ten times."""
    await connection.send(message)
    await asyncio.sleep(0.2)
    connection.transport.abort()


_BAD = {"raise": _raise, "flood": _flood, "stall": _stall, "cling": _cling}


if __name__ == "__main__":
    main()
