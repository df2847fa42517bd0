"""Processors, how they are put together, and what runs them."""

from wsframes.graph.mailbox import QueueLimits, QueueStatistics
from wsframes.graph.metrics import ProcessingMetrics
from wsframes.graph.observer import BaseObserver, FramePushed
from wsframes.graph.outcome import EndReason, RunResult
from wsframes.graph.params import PipelineParams
from wsframes.graph.pipeline import ParallelPipeline, Pipeline
from wsframes.graph.processor import FrameProcessor
from wsframes.graph.runner import PipelineRunner
from wsframes.graph.task import PipelineTask

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
