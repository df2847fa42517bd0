"""Many sessions in memory, each with a peer that is no more than a schedule.

It costs next to nothing, so what is measured is the sessions. Time is that of `core_clock`.
"""

import gc
import math
import random
import time
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel

from benchmarks.core_clock import arrival, core_backend
from benchmarks.data import message_audio

__all__ = ["Throng", "live_in_memory"]

RATE = 50


class Throng(NamedTuple):
    """How many, and what of.

    Attributes:
        sessions: how many come.
        arrivals_per_s: how many of them in a second.
        settle_s: after the last one came, before it counts.
        seconds: that count.
        bad: what one more session does: "raise", "flood", "stall" or "cling"; "" for none.
    """

    sessions: int
    arrivals_per_s: float = 50.0
    settle_s: float = 1.0
    seconds: float = 5.0
    bad: str = ""


def live_in_memory(app: Any, throng: Throng, backend: str = "asyncio") -> dict[str, float]:
    """Let them all live; what came of it.

    Args:
        app: an ASGI application.
        throng: how many there are.
        backend: "asyncio" or "trio".
    """
    crowd = _Crowd(throng)
    # Or a full collection would go through all that this process has imported, for 20 ms and more.
    gc.collect()
    gc.freeze()
    try:
        return anyio.run(crowd.live, app, backend=backend, backend_options=core_backend(backend))
    finally:
        gc.unfreeze()


class _Crowd:
    def __init__(self, throng: Throng) -> None:
        self._throng = throng
        self.counts_from_s = 0.0
        self.until_s = 0.0
        self.late_s: list[float] = []
        self.sent = 0
        self.back = 0
        self.admitted = 0
        self.refused = 0
        self.chance = random.Random(0)

    async def live(self, app: Any) -> dict[str, float]:
        throng = self._throng
        begin_s = anyio.current_time()
        self.counts_from_s = begin_s + throng.sessions / throng.arrivals_per_s + throng.settle_s
        self.until_s = self.counts_from_s + throng.seconds
        async with anyio.create_task_group() as tasks:
            for number in range(throng.sessions):
                tasks.start_soon(self._come, app, begin_s + number / throng.arrivals_per_s)
            if throng.bad:
                tasks.start_soon(self._misbehave, app)
            await anyio.sleep_until(self.counts_from_s)
            cpu_s = time.thread_time()
            await anyio.sleep_until(self.until_s)
            cpu_s = time.thread_time() - cpu_s
        late_s = sorted(self.late_s) or [math.nan]
        return {
            "admitted": self.admitted,
            "refused": self.refused,
            "lost_messages": self.sent - self.back,
            "late_p50_ms": late_s[len(late_s) // 2] * 1e3,
            "late_p99_ms": late_s[min(len(late_s) - 1, len(late_s) * 99 // 100)] * 1e3,
            "cpu_share": cpu_s / throng.seconds,
        }

    async def _come(self, app: Any, at_s: float) -> None:
        await anyio.sleep_until(at_s)
        peer = _Peer(self)
        await app(_scope(""), peer.receive, peer.send)
        self.admitted += peer.is_open
        self.refused += not peer.is_open
        self.sent += peer.sent
        self.back += peer.back

    async def _misbehave(self, app: Any) -> None:
        while anyio.current_time() < self.until_s:
            peer = _BAD[self._throng.bad](self, counts=False)
            await app(_scope(self._throng.bad), peer.receive, peer.send)
            await anyio.sleep(0.01)


class _Peer:
    """Sends on its schedule, and notes how late each message comes back."""

    def __init__(self, crowd: _Crowd, *, counts: bool = True) -> None:
        self._crowd = crowd
        self._counts = counts
        self._event = {"type": "websocket.receive", "bytes": message_audio()}
        self._begin_s = anyio.current_time()
        self._connected = False
        self.is_open = False
        self.sent = 0
        self.back = 0

    async def receive(self) -> dict[str, Any]:
        if not self._connected:
            self._connected = True
            # None at the same moment as another.
            self._begin_s = anyio.current_time() + self._crowd.chance.random() / RATE
            return {"type": "websocket.connect"}
        due_s = self._begin_s + self.sent / RATE
        if due_s > self._crowd.until_s:
            # What is under way is still to come back.
            await anyio.sleep_until(max(due_s, anyio.current_time()) + 2.0)
            return {"type": "websocket.disconnect", "code": 1000}
        await self.wait(due_s)
        self.sent += 1
        return self._event

    async def wait(self, due_s: float) -> None:
        if due_s > anyio.current_time():
            await arrival(due_s)

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.is_open = True
        elif message.get("bytes"):
            now_s = anyio.current_time()
            if self._counts and now_s >= self._crowd.counts_from_s:
                self._crowd.late_s.append(now_s - (self._begin_s + self.back / RATE))
            self.back += 1


class _Flooding(_Peer):
    """Has its next message ready at once, always."""

    async def wait(self, due_s: float) -> None:
        self._begin_s = anyio.current_time() - self.sent / RATE


class _Stalling(_Peer):
    """Reads nothing."""

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await anyio.sleep_forever()


class _Clinging(_Peer):
    """Leaves again and again, and the application clings to each of its sessions."""

    async def receive(self) -> dict[str, Any]:
        if self.sent > 10:
            return {"type": "websocket.disconnect", "code": 1006}
        return await super().receive()


_BAD = {"raise": _Peer, "flood": _Flooding, "stall": _Stalling, "cling": _Clinging}


def _scope(bad: str) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/",
        "headers": [],
        "query_string": f"bad={bad}".encode(),
        "client": ("testclient", 50000),
        "subprotocols": [],
    }
