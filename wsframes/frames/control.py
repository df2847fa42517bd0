"""Instructions for parts of the graph."""

from typing import Any

from wsframes.frames.base import ControlFrame

__all__ = ["VADParamsUpdateFrame"]


class VADParamsUpdateFrame(ControlFrame):
    """New parameters for the voice activity detector."""

    params: Any
