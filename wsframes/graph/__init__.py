"""Processors, how they are put together, and what runs them."""

from typing import TYPE_CHECKING, Any

from wsframes.graph.mailbox import QueueLimits, QueueStatistics
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.observer import BaseObserver, FramePushed
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.pipeline import ParallelPipeline, Pipeline
from wsframes.graph.processor import FrameProcessor
from wsframes.graph.runner import PipelineRunner
from wsframes.graph.task import PipelineTask

if TYPE_CHECKING:
    from wsframes.graph.params import PipelineParams

__all__ = [
    "BaseObserver",
    "EndReason",
    "FrameProcessor",
    "FramePushed",
    "ParallelPipeline",
    "Pipeline",
    "PipelineParams",
    "PipelineRunner",
    "PipelineTask",
    "ProcessingMetrics",
    "QueueLimits",
    "QueueStatistics",
    "RunResult",
]


def __getattr__(name: str) -> Any:
    # It is a pydantic model, and to import pydantic takes as long as all the rest. Whoever runs a
    # pipeline or has a transport imports it then.
    if name == "PipelineParams":
        from wsframes.graph.params import PipelineParams

        return PipelineParams
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
