"""The servers, and what each of them tells an application."""

from dataclasses import dataclass

__all__ = ["SERVERS", "Server"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """One way to start one server.

    Attributes:
        package: its distribution, and the module that `python -m` runs.
        variant: what tells it from the others of the package, as it is in `docs/servers.md`.
        options: of its command line, beside the address.
        address: option of its command line that takes the address, with `{port}` in it.
        tells_peer_code: whether the application learns the code with which the peer closes.
        lost_code: what it learns when the connection breaks.
        exit_code: of the process after SIGTERM.
    """

    package: str
    variant: str
    options: tuple[str, ...]
    address: tuple[str, ...]
    tells_peer_code: bool = True
    lost_code: int = 1006
    exit_code: int = 0

    @property
    def __name__(self) -> str:  # what pytest makes a parameter's id from
        return f"{self.package}-{self.variant}".replace(" ", "-")

    def peer_code(self, code: int) -> int:
        """What the application learns when the peer closes with this code."""
        return code if self.tells_peer_code else 1006


def _uvicorn(ws: str, loop: str, lost_code: int) -> Server:
    return Server(
        package="uvicorn",
        variant=f"{ws} {loop}",
        options=("--ws", ws, "--loop", loop, "--no-access-log"),
        address=("--host", "127.0.0.1", "--port", "0"),
        lost_code=lost_code,
        exit_code=-15,
    )


def _corn(package: str, worker: str, *, tells_peer_code: bool) -> Server:
    return Server(
        package=package,
        variant=worker,
        options=("--worker-class", worker),
        address=("--bind", "127.0.0.1:0"),
        tells_peer_code=tells_peer_code,
    )


SERVERS = (
    *(
        _uvicorn(ws, loop, lost_code)
        for ws, lost_code in (("websockets", 1006), ("websockets-sansio", 1005), ("wsproto", 1005))
        for loop in ("asyncio", "uvloop")
    ),
    *(_corn("hypercorn", worker, tells_peer_code=False) for worker in ("asyncio", "trio")),
    *(_corn("anycorn", worker, tells_peer_code=True) for worker in ("asyncio", "trio")),
)
