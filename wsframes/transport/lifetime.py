"""The life of a session: opened once, watched while it runs, closed once.

Input and output share it. Whichever of them starts first opens the connection and sets the timers,
which live in the run; whichever is cleaned up last closes the connection.
"""

import math
from enum import Enum, auto
from typing import Any

import anyio

from wsframes.exceptions import PeerGoneError
from wsframes.frames import StartFrame
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventHandlers
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.transport.asgi import LOST, NO_CODE
from wsframes.transport.client import WebsocketClient
from wsframes.transport.params import WebsocketParams
from wsframes.transport.tasks.waiting import Turns
from wsframes.transport.wire import Wire

__all__ = ["CLOSE_CODES", "SessionLifetime"]

# RFC 6455, section 7.4.1, and the registry that it founds.
CLOSE_CODES = {
    EndReason.ENDED: 1000,
    EndReason.STOPPED: 1000,
    EndReason.SESSION_TIMEOUT: 1000,
    EndReason.IDLE_TIMEOUT: 1000,
    EndReason.CANCELLED: 1001,
    EndReason.BAD_INPUT: 1007,
    EndReason.SLOW_CLIENT: 1013,
    EndReason.OVERLOAD: 1013,
}
_FAILED = 1011
_NO_CLEAN_CLOSE = (NO_CODE, LOST)

# After a send has failed, the reader is given this long to learn with which code the peer left.
_CODE_GRACE_S = 0.5

# How often an end is told that it does not stall while a write is under way.
_END_LOOK_S = 0.5


_LOOKS_PER_TIMEOUT = 8


