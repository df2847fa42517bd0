"""A process that serves one session: uvicorn on asyncio, or hypercorn on trio.

`python -m wsframes.demo.server BACKEND` writes a `Ready` and, after the session, a `Served`.
"""

import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio

from wsframes.demo.bot import make_app
from wsframes.demo.notes import Ready, Served, tell
from wsframes.transport import WebsocketApp

__all__ = ["BACKENDS", "serve_once"]

# A server that nobody has talked to, or whose client was killed, does not stay behind.
_LIMIT_S = 90.0

Over = Callable[[], Awaitable[None]]


async def serve_once(serve: Callable[[WebsocketApp, socket.socket, Over], Awaitable[None]]) -> None:
    """Serve on a free loopback port until one session is over."""
    over = anyio.Event()

    def on_end(served: Served) -> None:
        tell(served)
        over.set()

    with socket.socket() as listener, anyio.move_on_after(_LIMIT_S):
        # Connections inherit it. asyncio sets it only where the protocol number is given, and
        # without it a short message waits for the client's next one.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # connections wait here from now on, so the server may be told of
        tell(Ready(port=listener.getsockname()[1]))
        await serve(make_app(on_end), listener, over.wait)


async def _uvicorn(app: WebsocketApp, listener: socket.socket, over: Over) -> None:
    from uvicorn import Config, Server

    config = Config(app, ws="websockets-sansio", loop="asyncio", log_level="warning")
    server = Server(config)

    async def stop() -> None:
        await over()
        server.should_exit = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()


async def _hypercorn(app: WebsocketApp, listener: socket.socket, over: Over) -> None:
    from hypercorn import Config
    from hypercorn.trio import serve

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    # Its type for ASGI lists every event there is; ours are Starlette's.
    await serve(cast("Any", app), config, shutdown_trigger=over, mode="asgi")


BACKENDS = {"asyncio": _uvicorn, "trio": _hypercorn}

if __name__ == "__main__":
    backend = sys.argv[1]
    anyio.run(serve_once, BACKENDS[backend], backend=backend)
