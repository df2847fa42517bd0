"""The servers, and what tells them apart for an application and for its peer.

`docs/servers.md` has a line for each, which a test compares with this.
"""

import sys
from dataclasses import dataclass

__all__ = ["SERVERS", "Server"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """One way to start one server.

    Attributes:
        package: its distribution, and the module that `python -m` runs.
        options: of its command line: those that tell it from the others of the package.
        address: of its command line: where it listens.
        peer_code: what the application is told when the peer closes: the peer's code (None), or
            always this.
        lost_code: what it is told when the connection breaks.
        cancels_send: whether a send can be cancelled that waits for the peer to read.
        shutdown_code: what a peer sees when the server goes away.
        shutdown_reason: how its run ends then.
        complains_at_shutdown: whether it prints errors of its own when it gives up a connection.
        exit_code: of the process after SIGTERM; negative: it died of it. After SIGINT it is 0.
        lets_go: whether it goes away though a peer stays. If not, it waits for ever, and what is
            said of a shutdown above is not so.
    """

    package: str
    options: tuple[str, ...]
    address: tuple[str, ...]
    peer_code: int | None
    lost_code: int
    cancels_send: bool
    shutdown_code: int
    shutdown_reason: str
    complains_at_shutdown: bool
    exit_code: int
    lets_go: bool = True

    @property
    def command(self) -> list[str]:
        """What a user would type, on a port that the system picks."""
        return self.serving("application")

    def serving(self, name: str, *options: str) -> list[str]:
        """The same, for another application of `tests.servers.apps`; later options win."""
        return [
            *(sys.executable, "-m", self.package, *self.options, *self.address, *options),
            f"tests.servers.apps:{name}",
        ]

    @property
    def __name__(self) -> str:  # what pytest makes a parameter's id from
        return "-".join([self.package, *self.options[1::2]])


def _uvicorn(ws: str, loop: str, *, lost_code: int) -> Server:
    return Server(
        package="uvicorn",
        options=("--ws", ws, "--loop", loop),
        address=("--host", "127.0.0.1", "--port", "0"),
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
        options=("--worker-class", worker),
        address=("--bind", "127.0.0.1:0", "--graceful-timeout", "1"),
        peer_code=peer_code,
        lost_code=1006,
        cancels_send=cancels_send,
        shutdown_code=1001,
        shutdown_reason="cancelled",
        complains_at_shutdown=(package, worker) == ("hypercorn", "asyncio"),
        exit_code=0,
        lets_go=(package, worker) != ("hypercorn", "asyncio") or sys.version_info < (3, 12),
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
