"""More and more clients of an echo: `python -m benchmarks.ramp PORT PID --steps N ...`.

Sessions of 50 messages of 640 bytes a second, none at the same moment as another, as many as the
next step says. At each step all of them are silent at first, then begin anew, for a while that does
not count and one that does: who was made late by the arrival of others has caught up by then. A
message is late by the time from when it was due to be sent until it is back. A step of which more
than one message in a hundred is late by more than `--limit` ms is measured again, as something else
may have had the machine. If it is so three times, it is the last one; or, where the server has not
filled its core, if the next one is like it.

The clients have to cost much less than the server. So they are sockets, one loop that waits to the
microsecond, and frames that are made once: masked with zeros, which masks nothing. What comes is
only counted.

Prints one object of JSON: the steps, and what stopped them where the server gave up.
"""

import argparse
import gc
import heapq
import json
import random
import select
import selectors
import socket
import struct
import time
from collections.abc import Sequence

import psutil

from benchmarks.data import MESSAGE_BYTES, message_audio

__all__ = ["RATE", "percentile"]

RATE = 50

_OPEN_S = 30.0
_SILENCE_S = 0.5
_TRIES = 3
_FULL_SHARE = 0.9
_LAST_ANSWERS_S = 10.0
_BINARY, _CLOSE, _PING, _PONG = 0x2, 0x8, 0x9, 0xA

_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int, help="of the server")
    parser.add_argument("--steps", type=int, nargs="+", required=True, metavar="SESSIONS")
    parser.add_argument("--settle", type=float, default=0.5, help="seconds before a step counts")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds that count")
    parser.add_argument("--limit", type=float, default=20.0, help="ms of lateness: the last step")
    parser.add_argument("--cpu", type=int, help="the one to run on")
    options = parser.parse_args()
    if options.cpu is not None:
        psutil.Process().cpu_affinity([options.cpu])
    gc.freeze()
    gc.disable()
    ramp = Ramp(options.port, options.pid)
    stopped = ""
    try:
        ramp.climb(options.steps, options.settle, options.seconds, options.limit)
    except (Lost, OSError) as exc:
        if not ramp.steps:
            raise SystemExit(str(exc)) from exc
        stopped = str(exc)  # overload ends in many ways
    print(json.dumps({"steps": ramp.steps, "stopped": stopped}))


class Lost(Exception):
    """The server does not serve all sessions any more."""


