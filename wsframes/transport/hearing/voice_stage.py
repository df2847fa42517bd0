"""The voice activity detector in a session: any audio in, and no failure out."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from wsframes.audio.pcm import remix
from wsframes.transport.hearing.ready import make_ready
from wsframes.transport.rate_conversion import new_resampler
from wsframes.transport.tasks.workers import place, run_slow
from wsframes.vad import VADAnalyzer, VADParams, VADState, VoiceChange, VoiceDetector

if TYPE_CHECKING:
    from wsframes.audio.resample import StreamResampler

__all__ = ["Report", "VoiceStage"]

# Of one call. After that the thread that it is in is left alone, and the analyzer with it.
_HANGS_S = 1.0

Report = Callable[[str, BaseException | None], None]


class VoiceStage:
    """Feeds one session's audio to its analyzer, at a rate that this can analyze.

    An analyzer that raises is reported, once, and asked again; one that hangs is reported and not
    asked any more. In either case there is no verdict.

    Args:
        analyzer: of this session.
        report: told of failures.
    """

    def __init__(self, analyzer: VADAnalyzer, report: Report) -> None:
        self._analyzer = analyzer
        self._report = report
        self._params = analyzer.params
        self._detector: VoiceDetector | None = None
        self._resampler: StreamResampler | None = None
        self._rate = 0
        self._forget = False
        self._reported = False
        self._hangs = False

    @property
    def runs_inline(self) -> bool:
        """Whether `feed` may be called on the event loop."""
        return self._analyzer.runs_inline or self._hangs

    @property
    def hears_voice(self) -> bool:
        """Whether there was speech, and not its end, in the audio so far."""
        detector = None if self._hangs else self._detector
        return detector is not None and detector.state is VADState.SPEAKING

    @property
    def params(self) -> VADParams:
        """What a voice has to be."""
        return self._params

    @params.setter
    def params(self, params: VADParams) -> None:
        self._params = params
        if self._detector is not None:
            self._detector.params = params

    async def prepare(self) -> None:
        """Let the analyzer load what it needs.

        Raises:
            RuntimeError: it cannot.
            TimeoutError: it cannot in time.
        """
        await make_ready(self._analyzer)

    def feed(self, audio: bytes, rate: int, num_channels: int) -> list[VoiceChange] | None:
        """Analyze a piece; None: there is no verdict."""
        if self._hangs:
            return None
        try:
            return self._feed(audio, rate, num_channels)
        except Exception as exc:
            self._failed(f"failed: {exc!r}", exc)
            return None

    async def feed_parts(
        self, parts: Iterable[bytes], rate: int, num_channels: int
    ) -> list[VoiceChange] | None:
        """Analyze a long piece, and let others run after each part; None: there is no verdict.

        A part on which the analyzer fails takes nothing from the verdict on the others.
        """
        changes: list[VoiceChange] = []
        verdicts = failures = 0
        for part in parts:
            found = self.feed(part, rate, num_channels)
            if found is None:
                failures += 1
            else:
                verdicts += 1
                changes += found
            await anyio.lowlevel.checkpoint()
            if self._forget:
                changes.clear()
        return changes if verdicts or not failures else None

    async def feed_slow(
        self, audio: bytes, rate: int, num_channels: int
    ) -> list[VoiceChange] | None:
        """Analyze a piece in a worker thread; None: there is no verdict."""
        async with place():
            with anyio.move_on_after(_HANGS_S):
                try:
                    changes = await run_slow(self._feed, audio, rate, num_channels)
                    return [] if self._forget else changes
                except Exception as exc:
                    self._failed(f"failed: {exc!r}", exc)
                    return None
        self._hangs = True
        self._reported = False  # this is another thing to know
        self._failed(f"did not return within {_HANGS_S:g} s, and is not used any more", None)
        return None

    def reset(self) -> None:
        """What comes next has nothing to do with what came before; nobody speaks.

        What was found in a piece that is being analyzed is not told any more.
        """
        self._forget = True  # not now: a thread may be at work

    def _feed(self, audio: bytes, rate: int, num_channels: int) -> list[VoiceChange]:
        detector = self._detector
        if detector is None or rate != self._rate:
            detector = self._tune(rate)
        if self._forget:
            self._forget = False
            detector.reset()
        if num_channels > 1:
            audio = remix(audio, num_channels, 1)
        if self._resampler is not None:
            audio = self._resampler.push(audio)
        return detector.feed(audio)

    def _tune(self, rate: int) -> VoiceDetector:
        self._rate = 0  # until all of it has worked
        rates = self._analyzer.sample_rates
        analyzed = rate if rates is None or rate in rates else max(rates)
        self._resampler = None if rate == analyzed else new_resampler(rate, analyzed, 1)
        detector = VoiceDetector(self._analyzer, analyzed)
        detector.params = self._params
        if self._detector is not None:
            detector.follow(self._detector)
        self._detector = detector
        self._rate = rate
        return detector

    def _failed(self, text: str, exc: BaseException | None) -> None:
        if not self._reported:
            self._reported = True
            self._report(f"{type(self._analyzer).__name__} {text}", exc)
