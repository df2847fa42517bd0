"""Passes frames by their type."""

from collections import Counter
from collections.abc import Iterable

from wsframes.exceptions import UsageError
from wsframes.frames import Frame, FrameDirection
from wsframes.graph import FrameProcessor
from wsframes.processors.passage import passes_filters

__all__ = ["FrameFilter", "NullFilter"]


class FrameFilter(FrameProcessor):
    """Passes frames of some types, both ways, and drops the rest.

    System frames, lifecycle frames and heartbeats always pass.

    Args:
        types: the types that pass, with their subclasses.
        name: for logs, errors and statistics.

    Raises:
        UsageError: `types` holds something else than frame types.
    """

    def __init__(self, types: Iterable[type[Frame]], *, name: str | None = None) -> None:
        super().__init__(name=name)
        self._types = () if isinstance(types, type) else tuple(types)
        if isinstance(types, type) or not all(map(_is_frame_type, self._types)):
            raise UsageError(f"types is a collection of frame types, not {types!r}")
        self.dropped: Counter[str] = Counter()
        """Frames that did not pass, by the reason `filtered`."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, self._types) or passes_filters(frame):
            self.push_frame_nowait(frame, direction)
        else:
            self.dropped["filtered"] += 1


class NullFilter(FrameProcessor):
    """Passes system frames, lifecycle frames and heartbeats only."""

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.dropped: Counter[str] = Counter()
        """Frames that did not pass, by the reason `filtered`."""

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if passes_filters(frame):
            self.push_frame_nowait(frame, direction)
        else:
            self.dropped["filtered"] += 1


def _is_frame_type(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Frame)
