"""Tools for testing what is built with wsframes, most without sockets and without waiting.

* Virtual time on asyncio and on trio: `virtual_backends` for pytest, `run_virtual`; `SteppedRun`
  for state machines.
* `MemoryPeer`: the other end of a websocket, which can stall, half-close, reset, vanish
  and lie, on any of the servers in `PROFILES`.
* `Checkpoints`: cancels a call, or does anything else to it, at each of its checkpoints.
* `FailingSends`: each send of an application as the first that fails.
* `FaultProxy`: a bad network between real sockets.
* `run_test`: frames through a processor by itself; `check_processor` and
  `check_serializer`: whether yours keeps the rules.
"""

from __future__ import annotations

from .app_run import AppRun
from .checkpoints import Checkpoints
from .clock import (
    Backend,
    VirtualTimeLoop,
    real_backends,
    run_virtual,
    settle,
    virtual_backends,
    with_deadline,
)
from .comparison import payload, same_frame
from .conformance import PROCESSOR_RULES, check_processor
from .connection import Closed, Handshake, Received
from .faults import FailingSends
from .harness import SleepFrame, run_test
from .peer import MemoryPeer, PeerClosed, PeerDenied, PeerStatistics
from .profiles import (
    ANYCORN,
    HYPERCORN,
    HYPERCORN_TRIO,
    PROFILES,
    UVICORN_SANSIO,
    UVICORN_WEBSOCKETS,
    UVICORN_WSPROTO,
    ServerProfile,
)
from .serializer_conformance import SERIALIZER_RULES, check_serializer
from .server import ClientDisconnected, UnexpectedMessage
from .stepped import SteppedRun
from .tcp import FaultProxy, Faults
from .wire import Amount, FlowStatistics

__all__ = [
    "ANYCORN",
    "Amount",
    "AppRun",
    "Backend",
    "Checkpoints",
    "ClientDisconnected",
    "Closed",
    "FailingSends",
    "FaultProxy",
    "Faults",
    "FlowStatistics",
    "HYPERCORN",
    "HYPERCORN_TRIO",
    "Handshake",
    "MemoryPeer",
    "PROCESSOR_RULES",
    "PROFILES",
    "PeerClosed",
    "PeerDenied",
    "PeerStatistics",
    "Received",
    "SERIALIZER_RULES",
    "ServerProfile",
    "SleepFrame",
    "SteppedRun",
    "UVICORN_SANSIO",
    "UVICORN_WEBSOCKETS",
    "UVICORN_WSPROTO",
    "UnexpectedMessage",
    "VirtualTimeLoop",
    "check_processor",
    "check_serializer",
    "payload",
    "real_backends",
    "run_test",
    "run_virtual",
    "same_frame",
    "settle",
    "virtual_backends",
    "with_deadline",
]
