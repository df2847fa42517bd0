"""Lays a pipeline out as the linked places of one run."""

import itertools
from collections.abc import Iterable
from itertools import pairwise

from wsframes.frames import FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.function import FunctionNode
from wsframes.graph.junction import Junction
from wsframes.graph.lane import LaneNode
from wsframes.graph.node import Node
from wsframes.graph.pipeline import ParallelPipeline, Pipeline, Section
from wsframes.graph.processor import FrameProcessor

__all__ = ["attach", "detach", "wire"]


def wire(context: RunContext, pipeline: Pipeline, source: Node, sink: Node) -> list[Node]:
    """Give every processor its place, and link all of them between source and sink.

    Returns:
        The places in the order in which frames reach them, the source and the sink included.
    """
    nodes: list[Node] = [source]
    spine = _Wiring(context, nodes).place(pipeline)
    nodes.append(sink)
    _link([source, *spine, sink])
    context.dispatcher.sink = sink
    return nodes


def attach(pipeline: Pipeline, nodes: Iterable[Node]) -> None:
    """Put every processor back into its place."""
    places = {node.name: node for node in nodes}
    for processor in pipeline:
        processor._node = places[processor.name]


def detach(pipeline: Pipeline) -> None:
    """Take every processor out of its place."""
    for processor in pipeline:
        processor._node = None


class _Wiring:
    def __init__(self, context: RunContext, nodes: list[Node]) -> None:
        self._context = context
        self._nodes = nodes
        self._numbers = itertools.count()

    def place(self, section: Section) -> list[Node]:
        """Make the places of a section; those that are linked to its neighbours, in order."""
        if isinstance(section, Pipeline):
            return [node for inner in section.sections for node in self.place(inner)]
        if isinstance(section, ParallelPipeline):
            return self._place_parallel(section)
        return [self._place_processor(section)]

    def _place_processor(self, processor: FrameProcessor) -> Node:
        place = LaneNode if processor._is_lane() else FunctionNode
        node = processor._node = place(self._context, processor)
        self._nodes.append(node)
        return node

    def _place_parallel(self, section: ParallelPipeline) -> list[Node]:
        name = f"ParallelPipeline#{next(self._numbers)}"
        fork = Junction(self._context, f"{name} fork", FrameDirection.DOWNSTREAM)
        join = Junction(self._context, f"{name} join", FrameDirection.UPSTREAM)
        fork.split_before, join.split_before = join.split, fork.split
        self._nodes.append(fork)
        for branch in section.branches:
            nodes = self.place(branch)
            _link(nodes)
            into, out_of = fork.add_port(), join.add_port()
            if nodes:
                nodes[0].link_prev(into)
                nodes[-1].links.next = out_of
            fork.add_branch(nodes[0] if nodes else out_of)
            join.add_branch(nodes[-1] if nodes else into)
        self._nodes.append(join)
        join.links.prev = fork  # the way to the source, for what goes past the branches
        return [fork, join]


def _link(spine: list[Node]) -> None:
    for prev, node in pairwise(spine):
        # Fork and join of one ParallelPipeline have the branches between them.
        if node.links.prev is not prev:
            prev.links.next = node
            node.link_prev(prev)
