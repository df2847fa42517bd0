"""Heartbeats: frames that travel the ordered lane, so that a processor that is stuck is named."""

from collections.abc import Callable

import anyio

from wsframes.frames import HeartbeatFrame
from wsframes.graph.context import RunContext
from wsframes.graph.lane import LaneNode
from wsframes.graph.node import Node
from wsframes.graph.states import NodeState
from wsframes.graph.terminal import Terminal

__all__ = ["Heartbeats"]

_OVER = (NodeState.STOPPED, NodeState.ENDED, NodeState.CANCELLED)


class Heartbeats:
    """Sends one at a time, and notices when it does not arrive.

    Args:
        context: the run.
        source: where they are sent from.
        nodes: all places of the graph, in order.
        period_s: time between two.
        monitor_s: how long one may take.
        missed: called once for a heartbeat that takes longer, with the name of the processor that
            it waits in.
    """

    def __init__(
        self,
        context: RunContext,
        source: Terminal,
        nodes: list[Node],
        *,
        period_s: float,
        monitor_s: float,
        missed: Callable[[str], None],
    ) -> None:
        self._context = context
        self._source = source
        self._lanes = [node for node in nodes if isinstance(node, LaneNode)]
        self._period_s = period_s
        self._monitor_s = monitor_s
        self._missed = missed
        self._last: HeartbeatFrame | None = None
        self._has_arrived = True

    def send(self) -> None:
        """Send one, unless the last one is still under way, and set the timers."""
        if self._source.state in _OVER:
            return  # behind an end nothing ordered is sent
        now_s = anyio.current_time()
        if self._is_free_at(now_s):
            frame = self._last = HeartbeatFrame(now_s)
            self._has_arrived = False
            self._context.call_at(now_s + self._monitor_s, lambda: self._check(frame))
            self._source.send(frame)
        self._context.call_at(now_s + self._period_s, self.send)

    def arrived(self, frame: HeartbeatFrame) -> None:
        """A heartbeat came out of the graph."""
        if frame is self._last:
            self._has_arrived = True

    def _is_free_at(self, now_s: float) -> bool:
        last = self._last
        if last is None:
            return True
        is_lost = now_s >= last.timestamp_s + self._monitor_s
        return self._holder(last) is None and (self._has_arrived or is_lost)

    def _holder(self, frame: HeartbeatFrame) -> str | None:
        # Of one that has arrived too: it may still wait in another branch.
        return next((lane.name for lane in self._lanes if lane.holds(frame)), None)

    def _check(self, frame: HeartbeatFrame) -> None:
        if frame is not self._last:
            return
        holder = self._holder(frame)
        if holder is not None:
            self._missed(holder)
        elif not self._has_arrived:
            self._missed("a processor that did not push it on")
