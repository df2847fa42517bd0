"""The end of what is said: when it has come, and what is sent then.

Nobody tells a sender that an utterance is over; it has to notice. Two things are noticed, by one
timer:

- A *pause*: nothing has come for two chunks' time. A source that goes on in real time completes a
  chunk within its length, so what has come so far must not wait for the next words: the chunk that
  is not full is sent.
- The *end*: a pause, and what was sent will have been played in a moment. Now what waits in the
  resampler is sent, which would make a gap if more came, and the mark that tells how far the peer
  has come with its playback.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from wsframes.graph.context import RunContext
from wsframes.transport.audio_intake import AudioIntake
from wsframes.transport.pacer import Pacer
from wsframes.transport.playout.marks import Marks
from wsframes.transport.playout.media_queue import MediaQueue

if TYPE_CHECKING:
    from wsframes.graph.timers import Timer

__all__ = ["UtteranceEnd"]

# How long before the end of the playing it is the end, at least. A mark needs time for its way.
_NEAR_S = 0.08
_LOOK_S = 0.02


class UtteranceEnd:
    """Of one destination. Costs no timer of its own for each piece of audio.

    Args:
        intake: where the rest of the audio may be.
        queue: where that goes.
        pacer: knows how far the peer has come.
        marks: None if the peer does not answer any.
        pause_s: how long a pause is.
        background_lead_s: how long before the end of the playing a background puts that off; 0:
            there is none.
        queued: called when something was queued.
    """

    __slots__ = (
        "_context",
        "_due_s",
        "_intake",
        "_marks",
        "_near_s",
        "_pacer",
        "_pause_s",
        "_queue",
        "_queued",
        "_timer",
    )

    def __init__(
        self,
        intake: AudioIntake,
        queue: MediaQueue,
        pacer: Pacer,
        marks: Marks | None,
        pause_s: float,
        background_lead_s: float,
        queued: Callable[[], None],
    ) -> None:
        self._intake = intake
        self._queue = queue
        self._pacer = pacer
        self._marks = marks
        self._pause_s = pause_s
        self._near_s = max(_NEAR_S, background_lead_s + _LOOK_S)
        self._queued = queued
        self._timer: Timer | None = None
        self._due_s = 0.0
        self._context: RunContext

    def begin(self, context: RunContext) -> None:
        """Notice it in this run."""
        self._context = context
        self._timer = None

    def put(self, partial: bool) -> None:
        """A piece of audio has been put, and maybe a part of it waits for the rest of its chunk."""
        if partial or self._intake.has_rest or self._marks is not None:
            self._due_s = self._context.clock() + self._pause_s
            if self._timer is None:
                self._timer = self._context.call_at(self._due_s, self._look)

    def said(self) -> None:
        """A chunk of speech has left."""
        if self._marks is not None:
            self._marks.said()

    def finish(self) -> None:
        """It is the end: queue the rest of the audio, or, when that has left, the mark."""
        queue, marks = self._queue, self._marks
        if self._intake.has_rest:
            queue.put_audio(self._intake.rest(), self._intake.rate_given)
        queue.flush()
        if marks is not None and marks.is_due and queue.empty:
            queue.put_frame(marks.next(self._pacer.playout_end_s))
        self._queued()

    def hurry(self) -> None:
        """Something else is to be sent: queue what was said before that."""
        if self._queue.partial:
            self._queue.flush()
            self._queued()
        else:
            self.finish()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be sent, and no answer of the peer to be waited for."""
        if not self._queue.empty or self._intake.has_rest:
            return False
        marks = self._marks
        return marks is None or not (marks.is_due or self.awaited_until_s is not None)

    @property
    def awaited_until_s(self) -> float | None:
        """Until when the peer is to say that it has played all of it; None if it is not."""
        return None if self._marks is None else self._marks.awaited_until_s(anyio.current_time())

    def answered(self, mark: str) -> bool:
        """The peer has played up to a mark; says whether that is all there is."""
        return self._marks is not None and self._marks.answered(mark) and self.is_over

    def clear(self) -> None:
        """What was said is not played any more."""
        self._intake.rest()
        if self._marks is not None:
            self._marks.clear()

    def _look(self) -> None:
        self._timer = None
        now_s = anyio.current_time()
        if self._due_s > now_s:
            self._look_at(self._due_s)
            return
        queue, marks = self._queue, self._marks
        near_s = self._pacer.playout_end_s - self._near_s
        if queue.empty and near_s <= now_s:
            self.finish()
        else:
            queue.flush()
            self._queued()
        if self._intake.has_rest or (marks is not None and (marks.is_due or not queue.empty)):
            self._look_at(max(near_s, now_s + _LOOK_S))

    def _look_at(self, time_s: float) -> None:
        self._timer = self._context.call_at(time_s, self._look)
