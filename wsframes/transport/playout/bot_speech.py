"""Whether the bot is heard: from its first audio that has gone out to the end of its playing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from wsframes.frames import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    SystemFrame,
)
from wsframes.graph.context import RunContext
from wsframes.transport.pacer import Pacer
from wsframes.transport.playout.media_queue import Chunk

if TYPE_CHECKING:
    from wsframes.graph.timers import Timer

__all__ = ["BotSpeech"]

# The bot counts as silent when its last audio has been played and none has followed for this long.
# That is looked at a little later, since each look at audio that goes on is one for nothing.
_SILENCE_S = 0.05
_LOOK_S = 0.09
_PERIOD_S = 0.2

# While audio goes out, each piece of it tells that the bot speaks when that is due, and puts the
# look off when that would come before the next piece: a look that finds nothing wakes a task, which
# is a tenth of what an echo costs beyond its server, and to put it off is a twentieth. For that,
# the look comes a little late when nothing more goes out.
_PUT_OFF_S = 0.045
_NEXT_LATE_S = 0.005
_LATE_S = 0.045


class BotSpeech:
    """Follows the playing of one destination, and tells each utterance's start and stop once.

    Args:
        pacer: knows when what was sent has been played.
        is_over: asked when that has been played; False: more of the utterance waits.
        tell: called with `BotStartedSpeakingFrame`, `BotSpeakingFrame`, `BotStoppedSpeakingFrame`.
    """

    __slots__ = (
        "_context",
        "_is_over",
        "_next_look",
        "_pacer",
        "_paused_s",
        "_tell",
        "_tell_again_s",
    )

    def __init__(
        self,
        pacer: Pacer,
        is_over: Callable[[], bool],
        tell: Callable[[type[SystemFrame]], None],
    ) -> None:
        self._pacer = pacer
        self._is_over = is_over
        self._tell = tell
        self._next_look: Timer | None = None
        self._tell_again_s = 0.0
        self._paused_s: float | None = None
        self._context: RunContext

    def begin(self, context: RunContext) -> None:
        """Follow it in this run."""
        self._context = context
        self._next_look = None

    def let_go(self) -> None:
        """It is over; see `Node.let_go`."""
        self._next_look = None

    @property
    def is_heard(self) -> bool:
        return self._next_look is not None

    def sent(self, chunk: Chunk, now_s: float) -> None:
        """Speech has gone out."""
        self._paused_s = None
        if self._next_look is None:
            self._tell_again_s = now_s + _PERIOD_S
            self._look_again()  # first: who is told may interrupt
            self._tell(BotStartedSpeakingFrame)
            if self._next_look is not None:
                self._tell(BotSpeakingFrame)
            return
        if now_s >= self._tell_again_s:
            self._told(now_s)
            self._tell(BotSpeakingFrame)
        look = self._next_look
        if look is not None and look.due_s - now_s < _PUT_OFF_S:
            next_s = now_s + chunk.frames / chunk.sample_rate + _NEXT_LATE_S
            if look.due_s < next_s:
                self._context.put_off(look, max(look.due_s, self._look_s()))

    def pause(self, end_s: float) -> None:
        """What goes out from now on is no speech: the last of that is played at this time."""
        if self._paused_s is None:
            self._paused_s = end_s

    def stop(self) -> None:
        """Nothing more is heard."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
            self._tell(BotStoppedSpeakingFrame)

    @property
    def end_s(self) -> float:
        """When the peer has played the last of it."""
        return self._pacer.playout_end_s if self._paused_s is None else self._paused_s

    def _told(self, now_s: float) -> None:
        next_s = self._tell_again_s + _PERIOD_S
        self._tell_again_s = next_s if next_s > now_s else now_s + _PERIOD_S

    def _look_s(self) -> float:
        return min(self.end_s + _LOOK_S, self._tell_again_s + _LATE_S)

    def _look_again(self) -> None:
        self._look_at(self._look_s())

    def _look_at(self, time_s: float) -> None:
        self._next_look = self._context.call_at(time_s, self._look)

    def _look(self) -> None:
        now_s = anyio.current_time()
        if now_s >= self.end_s + _SILENCE_S:
            if self._is_over():
                self.stop()
            else:  # it is held up, by a peer that does not read
                self._look_at(now_s + _SILENCE_S)
            return
        told = now_s >= self._tell_again_s
        if told:
            self._told(now_s)
        self._look_again()
        if told:
            self._tell(BotSpeakingFrame)
