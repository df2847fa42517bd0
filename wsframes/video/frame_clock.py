"""When the next image may leave: an absolute schedule.

Decides times and nothing else. Moment n is at ``start + n / framerate``, computed afresh from whole
numbers, so that it does not drift however long it runs. Moments that have passed are not made up
for: an image that comes late is worth nothing beside the next one.
"""

__all__ = ["FrameClock"]


class FrameClock:
    """The moments of one stream of images.

    Times are seconds of any one clock that never goes backwards.

    Args:
        framerate: images a second.
        now_s: the first moment.

    Raises:
        ValueError: the rate is not positive.
    """

    __slots__ = ("_framerate", "_number", "_start_s")

    def __init__(self, framerate: int, now_s: float) -> None:
        if framerate < 1:
            raise ValueError(f"framerate must be at least 1, not {framerate}")
        self._framerate = framerate
        self._start_s = now_s
        self._number = 0

    @property
    def due_s(self) -> float:
        """The next moment; in the past if it is overdue."""
        return self._start_s + self._number / self._framerate

    def resume(self, now_s: float) -> None:
        """Tell that an image has come after there was none.

        Where a whole period or more has been missed, the schedule starts anew, now; else it goes
        on: a source that is a little late is not slowed down by it.
        """
        if now_s - self.due_s >= 1 / self._framerate:
            self._start_s = now_s
            self._number = 0

    def tick(self, now_s: float) -> int:
        """Use the moment that is due, or the latest one, where more are overdue.

        Returns:
            How many were missed before it.
        """
        missed = max(0, int((now_s - self._start_s) * self._framerate) - self._number)
        # The division may have rounded up, and the moment not be reached.
        if missed and self._start_s + (self._number + missed) / self._framerate > now_s:
            missed -= 1
        self._number += missed + 1
        return missed
