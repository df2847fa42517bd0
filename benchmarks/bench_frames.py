"""What does it cost to make a frame, and how much memory does one take?

An `InputAudioRawFrame` of 640 bytes, with the fields that it has in common with all frames, against
a plain dataclass of the same fields, and against Pipecat's.
"""

import itertools
from dataclasses import dataclass, field
from typing import Any

from benchmarks.compare import pipecat_server
from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.making import measure_making
from wsframes import InputAudioRawFrame

__all__ = ["benchmark"]

_FRAMES = {"full": 100_000, "quick": 20_000, "smoke": 100}
_ROUNDS = {"full": 5, "quick": 3, "smoke": 1}

_next_id = itertools.count(1).__next__


@dataclass
class PlainFrame:
    audio: bytes
    sample_rate: int
    num_channels: int = 1
    id: int = field(default_factory=_next_id, kw_only=True)
    pts: int | None = field(default=None, kw_only=True)
    metadata: dict[str, Any] = field(default_factory=dict, kw_only=True)
    transport_source: str | None = field(default=None, kw_only=True)
    transport_destination: str | None = field(default=None, kw_only=True)


def benchmark(options: Options) -> Benchmark:
    amount = {"frames": _FRAMES[options.scale]}
    contenders = [
        Contender("dataclass", make_dataclass, amount),
        Contender("wsframes", make_wsframes, amount, against="dataclass"),
    ]
    if options.pipecat is not None:
        contenders.append(
            Contender(
                "pipecat", pipecat_server.make_frames, amount, against="wsframes", foreign=True
            )
        )
    bars = (Bar("wsframes", "create_us", 0.25),)
    return Benchmark("frames", __doc__, _ROUNDS[options.scale], tuple(contenders), bars)


def make_dataclass(frames: int) -> Measurement:
    return measure_making(PlainFrame, frames)


def make_wsframes(frames: int) -> Measurement:
    return measure_making(InputAudioRawFrame, frames)
