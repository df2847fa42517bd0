"""How ASGI servers differ where a websocket application can see it.

Each profile says what one server does in the situations on which the ASGI
specification is silent or servers disagree. They describe uvicorn 0.54, hypercorn 0.18
and anycorn 0.20, and were compared with these servers on real sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

__all__ = [
    "ANYCORN",
    "HYPERCORN",
    "HYPERCORN_TRIO",
    "PROFILES",
    "UVICORN_SANSIO",
    "UVICORN_WEBSOCKETS",
    "UVICORN_WSPROTO",
    "Reaction",
    "ServerProfile",
]

#: What ``send()`` does with a message that can't go anywhere: it raises an OSError
#: subclass, a RuntimeError, an exception that is neither, or returns as if all were well.
Reaction = Literal["oserror", "runtime_error", "exception", "silent"]


@dataclass(frozen=True, kw_only=True)
class ServerProfile:
    """One server's behaviour. The defaults are those of uvicorn's sans-I/O websockets.

    Make another with ``dataclasses.replace(UVICORN_SANSIO, name=..., ...)``.
    """

    name: str
    spec_version: str = "2.4"
    #: ``websocket.receive`` has both keys, one of them None.
    both_keys: bool = False

    #: The disconnect event after a close frame from the peer: its code (None: the
    #: peer's own), and whether there is a ``reason`` at all.
    peer_close_code: int | None = None
    reports_reason: bool = True
    #: Its code when the connection was lost without a close frame.
    lost_code: int = 1005
    #: Its code after the app's own close (None: the app's own), and whether it comes
    #: with that close or only once the peer has answered.
    own_close_code: int | None = None
    own_close_told_at_once: bool = True
    #: How many disconnect events there are to receive after a close and after a loss.
    #: Whoever calls ``receive()`` once more waits for ever.
    disconnects_after_close: float = 2
    disconnects_after_loss: float = 1

    #: ``send()`` once the connection is gone and the app has not been told yet.
    send_when_gone: Reaction = "oserror"
    close_when_gone: Reaction = "oserror"
    #: ``send()`` after the app has received the disconnect event.
    send_after_disconnect: Reaction = "oserror"
    #: ``send()`` after the app's own close, until the peer has answered it.
    send_after_own_close: Reaction = "runtime_error"

    #: A ``send()`` that finds the buffer full waits before it hands its message over,
    #: so that a cancelled one has sent nothing. Otherwise it waits afterwards, and the
    #: message of a cancelled one is on its way.
    waits_before_write: bool = True
    #: A ``send()`` that waits for room in the buffer can't be cancelled.
    shields_send: bool = False
    #: ``send()`` and ``receive()`` let other tasks run even when they need not wait.
    always_yields: bool = False

    #: The app's close waits for the peer's answer.
    close_waits: bool = False
    #: The connection is cut when the peer has not answered the app's close by then
    #: (inf: never, and the app is not told either).
    close_timeout_s: float = 10.0
    #: What the peer sees when the app ends without closing (1006: no close frame).
    app_end_code: int = 1006

    @property
    def __name__(self) -> str:  # what pytest makes a parameter's id from
        return self.name


UVICORN_SANSIO = ServerProfile(name="uvicorn-sansio")

UVICORN_WSPROTO = ServerProfile(name="uvicorn-wsproto")

UVICORN_WEBSOCKETS = ServerProfile(
    name="uvicorn-websockets",
    lost_code=1006,
    own_close_code=1005,
    own_close_told_at_once=False,
    disconnects_after_close=inf,
    disconnects_after_loss=inf,
    close_when_gone="silent",
    send_after_disconnect="runtime_error",
    waits_before_write=False,
    close_waits=True,
    close_timeout_s=20.0,  # 10 s for the close frame, 10 s more for the end of the connection
)

HYPERCORN = ServerProfile(
    name="hypercorn",
    spec_version="2.3",
    both_keys=True,
    peer_close_code=1006,
    reports_reason=False,
    lost_code=1006,
    own_close_code=1000,
    own_close_told_at_once=False,
    disconnects_after_close=1,
    send_when_gone="silent",
    close_when_gone="silent",
    send_after_disconnect="silent",
    send_after_own_close="exception",
    waits_before_write=False,
    close_timeout_s=inf,
    app_end_code=1011,
)

HYPERCORN_TRIO = ServerProfile(
    name="hypercorn-trio",
    spec_version="2.3",
    both_keys=True,
    peer_close_code=1006,
    reports_reason=False,
    lost_code=1006,
    own_close_code=1000,
    own_close_told_at_once=False,
    disconnects_after_close=1,
    send_when_gone="silent",
    close_when_gone="silent",
    send_after_disconnect="silent",
    send_after_own_close="exception",
    waits_before_write=False,
    shields_send=True,
    always_yields=True,
    close_timeout_s=inf,
    app_end_code=1011,
)

ANYCORN = ServerProfile(
    name="anycorn",
    spec_version="2.3",
    both_keys=True,
    reports_reason=False,
    lost_code=1006,
    own_close_told_at_once=False,
    disconnects_after_close=1,
    send_when_gone="silent",
    close_when_gone="silent",
    send_after_disconnect="silent",
    send_after_own_close="exception",
    waits_before_write=False,
    shields_send=True,
    close_timeout_s=inf,
    app_end_code=1011,
)

#: Every profile, for ``pytest.mark.parametrize``.
PROFILES = (
    UVICORN_WEBSOCKETS,
    UVICORN_SANSIO,
    UVICORN_WSPROTO,
    HYPERCORN,
    HYPERCORN_TRIO,
    ANYCORN,
)
