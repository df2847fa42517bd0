"""Asks the application whether a peer may connect, within a deadline."""

import inspect
from collections.abc import Callable
from typing import Any

import anyio
from starlette.websockets import WebSocket

from wsframes.graph.failures import FailureLog, describe

__all__ = ["Authorization", "Authorize"]

Authorize = Callable[[WebSocket], Any]


class Authorization:
    """Whatever `authorize` does, it is a yes or a no, in time.

    Args:
        authorize: called with the websocket before it is accepted, `def` or `async def`; None lets
            everybody in.
        timeout_s: without an answer for so long it is a no.
        failures: told what it raises.
    """

    def __init__(self, authorize: Authorize | None, timeout_s: float, failures: FailureLog) -> None:
        self._authorize = authorize
        self._timeout_s = timeout_s
        self._failures = failures

    async def allows(self, websocket: WebSocket) -> bool:
        if self._authorize is None:
            return True
        try:
            result = self._authorize(websocket)
            if not inspect.isawaitable(result):
                return bool(result)
            with anyio.move_on_after(self._timeout_s):
                return bool(await result)
            text = f"authorize did not return within {self._timeout_s} s"
            self._failures.error("authorize timeout", text)
        except Exception as exc:
            self._failures.error("authorize", f"authorize failed: {describe(exc)}", exc)
        return False
