"""Sends what is for one destination, each chunk of audio at its time."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import anyio
import anyio.lowlevel

from wsframes.frames import AudioRawFrame, Frame, OutputAudioRawFrame, SystemFrame
from wsframes.graph.context import RunContext
from wsframes.transport.audio_intake import AudioIntake
from wsframes.transport.outlet import Outlet, Unsent
from wsframes.transport.pacer import Interrupted, Pacer
from wsframes.transport.params import WebsocketParams
from wsframes.transport.playout.background import Background
from wsframes.transport.playout.marks import Marks
from wsframes.transport.playout.media_queue import Chunk, MediaQueue, MediaStatistics
from wsframes.transport.playout.playback import Playback
from wsframes.transport.playout.utterance_end import UtteranceEnd
from wsframes.transport.tasks.shortcut import Shortcut, Summons
from wsframes.transport.tasks.waiting import ClearGate, Signal

__all__ = ["MediaSender", "MediaSink"]


class MediaSink(Protocol):
    """What a sender sends through.

    Attributes:
        outlet: the way of audio to the wire.
    """

    outlet: Outlet

    def passed(self, frame: Frame, /) -> None:
        """Pass audio on that has been sent."""

    def write_in_turn(self, frame: Frame, /) -> Awaitable[str | None]:
        """Deal with another frame whose turn has come; says why it was not taken, or None."""

    def tell_speech(self, destination: str | None, frame_type: type[SystemFrame]) -> None:
        """Tell the pipeline that the bot starts, goes on or stops."""

    def report(self, text: str, exc: Exception | None) -> None:
        """Tell the pipeline what went wrong."""


class MediaSender:
    """One destination: what waits for it, and the task that sends it.

    Args:
        destination: its name; None is the default one.
        sink: where chunks and frames go in their turn.
        gate: nothing is sent while it is shut.
        shortcut: where the reader can be asked to send what is due.
        params: chunk length, channels, lead and bounds.
        sample_rate: Hz of what is sent; None: as the audio comes.
        background: what a mixer adds, if there is one.
        marks: for a peer that says how far it has played.
        tone_rate: Hz of a tone before any audio, where `sample_rate` is None; None: a telephone's.

    Attributes:
        destination: as above.
        background: as above.
    """

    def __init__(
        self,
        destination: str | None,
        sink: MediaSink,
        gate: ClearGate,
        shortcut: Shortcut,
        params: WebsocketParams,
        sample_rate: int | None,
        background: Background | None = None,
        marks: Marks | None = None,
        tone_rate: int | None = None,
    ) -> None:
        chunk_ms = params.audio_out_10ms_chunks * 10
        self.destination = destination
        self._sink = sink
        self._gate = gate
        self._intake = AudioIntake(params.audio_out_channels, sample_rate)
        self._queue = MediaQueue(params.audio_out_channels, chunk_ms, params.audio_out_queue_ms)
        self.background = background
        # Where a background is played, the own task has to know of all that is sent.
        self._work = Summons(shortcut if background is None else Shortcut(), self)
        first_rate = sample_rate or tone_rate or 8000
        pacer = Pacer(first_rate, params.audio_out_lead_ms / 1000, anyio.current_time())
        background_lead_s = 0.0 if background is None else background.lead_s
        end = UtteranceEnd(
            self._intake,
            self._queue,
            pacer,
            marks,
            2 * chunk_ms / 1000,
            background_lead_s,
            self._work.call,
        )
        tell = partial(sink.tell_speech, destination)
        self._playback = Playback(pacer, end, self._is_utterance_over, tell)
        self._moved = Signal()
        self._context: RunContext

    def begin(self, context: RunContext) -> None:
        """Start to send, in the background of a run."""
        self._context = context
        self._playback.begin(context)
        self._work.begin(self._begin_task)
        if self.background is not None:
            self._work.wake()

    @property
    def has_room(self) -> bool:
        """Whether more may be put; if not, wait for it with `wait_for_room`."""
        return self._queue.has_room

    async def wait_for_room(self) -> None:
        while not self._queue.has_room:
            await self._moved.wait()
        # An interruption in the very moment in which there is room: the wait is over, and is not
        # cancelled any more, but what waited is old.
        await anyio.lowlevel.checkpoint_if_cancelled()

    def put_audio(self, frame: AudioRawFrame) -> bool:
        """Queue audio of any length, if there is room; says whether there was.

        What is less than a sample is joined to what follows.

        Raises:
            ValueError: its rate or its channels cannot be sent; nothing was taken.
        """
        queue = self._queue
        if not queue.has_room:
            return False
        intake = self._intake
        audio = intake.take(frame)
        whole = frame if audio is frame.audio and type(frame) is OutputAudioRawFrame else None
        self._playback.end.put(queue.put_audio(audio, intake.rate_given, whole))
        if queue.items:
            self._work.call()
        return True

    def put_frame(self, frame: Frame) -> None:
        """Queue another frame, behind all audio so far."""
        self._queue.put_frame(frame)
        self._work.call()

    def play_next(self, audio_at: Callable[[int], bytes]) -> None:
        """Let this be the next audio, and no speech.

        Args:
            audio_at: makes it for a rate in Hz: whole frames of as many channels as are sent.
        """
        sample_rate = self._playback.pacer.sample_rate
        self._queue.put_first(audio_at(sample_rate), sample_rate)
        self._work.call()

    def answered(self, mark: str) -> bool:
        """The peer has played up to a mark; says whether that was all that the bot said."""
        over = self._playback.answered(mark)
        if over:
            self._moved.set()
        return over

    def interrupt(self) -> Interrupted:
        """Drop what is interruptible; says what the peer has heard."""
        self._playback.end.clear()
        self._queue.drop("interrupted")
        heard = self._playback.interrupt()
        self._work.call()
        self._work.nap.end()
        self._moved.set()
        return heard

    def close(self, reason: str) -> None:
        """Drop everything."""
        self._playback.end.clear()
        self._queue.drop(reason, all_frames=True)

    async def drain(self) -> None:
        """Send what is queued, and wait until the peer has played it, or is interrupted."""
        playback = self._playback
        self._intake.cut()
        if self.background is not None:
            self.background.pause()
        for _ in ("the audio", "and its mark"):
            playback.end.finish()
            while not self._queue.empty:
                await self._moved.wait()
        while (over_s := playback.over_s) is not None:
            self._context.drain.progress(over_s)
            with anyio.CancelScope(deadline=over_s):
                await self._moved.wait()
        playback.stop()

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        self._playback.let_go()
        del self._sink, self._work

    def statistics(self) -> MediaStatistics:
        background = 0 if self.background is None else self.background.sent
        return self._queue.statistics(self._intake.odd_bytes, background)

    async def send_due(self) -> None:
        """Send what is due now, in the task of the caller; no other one may be at it.

        Audio for a serializer that need not wait takes the shortest way here, past the coroutines
        of `_send`, which are a twelfth of what an echo costs beyond its server.
        """
        queue, work, gate, outlet = self._queue, self._work, self._gate, self._sink.outlet
        items, is_short = queue.items, outlet.encodes_nowait and self.background is None
        playback = self._playback
        work.lent = True
        try:
            while items and not gate.is_shut:
                item = items[0][0]
                if not isinstance(item, Chunk):
                    await self._send(queue.take())
                    continue
                ran_dry, queue.ran_dry = queue.ran_dry, False
                if not playback.is_due(item, ran_dry):
                    break
                queue.take()
                if not is_short:
                    await self._send(item)
                    continue
                reason: str | None = "cancelled"
                try:
                    frame = item.whole or self._frame_of(item)
                    data = outlet.encoded_audio(frame)
                    if isinstance(data, Unsent):
                        reason = data.reason
                    else:
                        reason = None if await outlet.send(data) else "unsent"
                    self._has_left(item, frame, reason)
                finally:
                    self._done(reason)
        finally:
            work.lent = False
            if items:
                work.wake()

    def wake(self) -> None:
        """Leave what is to be sent to the sender's own task."""
        self._work.wake()

    def _begin_task(self) -> bool:
        if self.background is None and not self._queue.items:
            return False
        name = f"media sender {self.destination or 'default'}"
        self._context.start_soon(self._run, name=name)
        return True

    async def _run(self) -> None:
        if self.background is not None:
            await self.background.begin()
        await self._work.nap.repeat(self._send_on)

    async def _send_on(self) -> bool:
        items, work, gate = self._queue.items, self._work, self._gate
        drain, pacer = self._context.drain, self._playback.pacer
        while True:
            if not items and self.background is not None:
                await self._play(self.background)
            elif not items or work.lent:
                await work.wait()
            elif gate.is_shut:
                await gate.wait_open()
            else:
                await self.send_due()
                if items and not gate.is_shut:
                    due_s = pacer.due_s
                    if drain.holder is not None:
                        drain.progress(due_s)
                    if not await work.nap.sleep_until(due_s):
                        return False

    async def _play(self, background: Background) -> None:
        """Send what is to be heard while nothing is said, or wait until it is due."""
        pacer = self._playback.pacer
        begun = self._queue.partial or self._intake.has_rest
        due_s = background.due_s(pacer, begun)
        if due_s > anyio.current_time():
            with anyio.CancelScope(deadline=due_s):
                await self._work.wait()
        elif self._gate.is_shut:
            await self._gate.wait_open()
        elif begun:
            self._playback.end.hurry()
        elif (chunk := await background.next()) is not None:
            pacer.resume(anyio.current_time())
            if await self._send_chunk(chunk) is None:
                background.sent += chunk.frames

    async def _send(self, item: Chunk | Frame) -> None:
        reason: str | None = "cancelled"
        try:
            if not isinstance(item, Chunk):
                reason = await self._sink.write_in_turn(item)
            elif self.background is None:
                reason = await self._send_chunk(item)
            elif (mixed := await self.background.mixed(item)) is not None:
                reason = await self._send_chunk(mixed)
            else:
                reason = "interrupted"
        finally:
            self._done(reason)

    def _done(self, reason: str | None) -> None:
        self._queue.done(reason)
        self._moved.set()
        drain = self._context.drain
        if drain.holder is not None:
            drain.progress(anyio.current_time())

    async def _send_chunk(self, chunk: Chunk) -> str | None:
        frame = chunk.whole or self._frame_of(chunk)
        reason = await self._sink.outlet.write_audio(frame)
        self._has_left(chunk, frame, reason)
        return reason

    def _frame_of(self, chunk: Chunk) -> OutputAudioRawFrame:
        return self._sink.outlet.audio_frame(self.destination, chunk)

    def _has_left(self, chunk: Chunk, frame: OutputAudioRawFrame, reason: str | None) -> None:
        # An interruption meanwhile: what was at work is old, and the peer clears it.
        gate = self._gate
        if gate.is_shut:
            return
        if reason is None:
            self._sink.passed(frame)
            if gate.is_shut:
                return
        self._playback.left(chunk, is_sent=reason is None)

    def _is_utterance_over(self) -> bool:
        if not self._playback.end.is_over:
            return False
        self._intake.cut()
        return True
