"""Which frames the graph is moving by itself."""

from weakref import ref

from wsframes.frames import Frame

__all__ = ["Moving"]


class Moving:
    """The lifecycle frames that move in one direction; none is kept alive for that.

    There are a few of them at a time, so a list costs less than a set of weak references does, in
    memory above all: that is a kilobyte for each session.
    """

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: list[ref[Frame]] = []

    def add(self, frame: Frame) -> bool:
        """Note a frame; False if it is noted already."""
        if frame in self:
            return False
        self._frames = [each for each in self._frames if each() is not None]
        self._frames.append(ref(frame))
        return True

    def __contains__(self, frame: Frame) -> bool:
        return any(each() is frame for each in self._frames)
