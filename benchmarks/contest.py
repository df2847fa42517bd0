"""What a benchmark is made of: contenders, the figures they are measured by, and bars.

Plain data without wsframes, so that it can be loaded by an interpreter that has none of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Bar",
    "Benchmark",
    "BenchmarkFailed",
    "Contender",
    "Measurement",
    "Options",
    "Scale",
]

Scale = Literal["full", "quick", "smoke"]
"""How much is measured: for figures to publish, for a look, and to see that it runs at all."""


class BenchmarkFailed(Exception):
    """Something that was to be measured did not run."""


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        scale: how much is measured.
        pipecat: a Python that has pipecat-ai, to compare with; None: no comparison.
        servers: the ASGI servers to measure on, by their names in `serve`; empty: each benchmark
            has its own.
        sessions: how many at once, where there are sessions; empty: as the scale says.
    """

    scale: Scale = "full"
    pipecat: str | None = None
    servers: tuple[str, ...] = ()
    sessions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """What one run of one contender has given.

    Attributes:
        figures: by name; a name ends in its unit.
        details: anything else that is worth keeping, as JSON.
    """

    figures: dict[str, float]
    details: Any = None


@dataclass(frozen=True)
class Contender:
    """One thing to measure.

    Attributes:
        name: unique in its benchmark.
        measure: called with `arguments` in a process of its own; a function of a module.
        arguments: JSON-like.
        against: the contender that its ratios are formed with.
        foreign: whether it runs under the Python that has Pipecat.
    """

    name: str
    measure: Callable[..., Measurement]
    arguments: dict[str, Any] = field(default_factory=dict)
    against: str | None = None
    foreign: bool = False


@dataclass(frozen=True)
class Bar:
    """What a figure must not exceed, or must reach.

    Attributes:
        contender: whose.
        figure: which.
        limit: of the figure itself; of its ratio to that of `against`; or of its excess over it.
        of: which of these.
        at_least: the limit is to be reached, and not to be kept under.
        against: the other contender; None: `Contender.against`.
    """

    contender: str
    figure: str
    limit: float
    of: Literal["value", "ratio", "excess"] = "value"
    at_least: bool = False
    against: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """One question.

    Attributes:
        name: what it is asked for by.
        question: the docstring of its module.
        rounds: how often every contender is measured; all of them in each round.
        contenders: in the order of the table.
        bars: what has to be reached.
    """

    name: str
    question: str
    rounds: int
    contenders: tuple[Contender, ...]
    bars: tuple[Bar, ...] = ()
