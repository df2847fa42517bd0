"""Lays a pipeline out as the linked places of one run."""

from collections.abc import Sequence
from itertools import pairwise

from wsframes.frames import FrameDirection
from wsframes.graph.context import RunContext
from wsframes.graph.function import FunctionNode
from wsframes.graph.junction import Junction
from wsframes.graph.lane import LaneNode
from wsframes.graph.node import Node
from wsframes.graph.pipeline import ParallelPipeline, Pipeline, Section
from wsframes.graph.processor import FrameProcessor

__all__ = ["detach", "wire"]


def wire(
    context: RunContext, pipeline: Pipeline, source: Node, sink: Node
) -> list[Node]:
    """Give every processor its place, and link all of them between source and sink.

    Returns:
        The places in the order in which frames reach them, the source and the sink included.
    """
    nodes: list[Node] = []
    spine = [source, *_place(context, pipeline, nodes), sink]
    _link(spine)
    return [source, *nodes, sink]


def detach(pipeline: Pipeline) -> None:
    """Take every processor out of its place."""
    for processor in pipeline:
        processor._attach(None)


def _place(context: RunContext, section: Section, nodes: list[Node]) -> list[Node]:
    if isinstance(section, Pipeline):
        return [node for inner in section.sections for node in _place(context, inner, nodes)]
    if isinstance(section, ParallelPipeline):
        return _place_parallel(context, section, nodes)
    node = _node_of(context, section)
    section._attach(node)
    nodes.append(node)
    return [node]


def _place_parallel(
    context: RunContext, section: ParallelPipeline, nodes: list[Node]
) -> list[Node]:
    fork = Junction(context, "ParallelPipeline fork", FrameDirection.DOWNSTREAM)
    join = Junction(context, "ParallelPipeline join", FrameDirection.UPSTREAM)
    nodes.append(fork)
    for branch in section.branches:
        spine = [fork, *_place(context, branch, nodes), join]
        _link(spine)
        fork.add_branch(spine[1])
        join.add_branch(spine[-2])
    nodes.append(join)
    return [fork, join]


def _node_of(context: RunContext, processor: FrameProcessor) -> Node:
    if processor._is_lane():
        return LaneNode(context, processor)
    return FunctionNode(context, processor)


def _link(spine: Sequence[Node]) -> None:
    # A junction splits towards its branches by a list of its own, so that it does not matter
    # which branch, or the spine, linked that side last.
    for prev, node in pairwise(spine):
        prev.link_next(node)
        node.link_prev(prev)
