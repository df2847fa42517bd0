"""What does a frame pay at each processor?

Functions: a frame through a hundred of them in a row, against as many methods that call each
other. Lanes, idle: one frame at a time through ten lanes that sleep, against ten tasks that wake
each other by an anyio Event. Lanes, in a burst: ten thousand frames through ten lanes, against the
same Events. Pipecat has the like of both: processors in direct mode, and processors with queues and
tasks of their own, which is how all of its processors are unless they are told otherwise.
"""

from collections.abc import Sequence
from typing import Literal

import anyio

from benchmarks.compare import pipecat_server
from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.timing import cpu_us, cpu_us_async
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    Pipeline,
    PipelineTask,
    TextFrame,
)

__all__ = ["Kind", "benchmark", "hop_busy_lanes", "hop_one_by_one"]

_ROUNDS = {"full": 5, "quick": 2, "smoke": 1}
_FUNCTIONS = 100
_FUNCTION_FRAMES = {"full": 2_000, "quick": 500, "smoke": 5}
_LANES = 10
_IDLE_FRAMES = {"full": 1_000, "quick": 300, "smoke": 5}
Kind = Literal["function", "lane"]

_BURST_FRAMES = {"full": 10_000, "quick": 10_000, "smoke": 20}


def benchmark(options: Options) -> Benchmark:
    scale = options.scale
    through = {"processors": _FUNCTIONS, "frames": _FUNCTION_FRAMES[scale]}
    idle = {"processors": _LANES, "frames": _IDLE_FRAMES[scale]}
    burst = {"processors": _LANES, "frames": _BURST_FRAMES[scale]}
    contenders = [Contender("call", call_methods, through)]
    bars = []
    for backend in ("asyncio", "trio"):
        on = {"backend": backend}
        event = f"event {backend}"
        contenders += [
            Contender(f"function {backend}", hop_functions, through | on, against="call"),
            Contender(event, wake_by_events, idle | on),
            Contender(f"lane idle {backend}", hop_idle_lanes, idle | on, against=event),
            Contender(f"lane burst {backend}", hop_busy_lanes, burst | on, against=event),
        ]
        bars += [
            Bar(f"function {backend}", "hop_us", 0.3),
            Bar(f"lane idle {backend}", "hop_us", 1.15, of="ratio"),
            Bar(f"lane burst {backend}", "hop_us", 0.6),
        ]
    if options.pipecat is not None:
        # A hop of its bursts costs the same whatever their size, and ten times as long as ours.
        fewer = burst | {"frames": min(burst["frames"], 2_000)}
        for name, measure, amount, ours in (
            ("pipecat direct", pipecat_server.hop_direct, through, "function asyncio"),
            ("pipecat idle", pipecat_server.hop_idle, idle, "lane idle asyncio"),
            ("pipecat burst", pipecat_server.hop_busy, fewer, "lane burst asyncio"),
        ):
            contenders.append(Contender(name, measure, amount, against=ours, foreign=True))
        ours = "function asyncio"
        bars.append(Bar("pipecat idle", "hop_us", 100.0, of="ratio", at_least=True, against=ours))
    return Benchmark("hops", __doc__, _ROUNDS[scale], tuple(contenders), tuple(bars))


# What there is to compare with.


class Caller:
    """The least that a chain of processors could be."""

    def __init__(self, following: "Caller | None") -> None:
        self._following = following

    def process_frame(self, frame: object, direction: object) -> None:
        if self._following is not None:
            self._following.process_frame(frame, direction)


def call_methods(processors: int, frames: int) -> Measurement:
    first = Caller(None)
    for _ in range(processors):
        first = Caller(first)
    frame, direction = TextFrame("hop"), FrameDirection.DOWNSTREAM

    def run() -> None:
        for _ in range(frames):
            first.process_frame(frame, direction)

    return Measurement({"hop_us": cpu_us(run, frames * processors)})


def wake_by_events(processors: int, frames: int, backend: str) -> Measurement:
    async def main() -> float:
        events = [anyio.Event() for _ in range(processors + 1)]

        async def pass_on(index: int) -> None:
            while True:
                await events[index].wait()
                events[index] = anyio.Event()
                events[index + 1].set()

        async def run() -> None:
            for _ in range(frames):
                events[0].set()
                await events[-1].wait()
                events[-1] = anyio.Event()

        async with anyio.create_task_group() as tasks:
            for index in range(processors):
                tasks.start_soon(pass_on, index)
            hop_us = await cpu_us_async(run, frames * processors)
            tasks.cancel_scope.cancel()
        return hop_us

    return Measurement({"hop_us": anyio.run(main, backend=backend)})


# wsframes.


class Function(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.push_frame_nowait(frame, direction)


class InLane(FrameProcessor):
    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)


class Counter(FrameProcessor):
    """The end of the pipeline: counts the frames, and tells when all have come."""

    def __init__(self) -> None:
        super().__init__()
        self._missing = 0
        self._all = anyio.Event()

    def expect(self, frames: int) -> anyio.Event:
        self._missing = frames
        self._all = anyio.Event()
        return self._all

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            self._missing -= 1
            if not self._missing:
                self._all.set()


def hop_functions(processors: int, frames: int, backend: str) -> Measurement:
    row = [Function() for _ in range(processors)]
    return _hop(row, [frames], backend)


def hop_idle_lanes(processors: int, frames: int, backend: str) -> Measurement:
    row = [InLane() for _ in range(processors)]
    return _hop(row, [1] * frames, backend)


def hop_busy_lanes(processors: int, frames: int, backend: str) -> Measurement:
    row = [InLane() for _ in range(processors)]
    return _hop(row, [frames], backend)


def hop_one_by_one(kind: Kind, processors: int, frames: int, backend: str) -> float:
    """Microseconds a hop, of one frame at a time through a row of one kind of processor."""
    row = [Function() if kind == "function" else InLane() for _ in range(processors)]
    return _hop(row, [1] * frames, backend).figures["hop_us"]


def _hop(row: Sequence[FrameProcessor], bursts: Sequence[int], backend: str) -> Measurement:
    """Send bursts of frames through a row, each when the one before has come through."""

    async def main() -> float:
        counter = Counter()
        task = PipelineTask(Pipeline([*row, counter]))
        started = anyio.Event()
        task.add_event_handler("on_pipeline_started", lambda task, frame: started.set())
        burst_frames = [[TextFrame("hop") for _ in range(size)] for size in bursts]

        async def run() -> None:
            for frames in burst_frames:
                arrived = counter.expect(len(frames))
                for frame in frames:
                    await task.queue_frame(frame)
                await arrived.wait()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(task.run)
            await started.wait()
            hop_us = await cpu_us_async(run, sum(bursts) * len(row))
            await task.cancel()
        return hop_us

    return Measurement({"hop_us": anyio.run(main, backend=backend)})
