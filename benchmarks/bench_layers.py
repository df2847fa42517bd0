"""Where does the work of an echoed message go?

The instructions of Python that are executed for a message of 640 bytes, from the server's socket
through a pipeline and back to it, on uvicorn with asyncio, by layer. Counted and not timed, so that
the figures are the same on every machine; the work of C, of the kernel's sockets above all, is not
among them. wsframes with one processor against a bare ASGI echo, and against Pipecat. The functions
that execute most are in the JSON.
"""

import sys

from benchmarks.contest import Benchmark, Contender, Measurement, Options
from benchmarks.counted import count

__all__ = ["LAYERS", "benchmark", "layer"]

_MESSAGES = {"full": 1_000, "quick": 300, "smoke": 20}
_SHOWN = 40

# By what stands in `file:function`, and the first that fits.
_BY_PLACE = (
    ("server", ("/uvicorn/", "/websockets/", "/h11/")),
    ("event loop", ("/asyncio/", "/selectors.py", "/anyio/", "/contextlib.py", "/threading.py")),
    ("deserialize", (".deserialize", "frames/codec.py:decode", "._decode")),
    ("serialize", (".serialize", "/wsframes/serializers/", "/wsframes/frames/codec.py")),
    (
        "ASGI and socket",
        (
            *("/starlette/", "/fastapi/", "transport/asgi.py", "transport/client.py"),
            *("transport/wire.py", "transport/websocket.py", "transport/session.py"),
            "transport/tasks/waiting.py",
        ),
    ),
    (
        "input",
        (
            *("transport/input.py", "transport/audio_intake.py"),
            *("transport/admission/", "transport/hearing/"),
            "/base_input.py",
        ),
    ),
    ("output: queue and pacer", ("/wsframes/transport/", "/wsframes/audio/", "/transports/")),
    (
        "graph and processors",
        ("/wsframes/graph/", "/wsframes/frames/", "/pipecat/", "benchmarks/", "/wsframes/"),
    ),
)
LAYERS = (*(name for name, _ in _BY_PLACE), "other")


def benchmark(options: Options) -> Benchmark:
    amount = {"messages": _MESSAGES[options.scale]}
    contenders = [
        Contender("bare", count_echo, amount | {"app": "bare_echo"}),
        Contender("wsframes", count_echo, amount | {"app": "pcm_echo"}, against="bare"),
    ]
    if options.pipecat is not None:
        contenders.append(
            Contender(
                "pipecat",
                count_pipecat,
                amount | {"client": sys.executable},
                against="wsframes",
                foreign=True,
            )
        )
    return Benchmark("layers", __doc__, 1, tuple(contenders))


def count_echo(app: str, messages: int) -> Measurement:
    return _measurement(count(f"benchmarks.apps:{app}", messages, sys.executable))


def count_pipecat(messages: int, client: str) -> Measurement:
    return _measurement(count("benchmarks.compare.pipecat_server:echo", messages, client))


def layer(place: str) -> str:
    """Which one a function belongs to.

    Args:
        place: `file:function`.
    """
    place = place.rpartition("site-packages")[2]
    for name, parts in _BY_PLACE:
        if any(part in place for part in parts):
            return name
    return "other"


def _measurement(instructions: dict[str, float]) -> Measurement:
    by_layer = dict.fromkeys(LAYERS, 0.0)
    for place, number in instructions.items():
        by_layer[layer(place)] += number
    most = sorted(instructions.items(), key=lambda each: -each[1])[:_SHOWN]
    shown = {"/".join(place.split("/")[-2:]): number for place, number in most}
    return Measurement(
        {"instructions": sum(by_layer.values()), **by_layer}, details={"functions": shown}
    )
