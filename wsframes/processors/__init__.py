"""Ready-made processors: filters, a processor of a plain function, a logger, an idle watcher."""

from wsframes.processors.frame_filter import FrameFilter, NullFilter
from wsframes.processors.frame_logger import FrameLogger
from wsframes.processors.function import FunctionProcessor, processor
from wsframes.processors.function_filter import FunctionFilter
from wsframes.processors.identity import IdentityFilter
from wsframes.processors.idle import IdleFrameProcessor

__all__ = [
    "FrameFilter",
    "FrameLogger",
    "FunctionFilter",
    "FunctionProcessor",
    "IdentityFilter",
    "IdleFrameProcessor",
    "NullFilter",
    "processor",
]
