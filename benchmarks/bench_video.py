"""Does audio stay on time while images are sent?

A session that echoes 50 messages of 640 bytes a second over a real socket, against the same session
when it also sends 30 images a second of 1024 x 768, raw ones from its pipeline, of which each
differs from the one before, in JPEG at 8 Mbit/s. A message is late by the time from when it was due
to be sent until it is back. The bars are what the images may add: to the 99th percentile of that,
and to the slowest of a hundred messages, in the middle of all hundreds, which other work on the
machine does not touch as long as it comes in bursts. Where there is other work, run it under
`chrt -f 10`.
"""

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.sockets import measure_server

__all__ = ["benchmark"]

_SECONDS = {"full": 15.0, "quick": 6.0, "smoke": 1.0}
_SETTLE_S = {"full": 2.0, "quick": 2.0, "smoke": 0.5}
_ROUNDS = {"full": 2, "quick": 1, "smoke": 1}

_RATE = 50


def benchmark(options: Options) -> Benchmark:
    contenders = []
    bars = []
    schedule = {"settle_s": _SETTLE_S[options.scale], "seconds": _SECONDS[options.scale]}
    for server in options.servers or ("uvicorn",):
        alone, both = f"audio, {server}", f"audio and images, {server}"
        contenders += [
            Contender(alone, echo_alone, schedule | {"server": server}),
            Contender(both, echo_with_images, schedule | {"server": server}, against=alone),
        ]
        figures = ("slowest_of_100_ms", "late_p99_ms")
        bars += [Bar(both, figure, 2.0, of="excess") for figure in figures]
    rounds = _ROUNDS[options.scale]
    return Benchmark("video", __doc__, rounds, tuple(contenders), tuple(bars))


def echo_alone(server: str, settle_s: float, seconds: float) -> Measurement:
    return _measure(server, "msgpack_echo", settle_s, seconds)


def echo_with_images(server: str, settle_s: float, seconds: float) -> Measurement:
    return _measure(server, "video_echo", settle_s, seconds)


def _measure(server: str, app: str, settle_s: float, seconds: float) -> Measurement:
    load = [
        *("--sessions", "1", "--wire", "msgpack", "--images"),
        *("--settle", str(settle_s), "--seconds", str(seconds), "--rate", str(_RATE)),
    ]
    app = f"benchmarks.video_app:{app}"
    return Measurement(measure_server(server, app, load, pinned=False))
