"""Breaks the TCP connection of a websocket, past the server that holds it.

Some servers do not let a send be cancelled that waits for a peer to read. What ends such a send is
the end of the connection, and the kernel does that for whoever has the socket: a process finds its
own by the addresses of both ends, which no two connections have in common. The socket is shut down
and not closed, so that the server finds it broken, as if the peer had gone, and closes it itself.

Where a socket cannot be told for certain, nothing is done: on a unix socket, behind a proxy whose
forwarded address the server took for the client's, with HTTP/2, where other streams share the
connection, and on systems that do not list the files of a process.
"""

import os
import socket
import stat
from collections.abc import Iterator
from typing import Any

__all__ = ["cut_connection"]

_OPEN_FILES = "/dev/fd"
_INTERNET = (socket.AF_INET, socket.AF_INET6)


def cut_connection(scope: Any) -> bool:
    """Shut the socket of this ASGI connection down; False if it was not found.

    Takes a millisecond for some hundred open files: not for the event loop's thread.
    """
    client, server = scope.get("client"), scope.get("server")
    if not client or not server or not client[1] or not server[1]:
        return False
    if not str(scope.get("http_version", "1.1")).startswith("1"):
        return False
    ends = (tuple(server[:2]), tuple(client[:2]))
    for one in _sockets():
        with one:
            try:
                if (one.getsockname()[:2], one.getpeername()[:2]) == ends:
                    one.shutdown(socket.SHUT_RDWR)
                    return True
            except OSError:  # it is not connected, or not any more
                continue
    return False


def _sockets() -> Iterator[socket.socket]:
    """The internet sockets of this process, each as a copy: its number may be another's by now."""
    try:
        numbers = [int(name) for name in os.listdir(_OPEN_FILES)]
    except OSError:
        return
    for number in numbers:
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            copy = socket.socket(fileno=os.dup(number))
        except OSError:  # it was closed in the meantime
            continue
        if copy.family in _INTERNET and copy.type == socket.SOCK_STREAM:
            yield copy
        else:
            copy.close()
