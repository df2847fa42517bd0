"""The servers, and what tells them apart for an application and for its peer."""

import sys
from dataclasses import dataclass

__all__ = ["SERVERS", "Server"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """One way to start one server.

    Attributes:
        package: its distribution, and the module that `python -m` runs.
        variant: what tells it from the others of the package, as it is in `docs/servers.md`.
        options: of its command line.
        peer_code: what the application is told when the peer closes with a code: that one, or
            always this.
        lost_code: what it is told when the connection breaks.
        cancels_send: whether a send can be cancelled that waits for the peer to read.
        shutdown_code: what a peer sees when the server goes away.
        shutdown_reason: how its run ends then.
        complains_at_shutdown: whether it prints errors of its own when it gives up a connection.
        exit_code: of the process after SIGTERM; negative: it died of it. After SIGINT it is 0.
    """

    package: str
    variant: str
    options: tuple[str, ...]
    peer_code: int | None
    lost_code: int
    cancels_send: bool
    shutdown_code: int
    shutdown_reason: str
    complains_at_shutdown: bool
    exit_code: int

    @property
    def command(self) -> list[str]:
        """What a user would type, on a port that the system picks."""
        return [
            *(sys.executable, "-m", self.package, *self.options),
            "tests.servers.apps:application",
        ]

    @property
    def __name__(self) -> str:  # what pytest makes a parameter's id from
        return f"{self.package}-{self.variant}".replace(" ", "-")


def _uvicorn(ws: str, loop: str, *, lost_code: int) -> Server:
    return Server(
        package="uvicorn",
        variant=f"{ws} {loop}",
        options=("--host", "127.0.0.1", "--port", "0", "--ws", ws, "--loop", loop),
        peer_code=None,
        lost_code=lost_code,
        cancels_send=True,
        shutdown_code=1012,
        shutdown_reason="client_disconnected",
        complains_at_shutdown=False,
        exit_code=-15,
    )


def _corn(package: str, worker: str, *, peer_code: int | None, cancels_send: bool) -> Server:
    return Server(
        package=package,
        variant=worker,
        options=("--bind", "127.0.0.1:0", "--worker-class", worker, "--graceful-timeout", "1"),
        peer_code=peer_code,
        lost_code=1006,
        cancels_send=cancels_send,
        shutdown_code=1001,
        shutdown_reason="cancelled",
        complains_at_shutdown=(package, worker) == ("hypercorn", "asyncio"),
        exit_code=0,
    )


SERVERS = (
    _uvicorn("websockets", "asyncio", lost_code=1006),
    _uvicorn("websockets", "uvloop", lost_code=1006),
    _uvicorn("websockets-sansio", "asyncio", lost_code=1005),
    _uvicorn("websockets-sansio", "uvloop", lost_code=1005),
    _uvicorn("wsproto", "asyncio", lost_code=1005),
    _uvicorn("wsproto", "uvloop", lost_code=1005),
    _corn("hypercorn", "asyncio", peer_code=1006, cancels_send=True),
    _corn("hypercorn", "trio", peer_code=1006, cancels_send=False),
    _corn("anycorn", "asyncio", peer_code=None, cancels_send=False),
    _corn("anycorn", "trio", peer_code=None, cancels_send=False),
)
