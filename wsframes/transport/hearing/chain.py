"""What hears the user: input audio on its way from the reader to the pipeline.

    reader -> queue -> filter -> voice activity detector -> turn analyzer -> downstream

Each of the three is there where the params have it.

What is cheap is done at once, in the reader's own turn: a wake-up costs 8 us and a thread 60, where
a 20 ms piece through Silero takes 80. Whatever has to wait, for a worker thread or for room
downstream, waits in a queue that another task empties; all that comes after it waits there too, so
that the order of the wire is kept. A full queue stops the reader.
"""

from collections.abc import Iterator

import anyio.lowlevel

from wsframes.audio.pcm import SAMPLE_BYTES, bytes_per_frame
from wsframes.exceptions import UsageError
from wsframes.frames import (
    FilterEnableFrame,
    FilterUpdateSettingsFrame,
    Frame,
    InputAudioRawFrame,
)
from wsframes.graph.failures import describe
from wsframes.graph.mailbox import QueueLimits
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.claims import Claim
from wsframes.transport.hearing.filter_stage import FilterStage
from wsframes.transport.hearing.line import Line
from wsframes.transport.hearing.turn_stage import TurnStage
from wsframes.transport.hearing.turn_telling import TurnTelling
from wsframes.transport.hearing.user_turn import Signal
from wsframes.transport.hearing.voice_stage import VoiceStage
from wsframes.transport.params import WebsocketParams
from wsframes.vad import VADParams, VoiceChange

__all__ = ["Hearing", "hearing_of"]

Control = FilterUpdateSettingsFrame | FilterEnableFrame

_QUEUE_FRAMES = 256
_QUEUE_S = 1.0

# Of audio that is analyzed without letting others run: less than a millisecond's work.
_AT_ONCE_S = 0.1


class Hearing:
    """Takes what the reader reads; pushes it, and what was heard in it, downstream.

    Args:
        owner: the processor that pushes.
        params: of the transport.
        telling: told of voice and silence.
        audio_filter: what is done to the audio first.
        voice: the detector.
        turn: the analyzer of turns; only with a detector.

    Attributes:
        line: the frames that have to wait, and the counts of all of them.
    """

    def __init__(
        self,
        owner: FrameProcessor,
        params: WebsocketParams,
        telling: TurnTelling,
        audio_filter: FilterStage | None,
        voice: VoiceStage | None,
        turn: TurnStage | None,
    ) -> None:
        self._owner = owner
        self._telling = telling
        self._filter = audio_filter
        self._voice = voice
        self._turn = turn
        names = ("audio_in_filter", "vad_analyzer", "turn_analyzer")
        self._claim = Claim((name, getattr(params, name)) for name in names)
        self._hears_at_once = voice is None or voice.runs_inline
        self._passes_audio = params.audio_in_passthrough
        self.line = Line(_limits(params))
        self._worker_runs = False

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        del self._owner, self._telling, self._filter, self._voice, self._turn

    async def prepare(self) -> None:
        """Make the analyzers ready, for this session only.

        Raises:
            UsageError: another session has one of them.
            RuntimeError: one of them cannot be made ready.
            TimeoutError: one of them cannot in time.
        """
        self._claim.take()
        if self._voice is not None:
            await self._voice.prepare()
        if self._turn is not None:
            await self._turn.prepare()

    def begin(self) -> None:
        """A run begins."""
        self._worker_runs = False
        if self._voice is not None:
            self._voice.reset()
            if self._turn is not None:
                self._turn.begin()
                self._turn.start_secs(self._voice.params.start_secs)

    def take(self, frame: Frame) -> None:
        """Take a frame from the peer. Never waits."""
        if not self.line.is_free:
            self._put(frame)
        elif not isinstance(frame, InputAudioRawFrame):
            self._pass(frame)
        elif not self._hears_at_once or _is_long(frame):
            self._put(frame)
        else:
            rate, channels = frame.sample_rate, frame.num_channels
            if self._filter is not None:
                audio = self._filter.feed_nowait(frame.audio, rate, channels)
                if audio is None:
                    self._put(frame)
                    return
                frame = _with_audio(frame, audio)
            voice = self._voice
            self._heard(frame, [] if voice is None else voice.feed(frame.audio, rate, channels))

    def control(self, frame: Control) -> None:
        """Hand a frame to the filter, in order with the audio."""
        if self._filter is not None:
            self._put(frame)

    def update(self, params: object) -> None:
        """Change what a voice has to be, from the next window on.

        Raises:
            UsageError: these are no VADParams.
        """
        if not isinstance(params, VADParams):
            raise UsageError(f"a VADParamsUpdateFrame takes VADParams, not {describe(params)}")
        if self._voice is not None:
            self._voice.params = params
        if self._turn is not None:
            self._turn.start_secs(params.start_secs)

    def turn_ended(self) -> None:
        """What is heard from now on belongs to another turn."""
        if self._turn is not None:
            self._turn.clear()

    def lost(self) -> None:
        """No more audio came, or no more verdicts."""
        if self._voice is not None:
            self._voice.reset()

    async def close(self) -> None:
        """The session is over: what has not been heard will not be."""
        self.line.close()
        if self._filter is not None:
            await self._filter.close()
        self._claim.give_back()

    def _put(self, frame: Frame) -> None:
        self.line.put(frame)
        if not self._worker_runs:
            self._worker_runs = True
            self._owner.start_soon(self._work, name=f"{self._owner.name} hearing")

    async def _work(self) -> None:
        while True:
            frame = await self.line.next()
            if isinstance(frame, InputAudioRawFrame):
                await self._hear(frame)
            elif isinstance(frame, Control):
                assert self._filter is not None
                await self._filter.control(frame)
            else:
                self._pass(frame)
            self.line.done()
            # A list of its own: it changes while others push.
            for lane in tuple(self._owner._wired().dispatcher.congested):
                await lane.wait_for_room()
            await anyio.lowlevel.checkpoint()

    async def _hear(self, frame: InputAudioRawFrame) -> None:
        rate, channels = frame.sample_rate, frame.num_channels
        changes: list[VoiceChange] | None = []
        if self._filter is not None:
            frame = _with_audio(frame, await self._filter.feed(frame.audio, rate, channels))
        if self._voice is None:
            pass
        elif not self._voice.runs_inline:
            changes = await self._voice.feed_slow(frame.audio, rate, channels)
        else:
            changes = await self._voice.feed_parts(_pieces(frame), rate, channels)
        self._heard(frame, changes)

    def _heard(self, frame: InputAudioRawFrame, changes: list[VoiceChange] | None) -> None:
        if changes is not None:
            self._telling.heard()
        if changes and changes[0].is_speech:
            self._tell(changes.pop(0))
        if not self._passes_audio:
            self.line.counts.dropped["no_passthrough"] += 1
        elif frame.audio:
            self._pass(frame)
        else:  # the filter keeps it for later
            self.line.counts.delivered += 1
        is_complete = self._turn is not None and self._append(self._turn, frame)
        if changes:
            for change in changes:
                self._tell(change)
        if is_complete:
            self._telling.signal(Signal.COMPLETE)

    def _append(self, turn: TurnStage, frame: InputAudioRawFrame) -> bool:
        is_speech = self._voice is not None and self._voice.hears_voice
        return turn.append(frame.audio, frame.sample_rate, frame.num_channels, is_speech)

    def _tell(self, change: VoiceChange) -> None:
        signal = Signal.VOICE if change.is_speech else Signal.SILENCE
        self._telling.signal(signal, lasted_s=change.lasted_s)

    def _pass(self, frame: Frame) -> None:
        self._owner.push_frame_nowait(frame)
        self.line.counts.delivered += 1


