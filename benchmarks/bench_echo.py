"""What does the transport cost beyond ASGI, with no socket and no server in between?

One message of 640 bytes at a time: from an in-memory peer through input, an echo and output, and
back. Against a bare ASGI echo with the same peer. The lead is endless, so that no message waits for
its time: only work is measured.
"""

from typing import Any

import anyio

from benchmarks.apps import bare_echo, echo_session
from benchmarks.contest import Benchmark, Contender, Measurement, Options
from benchmarks.data import SAMPLE_RATE, message_audio
from benchmarks.timing import cpu_us_async
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer

__all__ = ["benchmark"]

_MESSAGES = {"full": 2_000, "quick": 500, "smoke": 5}
_ROUNDS = {"full": 7, "quick": 3, "smoke": 1}

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
        await echo_session(scope, receive, send, serializer, audio_out_lead_ms=_ENDLESS_MS)

    return _echo(app, messages, backend)


def _echo(app: Any, messages: int, backend: str) -> Measurement:
    audio = message_audio()

    async def main() -> float:
        async with MemoryPeer(app, keep_received=8) as peer:
            await peer.connect()

            async def run() -> None:
                for _ in range(messages):
                    await peer.send(audio)
                    await peer.receive()

            return await cpu_us_async(run, messages)

    return Measurement({"message_us": anyio.run(main, backend=backend)})
