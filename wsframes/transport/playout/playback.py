"""What the peer plays of one destination: what may leave when, and what is heard of it."""

from collections.abc import Callable

import anyio

from wsframes.frames import SystemFrame
from wsframes.graph.context import RunContext
from wsframes.transport.pacer import Interrupted, Pacer
from wsframes.transport.playout.bot_speech import BotSpeech
from wsframes.transport.playout.media_queue import Chunk
from wsframes.transport.playout.utterance_end import UtteranceEnd

__all__ = ["Playback"]

_NOTHING = Interrupted(0.0, 0.0)


class Playback:
    """Follows the schedule, the bot's speech and its end together, as chunks leave.

    Args:
        pacer: the schedule.
        end: notices the end of what is said.
        is_over: asked when what was sent of an utterance has been played; see `BotSpeech`.
        tell: told of the bot's speech.

    Attributes:
        pacer: to be asked, and to be told by nobody else of what has been sent.
        end: to be told of what is put.
    """

    __slots__ = ("_clock", "_speech", "end", "pacer")

    def __init__(
        self,
        pacer: Pacer,
        end: UtteranceEnd,
        is_over: Callable[[], bool],
        tell: Callable[[type[SystemFrame]], None],
    ) -> None:
        self.pacer = pacer
        self.end = end
        self._speech = BotSpeech(pacer, is_over, tell)
        self._clock: Callable[[], float]

    def begin(self, context: RunContext) -> None:
        """Follow it in this run."""
        self._clock = context.clock
        self._speech.begin(context)
        self.end.begin(context)

    def let_go(self) -> None:
        """Keep the schedule only; see `Node.let_go`."""
        self._speech.let_go()
        del self._speech, self.end

    def is_due(self, chunk: Chunk, ran_dry: bool) -> bool:
        """Whether a chunk may leave.

        Args:
            chunk: the next one.
            ran_dry: nothing was there when it came; see `MediaQueue.ran_dry`.
        """
        pacer = self.pacer
        if chunk.sample_rate != pacer.sample_rate:
            pacer.change_rate(chunk.sample_rate)
        return pacer.is_due(self._clock(), ran_dry)

    def left(self, chunk: Chunk, *, is_sent: bool) -> None:
        """A chunk has been sent, or was not taken: it takes its time all the same."""
        pacer, speech, now_s = self.pacer, self._speech, self._clock()
        if not chunk.is_speech:
            speech.pause(pacer.playout_end_s)
            pacer.leave_out(chunk.frames)
        elif not speech.is_heard:
            pacer.begin_utterance()
        pacer.sent(chunk.frames, now_s)
        if is_sent and chunk.is_speech:
            self.end.said()
            speech.sent(chunk, now_s)

    def interrupt(self) -> Interrupted:
        """Nothing sent so far is played any more; says what the peer has heard of the bot."""
        heard = self.pacer.interrupt(anyio.current_time(), self._speech.end_s)
        if not self._speech.is_heard:
            heard = _NOTHING  # what is sent beside speech is none
        self._speech.stop()
        return heard

    def answered(self, mark: str) -> bool:
        """The peer has played up to a mark; says whether that was all that the bot said."""
        over = self.end.answered(mark)
        if over:
            self._speech.stop()
        return over

    @property
    def over_s(self) -> float | None:
        """When the peer will have played all of it, or is to have said so; None if it has."""
        end_s = self.pacer.playout_end_s
        return end_s if end_s > anyio.current_time() else self.end.awaited_until_s

    def stop(self) -> None:
        """Nothing more is heard."""
        self._speech.stop()