class _Peer(Enum):
    AWAITED = auto()
    CONNECTED = auto()
    LEFT = auto()


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
        self._opening = Turns()
        self._holders: set[object] = set()
        self._context: RunContext | None = None
        self._peer = _Peer.AWAITED
        self._ends_at_s: float | None = None
        self._heard: tuple[int, float] = (0, 0.0)  # messages, and when there were more than before
        self._verdict: anyio.Event | None = None  # once a send has failed: set when it is known why
        self.ended_code = CLOSE_CODES[EndReason.ENDED]
        """Close code of a session that ends as it should; another one where a server goes away."""
        client.when_gone = self._peer_left
        client.when_failed = self._send_failed

    async def open(self, holder: object, context: RunContext, frame: StartFrame) -> None:
        """Make the connection ready for one of its ends, and watch it in this run.

        Where the peer has left already, the end of the run is decided when this returns.

        Raises:
            Exception: what the setup of the serializer raises.
        """
        async with self._opening:
            if self._context is not context:
                self._context = context
                self._watch(context)
            if holder not in self._holders:
                self._holders.add(holder)
                try:
                    await self._client.setup(frame)
                except PeerGoneError:
                    return
            await self._wire.setup(frame)
            if self._peer is _Peer.AWAITED:
                self._peer = _Peer.CONNECTED
                await self._client.trigger_client_connected()

    async def close(self, holder: object, context: RunContext | None) -> None:
        """One end is done for good; the connection is closed when both are, or neither began.

        Args:
            holder: the end.
            context: the run that it is in, if it is in one.
        """
        context = context or self._context
        held = holder in self._holders
        self._holders.discard(holder)
        if held or not self._holders:
            result = context.result if context is not None else None
            reason = EndReason.ENDED if result is None else result.reason
            await self._client.disconnect(self._close_code(result), reason.value)
            if context is not None:
                context.add_to_result(close_code=self._client.close_code)
        if not self._holders:
            self._client.when_gone = self._client.when_failed = None  # it is held by this

    def watch_end(self) -> None:
        """An end is on its way: a write that it waits for is progress, until its own deadline."""
        context = self._context
        if context is not None:
            now_s = anyio.current_time()
            deadline_s = self._client.write_deadline_s
            if deadline_s is not None and now_s < deadline_s:
                context.drain.progress(now_s)
            context.call_at(now_s + _END_LOOK_S, self.watch_end)

    async def wait_for_verdict(self) -> None:
        """Where a send has failed, wait until the peer counts as gone: that is at most a moment.

        An end that does not wait would say of a session that has lost its last words that all went
        as it should.
        """
        if self._verdict is not None:
            await self._verdict.wait()

    def emit(self, handlers: EventHandlers, name: str, *args: Any) -> None:
        """Tell an event of the session among those of the run."""
        if self._context is not None:
            self._context.emit(handlers, name, *args)

    def _close_code(self, result: RunResult | None) -> int:
        if result is None or result.reason is EndReason.ENDED:
            return self.ended_code
        code = result.close_code
        if code is None or code in _NO_CLEAN_CLOSE:
            code = CLOSE_CODES.get(result.reason, _FAILED)
        return code

    def _watch(self, context: RunContext) -> None:
        now_s = anyio.current_time()
        context.call_at(now_s + self._params.write_timeout, self._check_write)
        if self._params.session_timeout is not None:
            # From the first start: a session that was stopped and resumed has no second life.
            if self._ends_at_s is None:
                self._ends_at_s = now_s + self._params.session_timeout
            if self._ends_at_s < math.inf:
                context.call_at(self._ends_at_s, self._time_out)
        if self._params.receive_timeout is not None:
            self._heard = (self._client.received, now_s)
            self._listen(context, now_s, self._params.receive_timeout)
        if self._client.is_gone:  # it left while nobody watched
            self._peer_left()
        elif self._verdict is not None:
            context.call_at(now_s + _CODE_GRACE_S, self._give_up)

    def _listen(self, context: RunContext, now_s: float, timeout_s: float) -> None:
        # It looks at the counter now and then, so that no message has to look at the clock.
        if self._client.received != self._heard[0]:
            self._heard = (self._client.received, now_s)
        if now_s - self._heard[1] >= timeout_s:
            error = f"the peer has sent nothing for {timeout_s} s"
            context.finish(EndReason.IDLE_TIMEOUT, error=error)
            return
        next_s = now_s + timeout_s / _LOOKS_PER_TIMEOUT
        context.call_at(next_s, lambda: self._listen(context, anyio.current_time(), timeout_s))

    def _peer_left(self) -> None:
        lost = self._client.close_code in _NO_CLEAN_CLOSE
        self._without_peer(EndReason.CLIENT_LOST if lost else EndReason.CLIENT_DISCONNECTED)

    def _without_peer(self, reason: EndReason, error: str | None = None) -> None:
        if self._verdict is not None:
            self._verdict.set()
        context = self._context
        # What was decided before is the cause, and the peer's leaving no more than its effect.
        if context is None or context.result is not None or self._peer is _Peer.LEFT:
            return
        connected = self._peer is _Peer.CONNECTED
        self._peer = _Peer.LEFT
        if connected:
            context.start_soon(self._client.trigger_client_disconnected)
        if self._params.end_on_disconnect or not connected or error is not None:
            context.finish(reason, close_code=self._client.close_code, error=error)

    def _send_failed(self) -> None:
        if self._context is not None:
            self._verdict = anyio.Event()
            self._context.call_at(anyio.current_time() + _CODE_GRACE_S, self._give_up)

    def _give_up(self) -> None:
        if self._client.give_up(LOST):
            self._without_peer(EndReason.CLIENT_LOST)

    def _time_out(self) -> None:
        context = self._context
        assert context is not None
        self._ends_at_s = math.inf  # it is told once
        context.start_soon(self._client.trigger_client_timeout)
        if self._params.end_on_session_timeout:
            context.finish(EndReason.SESSION_TIMEOUT)

    def _check_write(self) -> None:
        # It looks once every write timeout, which is enough to be exact: a write that begins
        # after one look is not too slow before the next. So no send needs a timer of its own.
        context = self._context
        assert context is not None
        now_s = anyio.current_time()
        deadline_s = self._client.write_deadline_s
        if deadline_s is None:
            context.call_at(now_s + self._params.write_timeout, self._check_write)
        elif now_s < deadline_s:
            context.call_at(deadline_s, self._check_write)
        elif self._client.give_up(CLOSE_CODES[EndReason.SLOW_CLIENT], "too slow"):
            self._without_peer(EndReason.SLOW_CLIENT, "the peer did not read in time")
