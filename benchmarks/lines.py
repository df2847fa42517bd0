"""A straight line through what was measured, and how far from it the farthest measurement is."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Line", "line_through"]


class Line(NamedTuple):
    """The least squares.

    Attributes:
        slope: more of the cost for one more of the work.
        off_percent: how far the farthest measurement is from the line, in percent of the largest.
    """

    slope: float
    off_percent: float


def line_through(work: Sequence[float], cost: Sequence[float]) -> Line:
    """Of two measurements or more."""
    slope, intercept = statistics.linear_regression(work, cost)
    farthest = max(
        abs(value - (intercept + slope * amount)) for amount, value in zip(work, cost, strict=True)
    )
    largest = max(cost)
    return Line(slope, 100 * farthest / largest if largest else 0.0)
