"""How processors are put together: one after the other, or side by side."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Union

from wsframes.exceptions import UsageError
from wsframes.graph.processor import FrameProcessor

__all__ = ["ParallelPipeline", "Pipeline", "Section"]

Section = Union[FrameProcessor, "Pipeline", "ParallelPipeline"]
"""What can stand in a pipeline."""

# The two ends of every run, as they are called in its statistics.
_RESERVED = ("source", "sink")


class Pipeline:
    """Processors one after the other. The first is the most upstream one.

    A pipeline may stand in another one; that costs nothing, the inner one is laid out flat.

    Args:
        processors: processors and pipelines, each at most once; empty: frames pass.

    Raises:
        UsageError: something else is in the list, or a processor is there twice.
    """

    def __init__(self, processors: Iterable[Section]) -> None:
        self.sections: Sequence[Section] = tuple(processors)
        _check(self.sections)

    def __iter__(self) -> Iterator[FrameProcessor]:
        for section in self.sections:
            yield from (section,) if isinstance(section, FrameProcessor) else section


class ParallelPipeline:
    """Pipelines side by side: each frame goes into every branch.

    What comes out of the branches is merged: a frame that several branches let through passes
    once, when the first of them delivers it; each branch keeps its order. Lifecycle frames pass
    when all branches have delivered them; so an `EndFrame` that a processor in one branch pushes
    ends that branch only, until the others have had theirs. The same holds upstream.

    Args:
        branches: a `Pipeline` each, or the list of one; an empty branch lets all frames pass.

    Raises:
        UsageError: there is no branch, or as in `Pipeline`.
    """

    def __init__(self, *branches: Pipeline | Iterable[Section]) -> None:
        if not branches:
            raise UsageError("a ParallelPipeline needs at least one branch")
        self.branches: Sequence[Pipeline] = tuple(
            branch if isinstance(branch, Pipeline) else Pipeline(branch) for branch in branches
        )
        _check(self.branches)

    def __iter__(self) -> Iterator[FrameProcessor]:
        for branch in self.branches:
            yield from branch


def _check(sections: Sequence[Section]) -> None:
    named: dict[str, FrameProcessor] = {}
    for section in sections:
        if not isinstance(section, FrameProcessor | Pipeline | ParallelPipeline):
            raise UsageError(
                f"{section!r} cannot stand in a pipeline: it is no FrameProcessor, Pipeline or "
                "ParallelPipeline"
            )
        for processor in (section,) if isinstance(section, FrameProcessor) else section:
            if processor.name in _RESERVED:
                raise UsageError(f"{processor.name!r} is the name of an end of every pipeline")
            if named.get(processor.name) is processor:
                raise UsageError(f"{processor.name} stands in the pipeline twice")
            if processor.name in named:
                raise UsageError(f"two processors of the pipeline are named {processor.name!r}")
            named[processor.name] = processor
