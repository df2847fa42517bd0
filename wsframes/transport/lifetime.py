"""The life of a session: opened once, watched while it runs, closed once.

Input and output share it. Whichever of them starts first opens the connection and sets the timers,
which live in the run; whichever is cleaned up last closes the connection.
"""

from typing import Any

import anyio

from wsframes.frames import StartFrame
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventHandlers
from wsframes.graph.outcome import EndReason
from wsframes.transport.client import WebsocketClient
from wsframes.transport.params import WebsocketParams
from wsframes.transport.wire import Wire

__all__ = ["CLOSE_CODES", "SessionLifetime"]

# RFC 6455, section 7.4.1, and the registry that it founds.
CLOSE_CODES = {
    EndReason.ENDED: 1000,
    EndReason.SESSION_TIMEOUT: 1000,
    EndReason.IDLE_TIMEOUT: 1000,
    EndReason.CANCELLED: 1001,
    EndReason.BAD_INPUT: 1007,
    EndReason.SLOW_CLIENT: 1013,
    EndReason.OVERLOAD: 1013,
}
_FAILED = 1011
_NO_CLEAN_CLOSE = (1005, 1006)

# After a send has failed, the reader is given this long to learn with which code the peer left.
_CODE_GRACE_S = 0.5


class SessionLifetime:
    """Opens, watches and closes.

    Args:
        client: the connection.
        wire: the serializer that goes with it.
        params: what may take how long, and what ends the session.
    """

    def __init__(self, client: WebsocketClient, wire: Wire, params: WebsocketParams) -> None:
        self._client = client
        self._wire = wire
        self._params = params
        self._opening = anyio.Lock()
        self._holders: set[object] = set()
        self._context: RunContext | None = None
        self._connected = False
        self._ends_at_s: float | None = None
        self.ended_code = CLOSE_CODES[EndReason.ENDED]
        """Close code of a session that ends as it should; another one where a server goes away."""
        client.when_gone = self._gone

    async def open(self, holder: object, context: RunContext, frame: StartFrame) -> None:
        """Make the connection ready for one of its ends, and watch it in this run.

        Raises:
            PeerGoneError: the peer left before the connection was accepted.
        """
        async with self._opening:
            if self._context is not context:
                self._context = context
                self._watch(context)
            if holder not in self._holders:
                self._holders.add(holder)
                await self._client.setup(frame)
            await self._wire.setup(frame)
            if not self._connected:
                self._connected = True
                await self._client.trigger_client_connected()

    async def close(self, holder: object) -> None:
        """One end is done for good; the connection is closed when both are."""
        context = self._context
        if holder not in self._holders or context is None or context.result is None:
            return
        self._holders.discard(holder)
        reason = context.result.reason
        ended = reason is EndReason.ENDED
        code = self.ended_code if ended else CLOSE_CODES.get(reason, _FAILED)
        await self._client.disconnect(code, reason.value)
        context.add_to_result(close_code=self._client.close_code)

    def emit(self, handlers: EventHandlers, name: str, *args: Any) -> None:
        """Tell an event of the session among those of the run."""
        if self._context is not None:
            self._context.emit(handlers, name, *args)

    def send_failed(self) -> None:
        """The server did not take a message: the peer is gone, or will be told so soon."""
        if self._context is not None and self._client.has_failed:
            self._context.call_at(anyio.current_time() + _CODE_GRACE_S, self._client.lost)

    def _watch(self, context: RunContext) -> None:
        now_s = anyio.current_time()
        context.call_at(now_s + self._params.write_timeout, self._check_write)
        if self._params.session_timeout is not None:
            # From the first start: a session that was stopped and resumed has no second life.
            if self._ends_at_s is None:
                self._ends_at_s = now_s + self._params.session_timeout
            if self._ends_at_s >= now_s:
                context.call_at(self._ends_at_s, self._time_out)

    def _gone(self) -> None:
        context = self._context
        if context is None:
            return
        if self._connected:
            context.start_soon(self._client.trigger_client_disconnected)
        if self._params.end_on_disconnect or not self._connected:
            code = self._client.close_code
            lost = code in _NO_CLEAN_CLOSE
            reason = EndReason.CLIENT_LOST if lost else EndReason.CLIENT_DISCONNECTED
            context.finish(reason, close_code=code)

    def _time_out(self) -> None:
        assert self._context is not None
        self._context.start_soon(self._client.trigger_client_timeout)
        if self._params.end_on_session_timeout:
            self._context.finish(EndReason.SESSION_TIMEOUT)

    def _check_write(self) -> None:
        # It looks once every write timeout, which is enough to be exact: a write that begins
        # after one look is not too slow before the next. So no send needs a timer of its own.
        assert self._context is not None
        now_s = anyio.current_time()
        deadline_s = self._client.write_deadline_s
        if deadline_s is None:
            self._context.call_at(now_s + self._params.write_timeout, self._check_write)
        elif now_s < deadline_s:
            self._context.call_at(deadline_s, self._check_write)
        else:
            code = CLOSE_CODES[EndReason.SLOW_CLIENT]
            self._context.finish(
                EndReason.SLOW_CLIENT, close_code=code, error="the peer did not read in time"
            )
            self._client.lost(code, "too slow")
