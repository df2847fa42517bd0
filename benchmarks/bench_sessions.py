"""What does a session cost on a real server, and how late does it get?

Sessions of 50 messages of 640 bytes a second, echoed, over real sockets. The cost is the server
process's own CPU time for each message that came back. wsframes, with bare PCM and with MessagePack
on the wire, against a bare ASGI echo on the same server with the same client, and against Pipecat
with a serializer that does as little as ours for PCM.

A message is late by the time from when it was due to be sent until it is back; in that are the
server's and the client's own delays, so it says something next to the bare echo only.
"""

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.sockets import measure_server

__all__ = ["benchmark"]

_SESSIONS = {"full": (40,), "quick": (40,), "smoke": (2,)}
_SECONDS = {"full": 5.0, "quick": 3.0, "smoke": 1.0}
_SETTLE_S = {"full": 1.0, "quick": 1.0, "smoke": 0.3}
_ROUNDS = {"full": 4, "quick": 1, "smoke": 1}

_RATE = 50

# What wsframes may cost of a bare echo there.
_BARS = {"uvicorn": 1.25, "uvicorn-uvloop": 1.35, "hypercorn-trio": 1.35}
_SERVERS = {"full": tuple(_BARS), "quick": tuple(_BARS), "smoke": ("uvicorn",)}


def benchmark(options: Options) -> Benchmark:
    contenders = []
    bars = []
    for server in options.servers or _SERVERS[options.scale]:
        for sessions in options.sessions or _SESSIONS[options.scale]:
            arguments = {
                "server": server,
                "sessions": sessions,
                "settle_s": _SETTLE_S[options.scale],
                "seconds": _SECONDS[options.scale],
            }
            where = f"{sessions} on {server}"
            bare, pcm, msgpack = f"bare, {where}", f"pcm, {where}", f"msgpack, {where}"
            contenders += [
                Contender(bare, echo, arguments | {"app": "bare_echo"}),
                Contender(pcm, echo, arguments | {"app": "pcm_echo"}, against=bare),
            ]
            bars.append(Bar(pcm, "message_us", _BARS[server], of="ratio"))
            # Once each is enough, and uvloop need not be in its environment.
            if server == "uvicorn":
                packed = arguments | {"app": "msgpack_echo", "wire": "msgpack"}
                contenders.append(Contender(msgpack, echo, packed, against=bare))
            if server == "uvicorn" and options.pipecat is not None:
                contenders.append(
                    Contender(
                        f"pipecat, {where}",
                        echo_pipecat,
                        arguments | {"python": options.pipecat},
                        against=pcm,
                    )
                )
    rounds = _ROUNDS[options.scale]
    return Benchmark("sessions", __doc__, rounds, tuple(contenders), tuple(bars))


def echo(server: str, app: str, wire: str = "pcm", **schedule: float) -> Measurement:
    load = [*_load(**schedule), "--wire", wire]
    return Measurement(measure_server(server, f"benchmarks.apps:{app}", load))


def echo_pipecat(server: str, python: str, **schedule: float) -> Measurement:
    app = "benchmarks.compare.pipecat_server:echo"
    return Measurement(measure_server(server, app, _load(**schedule), python=python))


def _load(sessions: float, settle_s: float, seconds: float) -> list[str]:
    return [
        *("--sessions", str(sessions), "--settle", str(settle_s)),
        *("--seconds", str(seconds), "--rate", str(_RATE)),
    ]
