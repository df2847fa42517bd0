"""The cost of making an object, by whoever makes it."""

import tracemalloc
from collections.abc import Callable

from benchmarks.contest import Measurement
from benchmarks.data import SAMPLE_RATE, message_audio
from benchmarks.timing import cpu_us

__all__ = ["measure_making"]


def measure_making(make: Callable[[bytes, int, int], object], frames: int) -> Measurement:
    """Make audio frames one after the other; then as many again, that are kept."""
    audio = message_audio()

    def run() -> None:
        for _ in range(frames):
            make(audio, SAMPLE_RATE, 1)

    create_us = cpu_us(run, frames)
    kept: list[object] = [None] * frames
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for index in range(frames):
        kept[index] = make(audio, SAMPLE_RATE, 1)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Measurement({"create_us": create_us, "memory_bytes": (after - before) / frames})
