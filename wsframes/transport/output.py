"""The downstream end of the pipeline: frames to the peer."""

import logging
from collections import Counter

import anyio

from wsframes.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    InputMarkFrame,
    InterruptionFrame,
    Lane,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputImageRawFrame,
    SpriteFrame,
    StartFrame,
    StopFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.audio_output import AudioOutput
from wsframes.transport.base import BaseTransport, Remains, Shared
from wsframes.transport.client import WebsocketClient
from wsframes.transport.output_sink import OutputSink
from wsframes.transport.params import WebsocketParams
from wsframes.transport.playout.media_queue import MediaStatistics
from wsframes.transport.playout.timed_frames import TimedFrames, TimedStatistics
from wsframes.transport.playout.timed_sender import TimedSender
from wsframes.transport.tasks.waiting import ClearGate
from wsframes.transport.video.output import VideoOutput
from wsframes.transport.video.sink import VideoSink
from wsframes.transport.video.slot import VideoStatistics

__all__ = ["WebsocketOutputTransport"]

logger = logging.getLogger("wsframes.transport")

DOWNSTREAM = FrameDirection.DOWNSTREAM

_MAX_TIMED_IMAGES_BYTES = 64 << 20


class WebsocketOutputTransport(FrameProcessor):
    """Sends frames, audio in its time, and passes them on when they have been sent.

    Ordered frames of one destination leave in the order in which they came, whatever they are;
    urgent ones leave at once. A frame that the serializer has no message for passes on in its
    turn. When a destination has as much waiting as it may, all ordered frames wait, and in the end
    their producers.

    Ordered frames with a `pts`, but for audio, which has a schedule of its own, wait beside all
    others until the clock of the output (`time_ns`) shows it. They block nothing; what is still
    waiting when the session ends is dropped and counted.

    Images have a schedule of their own too, and wait for nothing else: each destination shows the
    latest one at its next moment.

    Audio may be cut into frames anywhere, within a sample too. Its rate, where one is set, and its
    channels are converted.

    Args:
        transport: what it is a part of.
        client: the connection.
        params: of the transport.
        name: for logs and statistics.

    Events, each told as `handler(output, ...)`:
        `on_interrupted(output, destination, interrupted)`: audio of this destination was cut off;
        `interrupted` is an `Interrupted`, with the milliseconds that were heard of it.
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
        self.register_event("on_interrupted")
        self._transport: Shared = transport
        self._client = client
        self._params = params
        self._gate = ClearGate()
        self._audio = AudioOutput(params, self._gate)
        self._sink = sink = OutputSink(
            self, transport.wire, client, params, self._audio.play_key, self._write_in_turn
        )
        self._outlet = sink.outlet
        self._video = VideoOutput(
            params, VideoSink(sink.outlet.write, self.push_frame_nowait, sink.report)
        )
        timed = TimedFrames(_MAX_TIMED_IMAGES_BYTES) if params.video_out_enabled else None
        self._timed = TimedSender(self._write_in_turn, self._gate, timed)
        self.dropped: Counter[str] = Counter()
        """Frames that were not sent and are in no queue's statistics, by reason."""

    async def start(self, frame: StartFrame) -> None:
        """Open the connection, and begin to send."""
        node = self._wired()
        context = node.context
        await self._transport.lifetime.open(self, context, frame)
        self._sink.begin(node.push_out)
        self._timed.begin(context)
        rate = self._params.audio_out_sample_rate or frame.audio_out_sample_rate
        self._audio.begin(context, self._transport, self._sink, rate)
        self._video.begin(context, self._transport.wire)

    async def stop(self, frame: EndFrame) -> None:
        """Play everything out to its last sample."""
        await self._drain()
        self._timed.close("ended")
        self._video.close("ended")
        self._sent_apart(await self._outlet.write(frame))

    async def cancel(self, frame: CancelFrame) -> None:
        """Send nothing more."""
        self._close("cancelled")

    def interrupt(self, frame: InterruptionFrame) -> None:
        """Drop what the peer is not to hear any more."""
        self._gate.shut()
        self._timed.interrupt()
        self._video.interrupt()
        for destination, interrupted in self._audio.interrupt():
            if interrupted != (0, 0):
                self.emit("on_interrupted", destination, interrupted)

    async def abort(self) -> None:
        """Break the connection under a write that the server does not let be cancelled."""
        await self._client.abort()

    async def cleanup(self) -> None:
        """Let go of the connection."""
        if isinstance(self._transport, Remains):
            return  # it has done so
        self._close("cancelled")
        await self._audio.cleanup()
        context = self._node.context if self._node is not None else None
        await self._transport.lifetime.close(self, context)
        # From here on it holds on to nobody who holds it; see `Node.let_go`.
        self._transport = Remains(self._transport)
        self._sink.let_go()
        self._timed.let_go()
        self._video.let_go()
        self._audio.let_go()

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        """Take what need not wait."""
        if isinstance(frame, OutputAudioRawFrame) and direction is DOWNSTREAM:
            return self._take_audio(frame)
        # A heartbeat is not to wait for the playing of the audio.
        if direction is not DOWNSTREAM or isinstance(frame, HeartbeatFrame):
            self.push_frame_nowait(frame, direction)
            return True
        if frame.lane is Lane.SYSTEM:
            if isinstance(frame, TransportMessageUrgentFrame | OutputDTMFUrgentFrame):
                return False
            if isinstance(frame, InputMarkFrame):
                self._audio.answered(frame.mark)
            self.push_frame_nowait(frame)
            return True
        if (reason := self._reason_to_drop(frame)) is not None:
            self._drop(frame, reason)
        elif not self._waits_beside(frame):
            sender = self._audio.senders[frame.transport_destination]
            if not sender.has_room:
                return False
            sender.put_frame(frame)
        return True

    def _waits_beside(self, frame: Frame) -> bool:
        """Whether a frame waits for its time, or its moment, and not among the audio."""
        if frame.pts is not None:
            if not self._timed.put(frame):
                self._drop(frame, "too_many_timed")
            return True
        if isinstance(frame, OutputImageRawFrame | SpriteFrame):
            self._video.put(frame)
            return True
        return False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Send what is urgent, and wait for room for the rest."""
        if isinstance(frame, InterruptionFrame):
            number = self._gate.number
            try:
                self._sent_apart(await self._outlet.write(frame))
            finally:
                # The peer clears what comes between this mark and the next one.
                if not self._wired().shows_more:
                    self._gate.told(number)
        elif direction is not DOWNSTREAM:
            self.push_frame_nowait(frame, direction)
        elif isinstance(frame, StopFrame):
            await self._drain()
        elif isinstance(frame, TransportMessageUrgentFrame | OutputDTMFUrgentFrame):
            if self._sent_apart(await self._outlet.write(frame)):
                await self.push_frame(frame)
        elif not frame.lifecycle:
            while not self.process_frame_nowait(frame, direction):
                await self._audio.senders[frame.transport_destination].wait_for_room()

    async def send_message(
        self, frame: TransportMessageFrame | TransportMessageUrgentFrame
    ) -> bool:
        """Send a message at once, past everything that waits; True when the server has taken it."""
        return self._sent_apart(await self._outlet.write(frame))

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Send audio at once, past everything that waits; True when the server has taken it.

        Raises:
            ValueError: with `add_wav_header`, the audio is not whole samples of every channel.
        """
        return self._sent_apart(await self._outlet.write_audio(frame))

    async def write_video_frame(self, frame: OutputImageRawFrame) -> bool:
        """Send an image at once, past everything that waits, in the size that it has.

        Where the serializer encodes images, it is encoded, in a thread.

        Returns:
            True when the server has taken it.

        Raises:
            ValueError: it is to be encoded, and its bytes are not what its size and format say.
            TimeoutError: the encoder did not come back.
        """
        return self._sent_apart(await self._video.write_apart(frame))

    async def write_dtmf(self, frame: OutputDTMFFrame | OutputDTMFUrgentFrame) -> bool:
        """Send a key at once: as the serializer's message for it, or else as its tone.

        Returns:
            True when the server has taken the message, or when the tone is the next audio to go.
        """
        return self._sent_apart(await self._outlet.write(frame))

    @property
    def time_ns(self) -> int:
        """The present on the clock of timed frames: nanoseconds since the output has started.

        It goes on over interruptions, and between the runs of a session that is resumed.
        """
        return self._timed.time_ns

    def timed_statistics(self) -> TimedStatistics:
        """What has become of the frames with a time."""
        return self._timed.statistics()

    def statistics(self) -> dict[str | None, MediaStatistics]:
        """What has become of audio and frames, by destination."""
        return self._audio.statistics()

    def video_statistics(self) -> dict[str | None, VideoStatistics]:
        """What has become of images and sprites, by destination; empty where video is off."""
        return self._video.statistics()

    async def _write_in_turn(self, frame: Frame) -> str | None:
        if isinstance(frame, OutputImageRawFrame | SpriteFrame):  # one with a time, and it has come
            self._video.put(frame)
            return None
        if isinstance(frame, MixerUpdateSettingsFrame | MixerEnableFrame):
            await self._audio.control(frame)
        reason = await self._outlet.write(frame)
        if reason is None:
            self._sink.passed(frame)
        return reason

    async def _drain(self) -> None:
        self._transport.lifetime.watch_end()
        async with anyio.create_task_group() as tasks:
            for sender in self._audio.senders.values():
                tasks.start_soon(sender.drain)
            tasks.start_soon(self._video.drain)
        await self._video.rest()
        await self._transport.lifetime.wait_for_verdict()

    def _close(self, reason: str) -> None:
        self._timed.close(reason)
        self._video.close(reason)
        self._audio.close(reason)

    def _sent_apart(self, reason: str | None) -> bool:
        """Count what is in no queue, and so has no other counter."""
        if reason is not None:
            self.dropped[reason] += 1
        return reason is None

    def _take_audio(self, frame: OutputAudioRawFrame) -> bool:
        audio = self._audio
        sender = audio.senders.get(frame.transport_destination)
        if not audio.is_enabled:
            self._drop(frame, "audio_out_disabled")
        elif sender is None:
            self._drop(frame, "unknown_destination")
        else:
            try:
                return sender.put_audio(frame)
            except ValueError as exc:
                self._drop(frame, "unusable_audio", exc)
        return True

    def _reason_to_drop(self, frame: Frame) -> str | None:
        if isinstance(frame, OutputImageRawFrame | SpriteFrame):
            return self._video.reason_to_drop(frame)
        if frame.transport_destination not in self._audio.senders:
            return "unknown_destination"
        return None

    def _drop(self, frame: Frame, reason: str, exc: Exception | None = None) -> None:
        self.dropped[reason] += 1
        if self.dropped[reason] > 1:
            return
        if exc is None:
            logger.warning("%s drops %s: %s", self.name, frame.name, reason)
        else:
            text = f"{self.name} cannot send {frame.name}, and will drop all like it: {exc}"
            self.push_error(text, exception=exc)
