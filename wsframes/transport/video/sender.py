"""Sends the images of one destination, each at its moment."""

from enum import Enum, auto
from typing import TypeAlias

import anyio
import anyio.lowlevel

from wsframes.frames import OutputImageRawFrame
from wsframes.graph.context import RunContext
from wsframes.graph.failures import describe
from wsframes.transport.tasks.waiting import Signal
from wsframes.transport.tasks.workers import place, run_slow
from wsframes.transport.video.preparation import VideoPreparation
from wsframes.transport.video.sink import VideoSink
from wsframes.transport.video.slot import OVER_BITRATE, Picture, VideoSlot, VideoStatistics
from wsframes.video import FrameClock

__all__ = ["VideoSender"]

# What became of an image: something to send, what was wrong with it, or no room in the bitrate.
_Prepared: TypeAlias = OutputImageRawFrame | Exception | None


_UNUSABLE = "unusable_image"
_STUCK = "encoder_stuck"

# An image takes milliseconds. What takes longer than this holds up all sessions that have images.
_PATIENCE_S = 5.0


class _State(Enum):
    SHOWING = auto()
    DRAINING = auto()
    """What has not been shown is tried once, and does not wait for room in the bitrate."""
    RESTING = auto()
    """Nothing is sent."""
    STUCK = auto()
    """The encoder did not come back; its thread may still be at it, so it is never called again."""


class VideoSender:
    """One destination: its picture, its clock, and the one task that sends.

    Nothing is queued: while an image is prepared or the peer does not read, newer ones take the
    place of that which waits.

    Args:
        destination: its name; None is the default one.
        sink: where images go.
        preparation: makes of an image what goes out; None: they go as they are.
        framerate: images a second.
        is_live: each image is sent once; else the last picture is repeated.
    """

    def __init__(
        self,
        destination: str | None,
        sink: VideoSink,
        preparation: VideoPreparation | None,
        framerate: int,
        is_live: bool,
    ) -> None:
        self._destination = destination
        self._sink = sink
        self._preparation = preparation
        self._slot = VideoSlot(is_live)
        self._clock = FrameClock(framerate, anyio.current_time())
        self._more = Signal()
        self._moved = Signal()
        self._state = _State.RESTING
        self._is_busy = False
        self._context: RunContext

    def begin(self, context: RunContext) -> None:
        """Send in this run; what was shown before a stop is shown again."""
        self._context = context
        self._become(_State.SHOWING)
        context.start_soon(self._run, name=f"video sender {self._destination or 'default'}")

    def put(self, picture: Picture) -> None:
        """Show this from the next moment on."""
        self._slot.put(picture)
        if self._state is _State.STUCK:
            self._slot.clear(_STUCK)
        self._more.set()

    def interrupt(self) -> None:
        """Live: drop what has not been sent. A picture that is repeated goes on."""
        self._slot.interrupt()
        self._moved.set()

    def close(self, reason: str) -> None:
        """Show nothing any more."""
        self._slot.clear(reason)
        self._moved.set()

    async def drain(self) -> None:
        """Wait until each picture has been shown once, or can not be."""
        self._become(_State.DRAINING)
        while not self._slot.is_settled:
            await self._moved.wait()

    async def rest(self) -> None:
        """Send nothing until `begin`; waits for the image that is being sent."""
        self._become(_State.RESTING)
        while self._is_busy:
            await self._moved.wait()

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        del self._sink

    def statistics(self) -> VideoStatistics:
        return self._slot.statistics()

    async def _run(self) -> None:
        slot, clock = self._slot, self._clock
        ran_empty = True
        while self._state in (_State.SHOWING, _State.DRAINING):
            image = slot.first
            if image is None:
                ran_empty = True
                await self._more.wait()
                continue
            now_s = anyio.current_time()
            if ran_empty:
                ran_empty = False
                clock.resume(now_s)
            if clock.due_s > now_s:
                await anyio.sleep_until(clock.due_s)
                continue
            slot.missed(clock.tick(now_s))
            self._is_busy = True
            try:
                await self._show(image)
            finally:
                self._is_busy = False
                self._moved.set()
            drain = self._context.drain
            if drain.holder is not None:
                drain.progress(anyio.current_time())
            # One that is behind may not have waited for anything, and others must run too.
            await anyio.lowlevel.checkpoint()

    async def _show(self, image: OutputImageRawFrame) -> None:
        slot, preparation = self._slot, self._preparation
        reason: str | None = "cancelled"
        picture = None
        try:
            if preparation is None:
                prepared: _Prepared = slot.take()
            elif preparation.is_quick(image):
                prepared = _prepare(preparation, slot.take(), 0.0)
            else:
                async with place():
                    if slot.first is None:
                        return
                    # What has come while this waited for a place wins.
                    image = slot.take()
                    prepared = await self._prepared(preparation, image)
            reason = slot.given_up or await self._send(image, prepared)
        finally:
            picture = slot.done(reason, is_last_try=self._state is not _State.SHOWING)
        if picture is not None:
            self._sink.pass_on(picture)

    async def _prepared(
        self, preparation: VideoPreparation, image: OutputImageRawFrame
    ) -> _Prepared:
        with anyio.move_on_after(_PATIENCE_S):
            return await run_slow(_prepare, preparation, image, anyio.current_time())
        self._state = _State.STUCK
        self._slot.clear(_STUCK)
        error = TimeoutError(f"an image was not ready after {_PATIENCE_S:g} s")
        self._sink.report(f"no image is sent any more: {error}", error)
        return error

    def _become(self, state: _State) -> None:
        if self._state is not _State.STUCK:
            self._state = state

    async def _send(self, image: OutputImageRawFrame, prepared: _Prepared) -> str | None:
        if prepared is None:
            return OVER_BITRATE
        if isinstance(prepared, Exception):
            if _UNUSABLE not in self._slot.statistics().dropped:  # once: what comes so, comes often
                text = f"{image.name} cannot be sent, nor can all like it: {describe(prepared)}"
                self._sink.report(text, prepared)
            return _UNUSABLE
        if prepared.transport_destination != self._destination:  # one of a sprite's
            prepared = prepared.replace(transport_destination=self._destination)
        return await self._sink.write(prepared)


def _prepare(preparation: VideoPreparation, image: OutputImageRawFrame, now_s: float) -> _Prepared:
    """Runs in a thread, where nothing may be told to anybody."""
    try:
        return preparation(image, now_s)
    except Exception as exc:
        return exc