def hearing_of(
    owner: FrameProcessor, params: WebsocketParams, telling: TurnTelling
) -> Hearing | None:
    """The hearing that these params ask for; None: there is nothing to be done to the audio."""
    if params.audio_in_filter is None and params.vad_analyzer is None:
        return None

    def report(text: str, exc: BaseException | None) -> None:
        owner.push_error(f"{owner.name}: {text}", exception=exc)

    audio_filter = voice = turn = None
    if params.audio_in_filter is not None:
        audio_filter = FilterStage(params.audio_in_filter, report)
    if params.vad_analyzer is not None:
        voice = VoiceStage(params.vad_analyzer, report)
    if params.turn_analyzer is not None:
        turn = TurnStage(
            params.turn_analyzer, owner, report, lambda: telling.signal(Signal.COMPLETE)
        )
        telling.ask = turn.ask
    hearing = Hearing(owner, params, telling, audio_filter, voice, turn)
    telling.ended = hearing.turn_ended
    telling.lost = hearing.lost
    return hearing


def _limits(params: WebsocketParams) -> QueueLimits:
    rate = params.audio_in_sample_rate or 16000
    max_bytes = round(_QUEUE_S * rate) * bytes_per_frame(params.audio_in_channels)
    return QueueLimits(max_frames=_QUEUE_FRAMES, max_bytes=max_bytes)


def _is_long(frame: InputAudioRawFrame) -> bool:
    rate, channels = frame.sample_rate, frame.num_channels
    return len(frame.audio) > _AT_ONCE_S * rate * SAMPLE_BYTES * channels


def _with_audio(frame: InputAudioRawFrame, audio: bytes) -> InputAudioRawFrame:
    return frame if audio is frame.audio else frame.replace(audio=audio)


def _pieces(frame: InputAudioRawFrame) -> Iterator[bytes]:
    step = round(_AT_ONCE_S * frame.sample_rate) * bytes_per_frame(frame.num_channels)
    for at in range(0, len(frame.audio), step):
        yield frame.audio[at : at + step]
