"""Instructions for parts of the graph."""

from typing import Any

from wsframes.frames.base import ControlFrame, UninterruptibleFrame

__all__ = ["VADParamsUpdateFrame"]


class VADParamsUpdateFrame(ControlFrame, UninterruptibleFrame):
    """New parameters for the voice activity detector."""

    params: Any
