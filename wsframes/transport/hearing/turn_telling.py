"""Tells the pipeline of the user's turn, and sees to it that every turn ends."""

from typing import TYPE_CHECKING

import anyio

from wsframes.frames import (
    Frame,
    InterruptionFrame,
    StartFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.hearing.user_turn import Act, Signal, TurnState, UserTurn

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsframes.graph.timers import Timer

__all__ = ["TurnTelling"]

# Audio that does not come for so long is silence for so long. Longer than networks stutter, and
# short enough to end the turn of a peer that has stopped sending within a second.
_STARVED_S = 0.8

_HEARS = (TurnState.SPEAKING, TurnState.PAUSING, TurnState.DISMISSED)
_WAITS = (TurnState.PAUSING, TurnState.EMULATED)


class TurnTelling:
    """Turns signals into frames that go downstream from a processor.

    Args:
        owner: the processor.
        stop_timeout_s: so long after the voice, or a turn that was only emulated, the turn is over,
            whatever the analyzer says or does not say.

    Attributes:
        ask: called when the voice has stopped; True: the turn is over. While it is None, it is.
        ended: called at the end of each turn.
        lost: called when the turn has ended because nothing came any more.
    """

    def __init__(self, owner: FrameProcessor, stop_timeout_s: float) -> None:
        self._owner = owner
        self._stop_timeout_s = stop_timeout_s
        self._turn = UserTurn()
        self._context: RunContext | None = None
        self._may_interrupt = False
        self._heard_s = 0.0
        self._waits_since_s = 0.0
        self._timer: Timer | None = None
        self.ask: Callable[[], bool] | None = None
        self.ended: Callable[[], None] = _nothing
        self.lost: Callable[[], None] = _nothing

    def let_go(self) -> None:
        """Nobody asks any more; see `Node.let_go`."""
        self.ask = None
        self.ended = self.lost = _nothing

    def begin(self, context: RunContext, start: StartFrame) -> None:
        """A run begins."""
        self._context = context
        self._may_interrupt = start.allow_interruptions
        self._turn = UserTurn()
        self._timer = None

    def heard(self) -> None:
        """There is a verdict on audio that came in just now, whatever it says."""
        if self._turn.state is not TurnState.IDLE:
            assert self._context is not None
            self._heard_s = self._context.clock()

    def signal(self, signal: Signal, *, lasted_s: float = 0.0, emulated: bool = False) -> None:
        """Take a signal, and push what is to be told because of it.

        Args:
            signal: what happened.
            lasted_s: how long the voice, or the silence, had lasted.
            emulated: nobody was heard.
        """
        before = self._turn.state
        for act in self._turn.take(signal):
            self._act(act, lasted_s, emulated)
        state = self._turn.state
        if state is not before and state is not TurnState.IDLE:
            self._heard_s = self._waits_since_s = anyio.current_time()
            self._watch()

    def give_up(self) -> None:
        """There is no more to be heard: end the turn, if one goes on."""
        self.signal(Signal.LOST)
        self.lost()

    def _act(self, act: Act, lasted_s: float, emulated: bool) -> None:
        if act is Act.VOICE_STARTED:
            self._push(VADUserStartedSpeakingFrame(lasted_s))
        elif act is Act.TURN_STARTED:
            self._push(UserStartedSpeakingFrame(emulated))
        elif act is Act.INTERRUPT:
            if self._may_interrupt:
                self._push(InterruptionFrame())
        elif act is Act.VOICE_STOPPED:
            self._push(VADUserStoppedSpeakingFrame(lasted_s))
        elif act is Act.TURN_STOPPED:
            self._push(UserStoppedSpeakingFrame(emulated))
            self.ended()
        elif self.ask is None or self.ask():
            self.signal(Signal.COMPLETE)

    def _push(self, frame: Frame) -> None:
        self._owner.push_frame_nowait(frame)

    def _due_s(self) -> float:
        state = self._turn.state
        starved_s = self._heard_s + _STARVED_S if state in _HEARS else float("inf")
        given_up_s = self._waits_since_s + self._stop_timeout_s if state in _WAITS else float("inf")
        return min(starved_s, given_up_s)

    def _watch(self) -> None:
        # The timer that is set is left alone while it is early enough: it looks again when due.
        due_s = self._due_s()
        timer = self._timer
        if timer is not None:
            if timer.due_s <= due_s:
                return
            timer.cancel()
        assert self._context is not None
        self._timer = self._context.call_at(due_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._turn.state is TurnState.IDLE:
            return
        if anyio.current_time() >= self._due_s():
            self.give_up()
        else:
            self._watch()


def _nothing() -> None:
    pass
