"""What a processor leaves as it is in the base class, so that it costs nothing."""

from collections.abc import Callable
from typing import Any

from wsframes.graph.processor import FrameProcessor

__all__ = ["has_nowait", "passes_all"]


def passes_all(processor: FrameProcessor) -> bool:
    """Whether it leaves `process_frame` alone: then every frame passes."""
    return _is_inherited(processor.process_frame, FrameProcessor.process_frame)


def has_nowait(processor: FrameProcessor) -> bool:
    """Whether it can deal with frames that would otherwise be queued."""
    return not _is_inherited(processor.process_frame_nowait, FrameProcessor.process_frame_nowait)


def _is_inherited(method: Callable[..., Any], base: Callable[..., Any]) -> bool:
    return getattr(method, "__func__", None) is base
