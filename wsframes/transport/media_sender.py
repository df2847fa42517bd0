"""Sends what is for one destination, each chunk of audio at its time."""

from typing import Protocol

import anyio

from wsframes.audio.pcm import FrameAligner, remix
from wsframes.frames import (
    AudioRawFrame,
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    SystemFrame,
)
from wsframes.graph.context import RunContext
from wsframes.transport.media_queue import Chunk, MediaQueue, MediaStatistics
from wsframes.transport.pacer import Interrupted, Pacer
from wsframes.transport.params import WebsocketParams

__all__ = ["MediaSender", "MediaSink"]

# The bot counts as silent when its last audio has been played and none has followed for this long.
_SILENCE_S = 0.05
_SPEAKING_PERIOD_S = 0.2


class MediaSink(Protocol):
    """What a sender sends through."""

    async def write_chunk(self, destination: str | None, chunk: Chunk) -> bool:
        """Send audio; False if it was not taken."""

    async def write_in_turn(self, frame: Frame) -> bool:
        """Deal with another frame whose turn has come; False if it was not taken."""

    @property
    def must_clear(self) -> bool:
        """Whether the peer has not been told of an interruption yet; nothing may be sent before."""

    async def wait_clear(self) -> None:
        """Wait until it has been told."""

    def tell_speech(self, frame_type: type[SystemFrame], destination: str | None) -> None:
        """Tell the pipeline that the bot starts, goes on or stops."""


