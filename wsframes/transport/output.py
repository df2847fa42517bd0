"""The downstream end of the pipeline: frames to the peer."""

import logging
from collections import Counter

import anyio

from wsframes.audio.pcm import wav_bytes
from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    InterruptionFrame,
    Lane,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputImageRawFrame,
    SpriteFrame,
    StartFrame,
    StopFrame,
    SystemFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.base import BaseTransport
from wsframes.transport.client import WebsocketClient
from wsframes.transport.media_queue import Chunk, MediaStatistics
from wsframes.transport.media_sender import MediaSender
from wsframes.transport.params import WebsocketParams

__all__ = ["WebsocketOutputTransport"]

logger = logging.getLogger("wsframes.transport")

DOWNSTREAM = FrameDirection.DOWNSTREAM


class WebsocketOutputTransport(FrameProcessor):
    """Sends frames, audio in its time, and passes them on when they have been sent.

    Ordered frames of one destination leave in the order in which they came, whatever they are;
    urgent ones leave at once. A frame that the serializer has no message for passes on in its
    turn.

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
        self._senders: dict[str | None, MediaSender] = {}
        self._markers = _Markers()
        self.dropped: Counter[str] = Counter()
        """Frames that were not sent and had no queue to be counted in, by reason."""

    async def start(self, frame: StartFrame) -> None:
        """Open the connection, and begin to send."""
        context = self._wired().context
        await self._transport.lifetime.open(self, context, frame)
        rate = self._params.audio_out_sample_rate or frame.audio_out_sample_rate
        for destination in (None, *self._params.audio_out_destinations):
            sender = self._senders.get(destination)
            if sender is None:
                sender = MediaSender(destination, self, self._params, rate)
                self._senders[destination] = sender
            sender.begin(context)

    async def stop(self, frame: EndFrame) -> None:
        """Play everything out to its last sample."""
        await self._drain()
        await self._write(frame)

    async def cancel(self, frame: CancelFrame) -> None:
        """Send nothing more."""
        for sender in self._senders.values():
            sender.close("cancelled")

    def interrupt(self, frame: InterruptionFrame) -> None:
        """Drop what the peer is not to hear any more."""
        self._markers.expect()
        for sender in self._senders.values():
            sender.interrupt()

    async def cleanup(self) -> None:
        """Let go of the connection."""
        for sender in self._senders.values():
            sender.close("cancelled")
        await self._transport.lifetime.close(self)

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        if direction is not DOWNSTREAM:
            self.push_frame_nowait(frame, direction)
            return True
        if frame.lane is Lane.SYSTEM:
            if isinstance(frame, TransportMessageUrgentFrame | OutputDTMFUrgentFrame):
                return False
            self.push_frame_nowait(frame)
            return True
        if isinstance(frame, HeartbeatFrame):  # not to wait for the playing of the audio
            self.push_frame_nowait(frame)
            return True
        reason = self._reason_to_drop(frame)
        if reason is not None:
            self._drop(frame, reason)
            return True
        sender = self._senders[frame.transport_destination]
        if not sender.has_room:
            return False
        if isinstance(frame, OutputAudioRawFrame):
            sender.put_audio(frame)
        else:
            sender.put_frame(frame)
        return True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InterruptionFrame):
            try:
                await self._write(frame)
            finally:
                self._markers.sent()
        elif isinstance(frame, StopFrame):
            await self._drain()
        elif isinstance(frame, TransportMessageUrgentFrame | OutputDTMFUrgentFrame):
            if await self._write(frame):
                await self.push_frame(frame, direction)
        elif not frame.lifecycle or direction is not DOWNSTREAM:
            while not self.process_frame_nowait(frame, direction):
                await self._senders[frame.transport_destination].wait_for_room()

    async def send_message(
        self, frame: TransportMessageFrame | TransportMessageUrgentFrame
    ) -> bool:
        """Send a message at once, past everything that waits; True when the server has taken it."""
        return await self._write(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Send audio at once, past everything that waits; True when the server has taken it."""
        if self._params.add_wav_header:
            wav = wav_bytes(frame.audio, frame.sample_rate, frame.num_channels)
            frame = frame.replace(audio=wav)
        return await self._write(frame)

    async def write_dtmf(self, frame: OutputDTMFFrame | OutputDTMFUrgentFrame) -> bool:
        """Send a key as the serializer's message for it; True when the server has taken it."""
        return await self._write(frame)

    def statistics(self) -> dict[str | None, MediaStatistics]:
        """What has become of audio and frames, by destination."""
        return {name: sender.statistics() for name, sender in self._senders.items()}

    # What the senders send through.

    async def write_chunk(self, destination: str | None, chunk: Chunk) -> bool:
        frame = OutputAudioRawFrame(
            chunk.audio,
            chunk.sample_rate,
            self._params.audio_out_channels,
            transport_destination=destination,
        )
        sent = await self.write_audio_frame(frame)
        if sent:
            self.push_frame_nowait(frame)
        return sent

    async def write_in_turn(self, frame: Frame) -> bool:
        sent = await self._write(frame)
        if sent:
            self.push_frame_nowait(frame)
        return sent

    @property
    def must_clear(self) -> bool:
        return self._markers.expected > 0

    async def wait_clear(self) -> None:
        await self._markers.wait()

    def tell_speech(self, frame_type: type[SystemFrame], destination: str | None) -> None:
        for direction in FrameDirection:
            self.push_frame_nowait(frame_type(transport_destination=destination), direction)

    async def _drain(self) -> None:
        async with anyio.create_task_group() as tasks:
            for sender in self._senders.values():
                tasks.start_soon(sender.drain)

    async def _write(self, frame: Frame) -> bool:
        """The way of every frame to the wire."""
        try:
            data = await self._transport.wire.serialize(frame)
        except Exception as exc:
            self._drop(frame, "encode_error")
            if self.dropped["encode_error"] == 1:  # once: what fails, fails often
                self.push_error(f"{self.name} cannot send {frame.name}: {exc}", exception=exc)
            return False
        if data is None or await self._client.send(data):
            return True
        self._transport.lifetime.send_failed()
        return False

    def _reason_to_drop(self, frame: Frame) -> str | None:
        if isinstance(frame, OutputAudioRawFrame) and not self._params.audio_out_enabled:
            return "audio_out_disabled"
        if isinstance(frame, OutputImageRawFrame | SpriteFrame):
            return "video_out_disabled"
        if frame.transport_destination not in self._senders:
            return "unknown_destination"
        return None

    def _drop(self, frame: Frame, reason: str) -> None:
        self.dropped[reason] += 1
        if self.dropped[reason] == 1:
            logger.warning("%s drops %s: %s", self.name, frame.name, reason)


class _Markers:
    """How many interruptions the peer has not been told of yet."""

    __slots__ = ("_told", "expected")

    def __init__(self) -> None:
        self.expected = 0
        self._told = anyio.Event()

    def expect(self) -> None:
        self.expected += 1

    def sent(self) -> None:
        self.expected -= 1
        if self.expected == 0:
            self._told.set()
            self._told = anyio.Event()

    async def wait(self) -> None:
        while self.expected:
            await self._told.wait()
