"""The upstream end of the pipeline: frames from the peer."""

import logging
from collections import Counter, deque

import anyio
import anyio.lowlevel

from wsframes.audio.pcm import FrameAligner, remix
from wsframes.frames import Frame, InputAudioRawFrame, InputImageRawFrame, StartFrame
from wsframes.graph.outcome import EndReason
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.base import BaseTransport
from wsframes.transport.client import WebsocketClient
from wsframes.transport.params import WebsocketParams

__all__ = ["WebsocketInputTransport"]

logger = logging.getLogger("wsframes.transport")

_TOO_BIG = 1009
_BAD_MESSAGES_WINDOW_S = 10.0

# A server that has messages ready hands them over without letting others run.
_MESSAGES_PER_CHECKPOINT = 32


class WebsocketInputTransport(FrameProcessor):
    """Reads messages, from the start until the run is over, and pushes their frames downstream.

    It reads no faster than the pipeline takes: when a lane is full, it waits, and so in the end
    does the peer. After an EndFrame it goes on reading, so that a peer that leaves or interrupts
    while the last words are played is noticed; media is refused then.

    Args:
        transport: what it is a part of.
        client: the connection.
        params: of the transport.
        name: for logs and statistics.
    """

    def __init__(
        self,
        transport: BaseTransport,
        client: WebsocketClient,
        params: WebsocketParams,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._transport = transport
        self._client = client
        self._params = params
        self._aligner: FrameAligner | None = None
        self._audio_format: tuple[int, int] | None = None
        self._streaming = params.audio_in_stream_on_start
        self._bad_at_s: deque[float] = deque(maxlen=params.max_bad_messages)
        self.dropped: Counter[str] = Counter()
        """Messages and frames that did not go downstream, by reason."""

    def start(self, frame: StartFrame) -> None:
        """Open the connection and begin to read, in the background."""
        self.start_soon(self._read, frame, name=f"{self.name} reader")

    async def cleanup(self) -> None:
        """Let go of the connection."""
        await self._transport.lifetime.close(self)

    def start_audio_in_streaming(self) -> None:
        """Let audio through from now on, where `audio_in_stream_on_start` is off."""
        self._streaming = True

    async def _read(self, start: StartFrame) -> None:
        await self._transport.lifetime.open(self, self._wired().context, start)
        messages = 0
        async for data in self._client.receive():
            if len(data) > self._params.max_message_bytes:
                self._drop("too_big")
                error = f"a message of {len(data)} bytes"
                self.end_run(EndReason.BAD_INPUT, close_code=_TOO_BIG, error=error)
                return
            frame = await self._decode(data)
            if frame is not None and (frame := self._accept(frame)) is not None:
                await self.push_frame(frame)
            messages += 1
            if messages % _MESSAGES_PER_CHECKPOINT == 0:
                await anyio.lowlevel.checkpoint()

    async def _decode(self, data: str | bytes) -> Frame | None:
        wire = self._transport.wire
        if not wire.is_open:
            self._drop("no_serializer")
            return None
        try:
            return await wire.deserialize(data)
        except Exception as exc:  # a DecodeError, or a serializer that does not keep its word
            self._bad_message(exc)
            return None

    def _accept(self, frame: Frame) -> Frame | None:
        """The frame as it goes downstream; None if it does not."""
        if isinstance(frame, InputAudioRawFrame):
            if (reason := self._reason_to_drop_audio()) is None:
                return self._in_session_format(frame)
        elif isinstance(frame, InputImageRawFrame) and not self._params.video_in_enabled:
            reason = "video_in_disabled"
        elif frame.lifecycle:
            # Whatever a serializer makes of it: a peer ends nothing but its own connection.
            reason = "lifecycle"
        else:
            return frame
        self._drop(reason)
        return None

    def _reason_to_drop_audio(self) -> str | None:
        if not self._params.audio_in_enabled:
            return "audio_in_disabled"
        if not self._streaming:
            return "not_streaming"
        if not self._params.audio_in_passthrough:
            return "no_passthrough"
        return None

    def _in_session_format(self, frame: InputAudioRawFrame) -> InputAudioRawFrame | None:
        channels = frame.num_channels
        if self._aligner is None or self._audio_format != (frame.sample_rate, channels):
            if self._aligner is not None and self._aligner.reset():
                self._drop("half_frame")
            self._audio_format = (frame.sample_rate, channels)
            self._aligner = FrameAligner(channels)
        audio = self._aligner.feed(frame.audio)
        if not audio:
            return None  # less than a sample: it comes with the next message
        if audio is frame.audio and channels == self._params.audio_in_channels:
            return frame
        audio = remix(audio, channels, self._params.audio_in_channels)
        return frame.replace(audio=audio, num_channels=self._params.audio_in_channels)

    def _bad_message(self, exc: Exception) -> None:
        self._drop("bad_message")
        self.push_error(f"a message cannot be decoded: {exc}", exception=exc)
        now_s = anyio.current_time()
        self._bad_at_s.append(now_s)
        if (
            len(self._bad_at_s) == self._bad_at_s.maxlen
            and now_s - self._bad_at_s[0] < _BAD_MESSAGES_WINDOW_S
        ):
            error = f"{len(self._bad_at_s)} messages that cannot be decoded"
            self.end_run(EndReason.BAD_INPUT, error=error)

    def _drop(self, reason: str) -> None:
        self.dropped[reason] += 1
        if self.dropped[reason] == 1:
            logger.warning("%s drops what the peer sends: %s", self.name, reason)