class MediaSender:
    """One destination: its queue, its schedule, and whether it is being heard.

    Args:
        destination: its name; None is the default one.
        sink: where chunks and frames go in their turn.
        params: chunk length, channels, lead and bounds.
        sample_rate: Hz of what is sent; None: as the audio comes.
    """

    def __init__(
        self,
        destination: str | None,
        sink: MediaSink,
        params: WebsocketParams,
        sample_rate: int | None,
    ) -> None:
        self.destination = destination
        self.queue = MediaQueue()
        self._sink = sink
        self._params = params
        self._sample_rate = sample_rate
        self._pacer = Pacer(
            sample_rate or 8000, params.audio_out_lead_ms / 1000, anyio.current_time()
        )
        self._aligner: FrameAligner | None = None
        self._format: tuple[int, int] | None = None
        self._activity = _Activity()
        self._context: RunContext

    def begin(self, context: RunContext) -> None:
        """Start to send, in the background of a run."""
        self._context = context
        context.start_soon(self._run, name=f"media sender {self.destination or 'default'}")

    @property
    def has_room(self) -> bool:
        """Whether more may be put; if not, wait for it with `wait_for_room`."""
        rate = self._format[0] if self._format else 1
        queued_ms = self.queue.audio_queued * 1000 // rate
        return queued_ms < self._params.audio_out_queue_ms and self.queue.has_room

    async def wait_for_room(self) -> None:
        while not self.has_room:
            await self._activity.wait_moved()

    def put_audio(self, frame: AudioRawFrame) -> None:
        """Queue audio of any length; what is odd is joined to what follows.

        Raises:
            ValueError: it has another rate than what is sent.
        """
        rate = frame.sample_rate
        if self._sample_rate is not None and rate != self._sample_rate:
            raise ValueError(
                f"audio of {rate} Hz for an output of {self._sample_rate} Hz: it cannot be "
                "resampled in this version; push it at the rate of the output"
            )
        if self._format != (rate, frame.num_channels):
            self._flush()
            self._format = (rate, frame.num_channels)
            self._aligner = FrameAligner(frame.num_channels)
            chunk_ms = self._params.audio_out_10ms_chunks * 10
            self.queue.set_format(rate, self._params.audio_out_channels, chunk_ms)
        assert self._aligner is not None
        audio = self._aligner.feed(frame.audio)
        self.queue.put_audio(remix(audio, frame.num_channels, self._params.audio_out_channels))
        activity = self._activity
        activity.last_audio_s = anyio.current_time()
        if self.queue.first() is not None:
            activity.wake()
        if self.queue.partial and not activity.flush_is_due:
            activity.flush_is_due = True
            self._context.call_at(activity.last_audio_s + self._flush_after_s, self._flush_idle)

    def put_frame(self, frame: Frame) -> None:
        """Queue another frame, behind all audio so far."""
        self._flush()
        self.queue.put_frame(frame)
        self._activity.wake()

    def interrupt(self) -> Interrupted:
        """Drop what is interruptible; says what the peer has heard."""
        self._drop_half_frame()
        self.queue.drop("interrupted")
        played = self._pacer.interrupt(anyio.current_time())
        activity = self._activity
        activity.wake()
        activity.moved()
        self._silent()
        return played

    def close(self, reason: str) -> None:
        """Drop everything."""
        self._drop_half_frame()
        self.queue.drop(reason, all_frames=True)

    async def drain(self) -> None:
        """Send what is queued, and wait until the peer has played it, or is interrupted."""
        self._flush()
        self._activity.wake()
        while not self.queue.empty or self._activity.writing:
            await self._activity.wait_moved()
        while (end_s := self._pacer.playout_end_s) > anyio.current_time():
            self._context.drain.progress(end_s)
            with anyio.CancelScope(deadline=end_s):
                await self._activity.wait_moved()

    def statistics(self) -> MediaStatistics:
        return self.queue.statistics()

    @property
    def _flush_after_s(self) -> float:
        # A source that goes on in real time completes a chunk within its length; twice that is a
        # pause, and what has come so far must not wait for the next words.
        return 2 * self._params.audio_out_10ms_chunks / 100

    def _flush(self) -> None:
        self._drop_half_frame()
        self.queue.flush()

    def _drop_half_frame(self) -> None:
        if self._aligner is not None and self._aligner.reset():
            self.queue.half_frames += 1

    def _flush_idle(self) -> None:
        activity = self._activity
        activity.flush_is_due = False
        due_s = activity.last_audio_s + self._flush_after_s
        if not self.queue.partial:
            return
        if due_s > anyio.current_time():
            activity.flush_is_due = True
            self._context.call_at(due_s, self._flush_idle)
        else:
            self._flush()
            activity.wake()

    async def _run(self) -> None:
        activity = self._activity
        while True:
            item = self.queue.first()
            if item is None:
                activity.ran_empty = True
                await activity.sleep()
                continue
            if isinstance(item, Chunk):
                due_s = self._due_s(item)
                if due_s > anyio.current_time():
                    with anyio.CancelScope(deadline=due_s):
                        await activity.sleep()
                    continue
            if self._sink.must_clear:
                await self._sink.wait_clear()
                continue
            await self._send(self.queue.take())

    def _due_s(self, chunk: Chunk) -> float:
        if chunk.sample_rate != self._pacer.sample_rate:
            self._pacer.change_rate(chunk.sample_rate)
        if self._activity.ran_empty:
            self._activity.ran_empty = False
            self._pacer.resume(anyio.current_time())
        return self._pacer.due_s

    async def _send(self, item: Chunk | Frame) -> None:
        activity = self._activity
        activity.writing = True
        dropped: str | None = "cancelled"
        try:
            if isinstance(item, Chunk):
                if not activity.speaking:
                    self._pacer.begin_utterance()
                taken = await self._sink.write_chunk(self.destination, item)
                now_s = anyio.current_time()
                self._pacer.sent(item.frames, now_s)
                if taken:
                    self._heard(now_s)
            else:
                taken = await self._sink.write_in_turn(item)
            dropped = None if taken else "unsent"
        finally:
            activity.writing = False
            self.queue.done(item, dropped)
        activity.moved()
        if self._context.drain.holder is not None:
            self._context.drain.progress(anyio.current_time())

    def _heard(self, now_s: float) -> None:
        activity = self._activity
        if not activity.speaking:
            activity.speaking = True
            self._tell(BotStartedSpeakingFrame)
            self._context.call_at(self._pacer.playout_end_s + _SILENCE_S, self._check_silence)
        if now_s - activity.told_speaking_s >= _SPEAKING_PERIOD_S:
            activity.told_speaking_s = now_s
            self._tell(BotSpeakingFrame)

    def _tell(self, frame_type: type[SystemFrame]) -> None:
        self._sink.tell_speech(frame_type, self.destination)

    def _silent(self) -> None:
        if self._activity.speaking:
            self._activity.speaking = False
            self._tell(BotStoppedSpeakingFrame)

    def _check_silence(self) -> None:
        now_s = anyio.current_time()
        silent_at_s = self._pacer.playout_end_s + _SILENCE_S
        if silent_at_s > now_s:
            self._context.call_at(silent_at_s, self._check_silence)
        elif self.queue.empty:
            self._silent()
        else:
            self._context.call_at(now_s + _SILENCE_S, self._check_silence)


class _Activity:
    """What a sender is doing, and the events that it and others wait for."""

    __slots__ = ("_moved", "_wake", "flush_is_due", "last_audio_s", "ran_empty", "speaking",
                 "told_speaking_s", "writing")  # fmt: skip

    def __init__(self) -> None:
        self._wake: anyio.Event | None = None
        self._moved: anyio.Event | None = None
        self.flush_is_due = False
        self.last_audio_s = 0.0
        self.ran_empty = True
        self.speaking = False
        self.told_speaking_s = 0.0
        self.writing = False

    def wake(self) -> None:
        if self._wake is not None:
            self._wake.set()

    async def sleep(self) -> None:
        self._wake = anyio.Event()
        await self._wake.wait()

    def moved(self) -> None:
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    async def wait_moved(self) -> None:
        if self._moved is None:
            self._moved = anyio.Event()
        await self._moved.wait()
