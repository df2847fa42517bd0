"""Passes everything."""

from wsframes.graph import FrameProcessor

__all__ = ["IdentityFilter"]


class IdentityFilter(FrameProcessor):
    """Passes every frame on, both ways: a place in the pipeline where nothing happens.

    It costs no call: the graph moves a frame past a processor that does not override
    `process_frame`.
    """
