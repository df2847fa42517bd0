"""What does hearing cost beyond the voice activity detector itself?

Speech, 20 ms a message, through a session that only reads it. `added_us` is what `vad_analyzer`
with Silero adds to it, per window of 32 ms; against `own_us`, what Silero itself takes there: a
processor that does no more than ask it for each window, less the same one that asks nothing.
`alone_us` is a window in a loop of nothing else, where the model stays in the caches; sessions do
not have that. All in one process, in turns. The bar: hearing adds no more than a tenth to Silero's
own cost.
"""

import itertools
import statistics
import time
import wave
from importlib.resources import files
from typing import Any

import anyio
import anyio.lowlevel

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    Pipeline,
    PipelineTask,
)
from wsframes.audio import Packetizer
from wsframes.serializers import RawAudioSerializer
from wsframes.transport import WebsocketParams, WebsocketTransport
from wsframes.vad import VADAnalyzer
from wsframes.vad.silero import SileroVADAnalyzer

__all__ = ["benchmark"]

_MESSAGES = {"full": 2_000, "quick": 500, "smoke": 10}
_REPEATS = {"full": 9, "quick": 5, "smoke": 2}
_ROUNDS = {"full": 2, "quick": 1, "smoke": 1}

_RATE = 16000
_MESSAGE_BYTES = 640
_WINDOW_BYTES = 1024


def benchmark(options: Options) -> Benchmark:
    arguments = {"messages": _MESSAGES[options.scale], "repeats": _REPEATS[options.scale]}
    names = [f"silero {backend}" for backend in ("asyncio", "trio")]
    contenders = [
        Contender(name, hear, arguments | {"backend": name.partition(" ")[2]}) for name in names
    ]
    bars = tuple(Bar(name, "added_per_own_ratio", 1.1) for name in names)
    return Benchmark("vad", __doc__, _ROUNDS[options.scale], tuple(contenders), bars)


def hear(messages: int, repeats: int, backend: str) -> Measurement:
    speech = _speech(messages * _MESSAGE_BYTES)
    window_us = 1e6 * _WINDOW_BYTES / (messages * _MESSAGE_BYTES)
    alone, own, added = [], [], []
    for _ in range(repeats + 1):
        asking = _session_s(speech, backend, Asking(_analyzer()))
        asking_nobody = _session_s(speech, backend, Asking(None))
        hearing = _session_s(speech, backend, vad_analyzer=_analyzer())
        deaf = _session_s(speech, backend)
        own.append((asking - asking_nobody) * window_us)
        added.append((hearing - deaf) * window_us)
        alone.append(_alone_s(speech) * window_us)
    ratios = [more / itself for more, itself in zip(added[1:], own[1:], strict=True)]
    return Measurement(
        {
            "alone_us": statistics.median(alone[1:]),
            "own_us": statistics.median(own[1:]),
            "added_us": statistics.median(added[1:]),
            "added_per_own_ratio": statistics.median(ratios),
        }
    )


class Asking(FrameProcessor):
    """Asks an analyzer about each window, and does nothing with the answer."""

    def __init__(self, analyzer: VADAnalyzer | None) -> None:
        super().__init__()
        self._ask = _ask if analyzer is not None else _ask_nobody
        self._analyzer = analyzer
        self._windows = Packetizer(_WINDOW_BYTES)

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            for window in self._windows.push(frame.audio):
                self._ask(self._analyzer, window)
        self.push_frame_nowait(frame, direction)


def _ask(analyzer: Any, window: bytes) -> None:
    if analyzer.voice_confidence(window) >= analyzer.params.confidence:
        analyzer.volume(window)


def _ask_nobody(analyzer: Any, window: bytes) -> None:
    pass


def _analyzer() -> VADAnalyzer:
    analyzer = SileroVADAnalyzer()
    analyzer.set_sample_rate(_RATE)
    return analyzer


def _speech(length: int) -> bytes:
    """The demo's phrases, over and over: the costs of speech and of silence are not the same."""
    phrases = b""
    for number in (1, 2, 3):
        path = files("wsframes.demo") / "speech" / f"{number}.wav"
        with path.open("rb") as file, wave.open(file) as wav:
            phrases += wav.readframes(wav.getnframes()) + bytes(_RATE)
    return (phrases * (length // len(phrases) + 1))[:length]


def _alone_s(speech: bytes) -> float:
    analyzer = _analyzer()
    windows = Packetizer(_WINDOW_BYTES).push(speech)
    begun_s = time.process_time()
    for window in windows:
        _ask(analyzer, window)
    return time.process_time() - begun_s


def _session_s(
    speech: bytes,
    backend: str,
    processor: FrameProcessor | None = None,
    vad_analyzer: VADAnalyzer | None = None,
) -> float:
    """CPU seconds from the first message to the last."""
    messages = Packetizer(_MESSAGE_BYTES).push(speech)
    begun_s = ended_s = 0.0
    events: Any = itertools.chain(
        [{"type": "websocket.connect"}],
        ({"type": "websocket.receive", "bytes": audio} for audio in messages),
    )

    async def receive() -> dict[str, Any]:
        nonlocal begun_s, ended_s
        await anyio.lowlevel.checkpoint()  # as a server does, mostly
        event: dict[str, Any] | None = next(events, None)
        if event is None:
            ended_s = time.process_time()
            return {"type": "websocket.disconnect", "code": 1000}
        if not begun_s and event["type"] == "websocket.receive":
            begun_s = time.process_time()
        return event

    async def send(event: dict[str, Any]) -> None:
        pass

    async def session() -> None:
        params = WebsocketParams(
            audio_in_enabled=True,
            serializer=RawAudioSerializer(_RATE),
            vad_analyzer=vad_analyzer,
            max_messages_per_s=None,
            max_bytes_per_s=None,
        )
        transport = WebsocketTransport(
            ({"type": "websocket", "headers": []}, receive, send), params
        )
        between = [] if processor is None else [processor]
        await PipelineTask(Pipeline([transport.input(), *between, transport.output()])).run()

    anyio.run(session, backend=backend)
    return ended_s - begun_s
