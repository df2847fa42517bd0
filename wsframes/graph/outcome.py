"""How a run ended."""

from enum import StrEnum

import msgspec

__all__ = ["EndReason", "RunResult"]


class EndReason(StrEnum):
    """Why a run is over. The set is closed: every ending is one of these."""

    ENDED = "ended"
    """An `EndFrame` came through."""
    STOPPED = "stopped"
    """A `StopFrame` came through; `run()` may be called again to resume."""
    CANCELLED = "cancelled"
    """`cancel()`, a `CancelFrame`, or the cancellation of `run()` itself."""
    CLIENT_DISCONNECTED = "client_disconnected"
    """The peer closed the connection."""
    CLIENT_LOST = "client_lost"
    """The connection broke without a clean close."""
    SESSION_TIMEOUT = "session_timeout"
    """The session had its full time."""
    IDLE_TIMEOUT = "idle_timeout"
    """Nothing happened for too long."""
    SLOW_CLIENT = "slow_client"
    """The peer did not read what was sent, past the write deadline."""
    BAD_INPUT = "bad_input"
    """The peer sent too many messages that cannot be decoded, one too large, or too fast."""
    OVERLOAD = "overload"
    """A queue went past its bound."""
    STALLED = "stalled"
    """An end was under way and nothing moved any more; `stuck` names where."""
    ERROR = "error"
    """A fatal error; `error` has it."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What `PipelineTask.run()` returns.

    Attributes:
        reason: why the run is over.
        close_code: the websocket close code, sent or received, where there was one.
        error: the exception, or a text, where something failed.
        stuck: the name of the processor that held the end up, where one did.
    """

    reason: EndReason
    close_code: int | None = None
    error: BaseException | str | None = None
    stuck: str | None = None
