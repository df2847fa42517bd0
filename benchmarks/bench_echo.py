"""What does the transport cost beyond ASGI, with no socket and no server in between?

One message of 640 bytes at a time: from a peer in memory through input, an echo and output, and
back. Against a bare ASGI echo with the same peer, which is no more than two events, so that what is
beyond the bare echo is the transport's and the pipeline's own. The lead is endless and the rate is
not limited, so that no message waits.
"""

from typing import Any

import anyio

from benchmarks.apps import bare_echo, echo_session
from benchmarks.contest import Benchmark, Contender, Measurement, Options
from benchmarks.data import SAMPLE_RATE, message_audio
from benchmarks.timing import cpu_us_async
from wsframes.serializers import RawAudioSerializer

__all__ = ["benchmark"]

_MESSAGES = {"full": 1_000, "quick": 500, "smoke": 5}
_ROUNDS = {"full": 5, "quick": 3, "smoke": 1}

_ENDLESS_MS = 10**9


def benchmark(options: Options) -> Benchmark:
    amount = {"messages": _MESSAGES[options.scale]}
    contenders = []
    for backend in ("asyncio", "trio"):
        arguments = amount | {"backend": backend}
        bare = f"bare {backend}"
        contenders += [
            Contender(bare, echo_bare, arguments),
            Contender(f"wsframes {backend}", echo_wsframes, arguments, against=bare),
        ]
    return Benchmark("echo", __doc__, _ROUNDS[options.scale], tuple(contenders))


def echo_bare(messages: int, backend: str) -> Measurement:
    return _echo(bare_echo, messages, backend)


def echo_wsframes(messages: int, backend: str) -> Measurement:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        serializer = RawAudioSerializer(SAMPLE_RATE)
        limits = {"max_messages_per_s": None, "max_bytes_per_s": None}
        await echo_session(
            scope, receive, send, serializer, audio_out_lead_ms=_ENDLESS_MS, **limits
        )

    return _echo(app, messages, backend)


class Peer:
    """One message to the application at a time, and one back."""

    def __init__(self) -> None:
        self._to_app: dict[str, Any] | None = {"type": "websocket.connect"}
        self._arrived = anyio.Event()
        self._answered = anyio.Event()

    async def receive(self) -> dict[str, Any]:
        while (message := self._to_app) is None:
            await self._arrived.wait()
        self._to_app = None
        return message

    async def send(self, message: dict[str, Any]) -> None:
        self._answered.set()

    async def exchange(self, message: dict[str, Any]) -> None:
        self._answered = anyio.Event()
        self.hand_over(message)
        await self._answered.wait()

    def hand_over(self, message: dict[str, Any]) -> None:
        self._to_app = message
        self._arrived.set()
        self._arrived = anyio.Event()

    async def wait_accepted(self) -> None:
        await self._answered.wait()


def _echo(app: Any, messages: int, backend: str) -> Measurement:
    message = {"type": "websocket.receive", "bytes": message_audio()}

    async def main() -> float:
        peer = Peer()

        async def run() -> None:
            for _ in range(messages):
                await peer.exchange(message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app, {"type": "websocket", "headers": []}, peer.receive, peer.send)
            await peer.wait_accepted()
            message_us = await cpu_us_async(run, messages)
            peer.hand_over({"type": "websocket.disconnect", "code": 1000})
        return message_us

    return Measurement({"message_us": anyio.run(main, backend=backend)})