class Session:
    """One connection: what it sends is due by a schedule, and what comes is counted."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.socket.sendall(_REQUEST)
        self.is_open = False
        self.begin_s = 0.0
        self.sent = 0
        self.back = 0
        self._come = b""

    def send(self, frame: bytes) -> None:
        # Its buffer holds minutes of this, so it takes all of it or the server is dead.
        if self.socket.send(frame) != len(frame):
            raise Lost("the server does not read")
        self.sent += 1

    def read(self) -> int:
        """How many messages of audio have come."""
        data = self.socket.recv(65536)
        if not data:
            raise Lost("the server has closed a session")
        self._come += data
        if not self.is_open:
            head, found, self._come = self._come.partition(b"\r\n\r\n")
            if not found:
                self._come = head
                return 0
            if b" 101 " not in head.partition(b"\r\n")[0]:
                raise Lost(f"the server says {head[:40]!r}")
            self.is_open = True
        return self._count()

    def _count(self) -> int:
        come, at, back = self._come, 0, 0
        while len(come) >= at + 2:
            opcode, size, begin = come[at] & 15, come[at + 1], at + 2
            if size == 126:
                if len(come) < at + 4:
                    break
                size, begin = int.from_bytes(come[at + 2 : at + 4], "big"), at + 4
            if len(come) < begin + size:
                break
            # Whatever else a server may say, audio is what comes back as large as it was sent.
            if opcode == _BINARY and size >= MESSAGE_BYTES:
                back += 1
            elif opcode == _PING:
                self.socket.send(_frame(_PONG, come[begin : begin + size]))
            at = begin + size
        self._come = come[at:]
        self.back += back
        return back


class Ramp:
    """All sessions, and the loop that they live in."""

    def __init__(self, port: int, pid: int) -> None:
        self._port = port
        self._process = psutil.Process(pid)
        self._chance = random.Random(0)
        self._frame = _frame(_BINARY, message_audio())
        self._selector = selectors.DefaultSelector()
        self._sessions: list[Session] = []
        self._due: list[tuple[float, int]] = []
        self._late_s: list[float] = []
        self.steps: list[dict[str, float]] = []

    def climb(self, steps: Sequence[int], settle_s: float, seconds: float, limit_ms: float) -> None:
        late_steps = 0
        for number in steps:
            self._grow(number)
            for _ in range(_TRIES):
                step = self._measure(settle_s, seconds)
                if step["late_p99_ms"] <= limit_ms:
                    break
            self.steps.append(step)
            late_steps = late_steps + 1 if step["late_p99_ms"] > limit_ms else 0
            if late_steps and (step["cpu_share"] > _FULL_SHARE or late_steps > 1):
                break
        for session in self._sessions:
            session.socket.send(_frame(_CLOSE, struct.pack(">H", 1000)))
            session.socket.close()

    def _grow(self, number: int) -> None:
        while len(self._sessions) < number:
            session = Session(self._port)
            self._selector.register(session.socket, selectors.EVENT_READ, session)
            self._sessions.append(session)
            self._live(0.0)  # or they would all come at once
        until_s = time.monotonic() + _OPEN_S
        while not all(session.is_open for session in self._sessions):
            if time.monotonic() > until_s:
                raise Lost(f"not all of {number} sessions are open after {_OPEN_S:g} s")
            self._live(0.01)

    def _begin_anew(self) -> None:
        self._due.clear()
        until_s = time.monotonic() + _LAST_ANSWERS_S
        while any(session.back < session.sent for session in self._sessions):
            if time.monotonic() > until_s:
                raise Lost(f"messages are missing after {_LAST_ANSWERS_S:g} s")
            self._live(0.05)
        self._live(_SILENCE_S)
        begin_s = time.monotonic()
        for index, session in enumerate(self._sessions):
            session.begin_s = begin_s + self._chance.random() / RATE
            session.sent = session.back = 0
            heapq.heappush(self._due, (session.begin_s, index))

    def _measure(self, settle_s: float, seconds: float) -> dict[str, float]:
        self._begin_anew()
        self._live(settle_s)
        self._late_s = []
        cpu_s, begun_s = self._cpu_s(), time.monotonic()
        self._live(seconds)
        cpu_s, taken_s = self._cpu_s() - cpu_s, time.monotonic() - begun_s
        # What should have come by now and has not is late by what it is late already.
        now_s = time.monotonic()
        late_s = self._late_s + [
            now_s - (session.begin_s + index / RATE)
            for session in self._sessions
            for index in range(session.back, session.sent)
        ]
        if not late_s:
            raise Lost("nothing was sent or came back")
        late_s.sort()
        return {
            "sessions": len(self._sessions),
            "late_p50_ms": percentile(late_s, 50) * 1e3,
            "late_p99_ms": percentile(late_s, 99) * 1e3,
            "cpu_share": cpu_s / taken_s,
            "message_us": cpu_s / max(1, len(self._late_s)) * 1e6,
            "rss_mb": self._process.memory_info().rss / 1e6,
        }

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _live(self, seconds: float) -> None:
        """Send what is due and read what comes, for a while."""
        until_s = time.monotonic() + seconds
        due = self._due
        selector = self._selector
        while True:
            now_s = time.monotonic()
            while due and due[0][0] <= now_s:
                due_s, index = due[0]
                session = self._sessions[index]
                session.send(self._frame)
                heapq.heapreplace(due, (session.begin_s + session.sent / RATE, index))
            if now_s >= until_s:
                return
            next_s = min(until_s, due[0][0]) if due else until_s
            # Selectors wait whole milliseconds; `select` on one of them does not.
            select.select([selector], [], [], max(0.0, next_s - time.monotonic()))
            for key, _ in selector.select(0):
                self._read(key.data)

    def _read(self, session: Session) -> None:
        back = session.back
        come = session.read()
        now_s = time.monotonic()
        for index in range(back, back + come):
            self._late_s.append(now_s - (session.begin_s + index / RATE))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Of values in order."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    if size > 125:
        head = struct.pack(">BBH", 128 | opcode, 128 | 126, size)
    else:
        head = struct.pack(">BB", 128 | opcode, 128 | size)
    return head + bytes(4) + payload


if __name__ == "__main__":
    main()
