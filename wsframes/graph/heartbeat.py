"""Heartbeats: frames that travel the ordered lane, so that a processor that is stuck is named."""

from collections.abc import Callable

import anyio

from wsframes.frames import HeartbeatFrame
from wsframes.graph.context import RunContext
from wsframes.graph.lane import LaneNode
from wsframes.graph.node import Node
from wsframes.graph.terminal import Terminal

__all__ = ["Heartbeats"]


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
        self._nodes = nodes
        self._period_s = period_s
        self._monitor_s = monitor_s
        self._missed = missed
        self._under_way: HeartbeatFrame | None = None

    def send(self) -> None:
        """Send one, and set the timers for it and for the next one."""
        now_s = anyio.current_time()
        if self._under_way is None:
            frame = self._under_way = HeartbeatFrame(now_s)
            self._source.send(frame)
            self._context.call_at(now_s + self._monitor_s, lambda: self._check(frame))
        self._context.call_at(now_s + self._period_s, self.send)

    def arrived(self, frame: HeartbeatFrame) -> None:
        """A heartbeat came out of the graph."""
        if frame is self._under_way:
            self._under_way = None

    def _check(self, frame: HeartbeatFrame) -> None:
        if frame is self._under_way:
            lanes = [node for node in self._nodes if isinstance(node, LaneNode)]
            holders = [lane.name for lane in lanes if lane.holds(HeartbeatFrame)]
            # In no lane: a function did not push it on.
            self._missed(holders[0] if holders else "a processor that did not push it on")
