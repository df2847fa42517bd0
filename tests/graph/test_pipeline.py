"""How processors are put together."""

from typing import Any

import pytest

from tests.graph.parts import Function
from wsframes.exceptions import UsageError
from wsframes.graph import ParallelPipeline, Pipeline


def test_it_lists_its_processors_in_order_however_they_are_nested() -> None:
    a, b, c, d = (Function(name) for name in "abcd")
    pipeline = Pipeline([a, Pipeline([b, ParallelPipeline([c], [])]), Pipeline([]), d])
    assert list(pipeline) == [a, b, c, d]
    assert list(ParallelPipeline(Pipeline([a]), [b])) == [a, b]


@pytest.mark.parametrize("wrong", [None, "Echo", Function, [Function()]])
def test_what_is_no_processor_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="cannot stand in a pipeline"):
        Pipeline([wrong])
    with pytest.raises(UsageError, match="cannot stand in a pipeline"):
        ParallelPipeline([wrong])


def test_a_processor_stands_in_a_pipeline_once() -> None:
    a = Function("a")
    with pytest.raises(UsageError, match="a stands in the pipeline twice"):
        Pipeline([a, Pipeline([a])])
    with pytest.raises(UsageError, match="a stands in the pipeline twice"):
        ParallelPipeline([a], [a])


def test_names_are_unique() -> None:
    with pytest.raises(UsageError, match="two processors of the pipeline are named 'a'"):
        Pipeline([Function("a"), ParallelPipeline([Function("a")])])


@pytest.mark.parametrize("name", ["source", "sink"])
def test_the_names_of_the_ends_are_taken(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is the name of an end of every pipeline"):
        Pipeline([Function(name)])


def test_a_parallel_pipeline_has_branches() -> None:
    with pytest.raises(UsageError, match="needs at least one branch"):
        ParallelPipeline()
