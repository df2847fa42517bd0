"""Pipecat at the same work: its frames, its hops, and its echo over a FastAPI websocket.

Runs under a Python that has `pipecat-ai[websocket]` and uvicorn, never under that of wsframes, and
imports Pipecat only where something is measured. What costs and is not needed for the work is
switched off: logging, client protocol, turn tracking, idle timeouts.
"""

import asyncio
import functools
import importlib
from collections.abc import Sequence
from typing import Any

from benchmarks.contest import Measurement
from benchmarks.data import SAMPLE_RATE
from benchmarks.lines import line_through
from benchmarks.making import measure_making
from benchmarks.timing import cpu_us_async

__all__ = ["echo", "hop_busy", "hop_direct", "hop_idle", "lengthen", "make_frames", "version"]


def version() -> Measurement:
    """Which Pipecat it is."""
    metadata = importlib.import_module("importlib.metadata")
    return Measurement({}, details=metadata.version("pipecat-ai"))


def make_frames(frames: int) -> Measurement:
    return measure_making(_pipecat("frames.frames").InputAudioRawFrame, frames)


def hop_direct(processors: int, frames: int) -> Measurement:
    return _hop(processors, [1] * frames, direct=True)


def hop_idle(processors: int, frames: int) -> Measurement:
    return _hop(processors, [1] * frames, direct=False)


def hop_busy(processors: int, frames: int) -> Measurement:
    return _hop(processors, [frames], direct=False)


def lengthen(processors: Sequence[int], frames: int) -> Measurement:
    """One frame at a time through rows of several lengths."""
    costs_us = [hop_idle(number, frames).figures["hop_us"] * number for number in processors]
    line = line_through(processors, costs_us)
    return Measurement(
        {"more_processor_us": line.slope, "off_line_percent": line.off_percent},
        details={"sizes": list(processors), "costs": costs_us, "unit": "processor_us"},
    )


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application: what comes in as bare PCM goes out as bare PCM."""
    await _EchoApp.get()(scope, receive, send)


def _pipecat(module: str) -> Any:
    loguru: Any = importlib.import_module("loguru")
    loguru.logger.remove()
    loaded = importlib.import_module(f"pipecat.{module}")
    loguru.logger.remove()  # Pipecat adds one of its own
    loguru.logger.disable("pipecat")
    return loaded


def _worker(processors: Sequence[Any]) -> Any:
    pipeline = _pipecat("pipeline.pipeline").Pipeline(list(processors))
    worker = _pipecat("pipeline.worker")
    return worker.PipelineWorker(
        pipeline,
        params=worker.PipelineParams(
            audio_in_sample_rate=SAMPLE_RATE, audio_out_sample_rate=SAMPLE_RATE
        ),
        enable_rtvi=False,
        enable_turn_tracking=False,
        idle_timeout_secs=None,
    )


def _hop(processors: int, bursts: Sequence[int], *, direct: bool) -> Measurement:
    """Send bursts of frames through a row, each when the one before has come through."""
    frames = _pipecat("frames.frames")
    base = _pipecat("processors.frame_processor").FrameProcessor

    class Forward(base):  # type: ignore[misc,valid-type]  # known only when it runs
        async def process_frame(self, frame: Any, direction: Any) -> None:
            await super().process_frame(frame, direction)
            await self.push_frame(frame, direction)

    class Counter(base):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            super().__init__(enable_direct_mode=True)
            self.missing = 0
            self.arrived = asyncio.Event()

        async def process_frame(self, frame: Any, direction: Any) -> None:
            await super().process_frame(frame, direction)
            if isinstance(frame, frames.TextFrame):
                self.missing -= 1
                if not self.missing:
                    self.arrived.set()
            else:
                await self.push_frame(frame, direction)

    async def main() -> float:
        counter = Counter()
        row = [Forward(enable_direct_mode=direct) for _ in range(processors)]
        worker = _worker([*row, counter])
        started = asyncio.Event()

        @worker.event_handler("on_pipeline_started")  # type: ignore[untyped-decorator]
        async def tell(worker: Any, frame: Any) -> None:
            started.set()

        runner = _pipecat("workers.runner").WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        running = asyncio.create_task(runner.run())
        await started.wait()
        sent = [[frames.TextFrame("hop") for _ in range(size)] for size in bursts]

        async def run() -> None:
            for burst in sent:
                counter.arrived.clear()
                counter.missing = len(burst)
                for frame in burst:
                    await worker.queue_frame(frame)
                await counter.arrived.wait()

        hop_us = await cpu_us_async(run, sum(bursts) * processors)
        await worker.cancel()
        await running
        return hop_us

    return Measurement({"hop_us": asyncio.run(main())})


class _EchoApp:
    """Everything of Pipecat that the echo needs, imported once."""

    def __init__(self) -> None:
        frames = _pipecat("frames.frames")
        transport = _pipecat("transports.websocket.fastapi")
        serializer_base = _pipecat("serializers.base_serializer").FrameSerializer
        processor_base = _pipecat("processors.frame_processor").FrameProcessor
        self._websocket = importlib.import_module("starlette.websockets").WebSocket
        self._runner = _pipecat("workers.runner").WorkerRunner
        self._transport = transport.FastAPIWebsocketTransport
        self._params = transport.FastAPIWebsocketParams

        class PCM(serializer_base):  # type: ignore[misc,valid-type]
            async def serialize(self, frame: Any) -> bytes | None:
                return frame.audio if isinstance(frame, frames.OutputAudioRawFrame) else None

            async def deserialize(self, data: str | bytes) -> Any:
                return frames.InputAudioRawFrame(data, SAMPLE_RATE, 1)

        class Echo(processor_base):  # type: ignore[misc,valid-type]
            async def process_frame(self, frame: Any, direction: Any) -> None:
                await super().process_frame(frame, direction)
                if isinstance(frame, frames.InputAudioRawFrame):
                    frame = frames.OutputAudioRawFrame(
                        frame.audio, frame.sample_rate, frame.num_channels
                    )
                await self.push_frame(frame, direction)

        self._serializer = PCM
        self._processor = Echo

    @classmethod
    @functools.cache
    def get(cls) -> "_EchoApp":
        return cls()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        websocket = self._websocket(scope, receive, send)
        await websocket.accept()
        transport = self._transport(
            websocket,
            self._params(
                audio_in_enabled=True,
                audio_out_enabled=True,
                audio_out_10ms_chunks=2,
                serializer=self._serializer(),
            ),
        )
        worker = _worker([transport.input(), self._processor(), transport.output()])

        @transport.event_handler("on_client_disconnected")  # type: ignore[untyped-decorator]
        async def end(transport: Any, websocket: Any) -> None:
            await worker.cancel()

        runner = self._runner(handle_sigint=False)
        await runner.add_workers(worker)
        await runner.run()
