"""A server in a process of its own: `python -m benchmarks.serve SERVER MODULE:APP`.

It takes a free port of the loopback and prints a line of JSON with it, as soon as connections to it
are not refused any more.
"""

import argparse
import gc
import importlib
import json
import os
import socket
import tracemalloc
from typing import Any

from benchmarks.probe import with_probe

__all__ = ["SERVERS", "listening"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server", choices=sorted(SERVERS))
    parser.add_argument("app", metavar="MODULE:APP")
    parser.add_argument("--cpu", type=int, help="the one to run on")
    parser.add_argument("--freeze", action="store_true", help="collect no garbage of the imports")
    parser.add_argument("--trace", action="store_true", help="trace every allocation")
    options = parser.parse_args()
    if options.cpu is not None:
        os.sched_setaffinity(0, {options.cpu})
    module, _, name = options.app.partition(":")
    app = with_probe(getattr(importlib.import_module(module), name))
    if options.freeze:
        # Or a full collection would go through all that has been imported, for 20 ms and more.
        gc.collect()
        gc.freeze()
    with listening() as sock:
        print(json.dumps({"port": sock.getsockname()[1]}), flush=True)
        if options.trace:
            tracemalloc.start()
        SERVERS[options.server](app, sock)


def listening() -> socket.socket:
    """On a free port of the loopback."""
    # asyncio switches Nagle's algorithm off only on sockets that say that they are TCP; with it on,
    # an answer waits for the client's next message to acknowledge the one before.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    return sock


def _uvicorn(app: Any, sock: socket.socket, loop: str) -> None:
    import uvicorn

    config = uvicorn.Config(
        app, loop=loop, http="h11", ws="websockets-sansio", lifespan="off", log_level="error"
    )
    uvicorn.Server(config).run(sockets=[sock])


def _uvicorn_asyncio(app: Any, sock: socket.socket) -> None:
    _uvicorn(app, sock, "asyncio")


def _uvicorn_uvloop(app: Any, sock: socket.socket) -> None:
    _uvicorn(app, sock, "uvloop")


def _hypercorn_trio(app: Any, sock: socket.socket) -> None:
    import trio
    from hypercorn.config import Config
    from hypercorn.trio import serve

    config = Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.loglevel = "ERROR"
    trio.run(serve, app, config)


# By name, so that what a figure was measured on is said in full.
SERVERS = {
    "uvicorn": _uvicorn_asyncio,
    "uvicorn-uvloop": _uvicorn_uvloop,
    "hypercorn-trio": _hypercorn_trio,
}


if __name__ == "__main__":
    main()
