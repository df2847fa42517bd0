"""The turn analyzer in a session: one call at a time, and no failure out."""

import inspect
from collections import deque
from collections.abc import Callable

import anyio

from wsframes.audio.pcm import remix
from wsframes.graph.failures import describe
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.hearing.ready import make_ready
from wsframes.transport.hearing.voice_stage import Report
from wsframes.transport.tasks.workers import place, run_slow
from wsframes.turn import BaseTurnAnalyzer, EndOfTurnState

__all__ = ["TurnStage"]

# Of one answer. Far above what a model takes, and less than a user waits.
_HANGS_S = 2.0

# Of audio that comes while the analyzer thinks. What is older is not heard any more.
_WAITING_BYTES = 1 << 20

COMPLETE = EndOfTurnState.COMPLETE


class TurnStage:
    """Feeds one session's audio to its analyzer, and asks it.

    An analyzer that fails, does not answer, or returns what is no answer is reported, once, and the
    turn goes on. One that hangs in its thread is not used any more: then each turn is over when the
    voice stops.

    Args:
        analyzer: of this session.
        owner: whose background work the asking is.
        report: told of failures.
        completed: called when an answer that took its time is that the turn is over.
    """

    def __init__(
        self,
        analyzer: BaseTurnAnalyzer,
        owner: FrameProcessor,
        report: Report,
        completed: Callable[[], None],
    ) -> None:
        self._analyzer = analyzer
        self._is_async = inspect.iscoroutinefunction(analyzer.analyze_end_of_turn)
        self._owner = owner
        self._report = report
        self._completed = completed
        self._waiting = _Waiting()
        self._asked = 0
        """Answers that are awaited: those before the last one are of no use any more."""
        self._clear_later = False
        self._rate = 0
        self._reported = False
        self._is_out = False
        """It hangs: it is not used any more."""

    async def prepare(self) -> None:
        """Let the analyzer load what it needs.

        Raises:
            RuntimeError: it cannot.
            TimeoutError: it cannot in time.
        """
        await make_ready(self._analyzer)

    def begin(self) -> None:
        """A run begins."""
        self._waiting.take()
        self._asked = 0
        self._clear_later = False
        self._rate = 0

    def start_secs(self, vad_start_secs: float) -> None:
        """Tell the analyzer how long a voice has been there when it is told of it."""
        self._analyzer.vad_start_secs = vad_start_secs

    def append(self, audio: bytes, rate: int, num_channels: int, is_speech: bool) -> bool:
        """Let the analyzer hear a piece; True: it says that the turn is over."""
        if self._is_out:
            return False
        mono = remix(audio, num_channels, 1)
        if self._asked:
            self._waiting.put(mono, rate, is_speech)
            return False
        if rate != self._rate:
            self._tune(rate)
        return self._guarded(self._analyzer.append_audio, mono, is_speech) is COMPLETE

    def ask(self) -> bool:
        """Ask whether the turn is over; True: it is. Otherwise `completed` may say so later."""
        if self._is_out:
            return True
        self._asked += 1
        if self._asked > 1:
            return False
        if self._analyzer.runs_inline and not self._is_async:
            self._asked = 0
            return self._guarded(self._ask_inline) is COMPLETE
        self._owner.start_soon(self._answer, name=f"{self._owner.name} turn")
        return False

    def clear(self) -> None:
        """The turn is over."""
        self._waiting.take()
        if self._asked:
            self._clear_later = True
        elif not self._is_out:
            self._guarded(self._analyzer.clear)

    async def _answer(self) -> None:
        try:
            while True:
                asked = self._asked
                state = await self._analyze()
                if self._is_out:
                    break
                if self._clear_later:
                    self._clear_later = False
                    self._guarded(self._analyzer.clear)
                    state = None
                for mono, rate, is_speech in self._waiting.take():
                    if rate != self._rate:
                        self._tune(rate)
                    heard = self._guarded(self._analyzer.append_audio, mono, is_speech)
                    state = COMPLETE if heard is COMPLETE else state
                if asked == self._asked:
                    break
        finally:
            self._asked = 0
        if state is COMPLETE or self._is_out:
            self._completed()

    async def _analyze(self) -> object:
        analyze = self._analyzer.analyze_end_of_turn
        try:
            if self._is_async:
                with anyio.move_on_after(_HANGS_S):
                    return self._checked(_no_coroutine(await analyze()))
            else:
                async with place():
                    with anyio.move_on_after(_HANGS_S):
                        # In the thread: trio lets no coroutine out of it.
                        state = await run_slow(lambda: _no_coroutine(analyze()))
                        return self._checked(state)
                self._is_out = True
        except Exception as exc:
            self._failed(f"failed: {exc!r}", exc)
            return None
        if self._is_out:
            self._reported = False  # this is another thing to know
        more = ", and is not used any more" if self._is_out else ""
        self._failed(f"did not answer within {_HANGS_S:g} s{more}", None)
        return None

    def _ask_inline(self) -> object:
        return self._checked(_no_coroutine(self._analyzer.analyze_end_of_turn()))

    def _checked(self, state: object) -> object:
        if not isinstance(state, EndOfTurnState):
            self._failed(
                f"returned {describe(state)} from analyze_end_of_turn, and not COMPLETE or "
                "INCOMPLETE: it counts as INCOMPLETE",
                None,
            )
        return state

    def _tune(self, rate: int) -> None:
        self._rate = rate
        self._guarded(self._analyzer.set_sample_rate, rate)

    def _guarded(self, call: Callable[..., object], *args: object) -> object:
        try:
            return call(*args)
        except Exception as exc:
            self._failed(f"failed: {exc!r}", exc)
            return None

    def _failed(self, text: str, exc: BaseException | None) -> None:
        if not self._reported:
            self._reported = True
            self._report(f"{type(self._analyzer).__name__} {text}", exc)


def _no_coroutine(state: object) -> object:
    if inspect.iscoroutine(state):
        state.close()
        raise TypeError("analyze_end_of_turn returned a coroutine, which only an `async def` may")
    return state


class _Waiting:
    """What has come while the analyzer thinks: the latest of it, within the bound."""

    __slots__ = ("_bytes", "_pieces")

    def __init__(self) -> None:
        self._pieces: deque[tuple[bytes, int, bool]] = deque()
        self._bytes = 0

    def put(self, mono: bytes, rate: int, is_speech: bool) -> None:
        self._pieces.append((mono, rate, is_speech))
        self._bytes += len(mono)
        while self._bytes > _WAITING_BYTES:
            self._bytes -= len(self._pieces.popleft()[0])

    def take(self) -> deque[tuple[bytes, int, bool]]:
        """All of it, in order; nothing is left."""
        pieces, self._pieces, self._bytes = self._pieces, deque(), 0
        return pieces
