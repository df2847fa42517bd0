"""What hears the user: input audio on its way from the reader to the pipeline.

    reader -> queue -> (filter ->) voice activity detector -> turn analyzer -> downstream

What is cheap is done at once, in the reader's own turn: a wake-up costs 8 us and a thread 60, where
a 20 ms piece through Silero takes 80. Whatever has to wait, for a worker thread or for room
downstream, waits in a queue that another task empties; all that comes after it waits there too, so
that the order of the wire is kept. A full queue stops the reader.
"""

from collections.abc import Iterator

import anyio
import anyio.lowlevel

from wsframes.audio.pcm import bytes_per_frame, duration_s
from wsframes.exceptions import UsageError
from wsframes.frames import Frame, FrameDirection, InputAudioRawFrame
from wsframes.graph.failures import describe
from wsframes.graph.mailbox import Counts, Queue, QueueLimits
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.claims import Claim
from wsframes.transport.params import WebsocketParams
from wsframes.transport.turn_stage import TurnStage
from wsframes.transport.turn_telling import TurnTelling
from wsframes.transport.user_turn import Signal
from wsframes.transport.voice_stage import VoiceStage
from wsframes.transport.waiting import Signal as Wake
from wsframes.vad import VADParams, VoiceChange

__all__ = ["Hearing", "hearing_of"]

_QUEUE_FRAMES = 256
_QUEUE_S = 1.0

# Of audio that is analyzed without letting others run: less than a millisecond's work.
_AT_ONCE_S = 0.1

# Of one analyzer to load its model.
_PREPARE_S = 30.0


class Hearing:
    """Takes what the reader reads; pushes it, and what was heard in it, downstream.

    Args:
        owner: the processor that pushes.
        params: of the transport.
        telling: told of voice and silence.
        voice: the detector.
        turn: the analyzer of turns, where there is one.
    """

    def __init__(
        self,
        owner: FrameProcessor,
        params: WebsocketParams,
        telling: TurnTelling,
        voice: VoiceStage,
        turn: TurnStage | None,
    ) -> None:
        self._owner = owner
        self._telling = telling
        self._voice = voice
        self._turn = turn
        self._claim = Claim(
            (("vad_analyzer", params.vad_analyzer), ("turn_analyzer", params.turn_analyzer))
        )
        self._passes_audio = params.audio_in_passthrough
        self.counts = Counts()
        """What has become of the frames; those in the queue and at work are in none of them."""
        self._queue = Queue(_limits(params), self.counts)
        self._at_work: Frame | None = None
        self._worker_runs = False
        self._more = Wake()
        self._room = Wake()

    async def prepare(self) -> None:
        """Make the analyzers ready, for this session only.

        Raises:
            UsageError: another session has one of them.
            Exception: one of them cannot be made ready.
        """
        self._claim.take()
        with anyio.fail_after(_PREPARE_S):
            await self._voice.prepare()
            if self._turn is not None:
                await self._turn.prepare()

    def begin(self) -> None:
        """A run begins."""
        self._worker_runs = False
        self._voice.reset()
        if self._turn is not None:
            self._turn.begin()
            self._turn.start_secs(self._voice.params.start_secs)

    @property
    def waiting(self) -> int:
        """Frames that have been taken, and are still here."""
        return len(self._queue.entries) + (self._at_work is not None)

    @property
    def is_full(self) -> bool:
        """Whether the reader is to wait for room."""
        return self._queue.full

    async def wait_for_room(self) -> None:
        """For the reader: wait until half of the queue is free."""
        while self._queue.full:
            await self._room.wait()

    def take(self, frame: Frame) -> None:
        """Take a frame from the peer. Never waits."""
        if self._at_work is not None or self._queue.entries:
            self._put(frame)
        elif not isinstance(frame, InputAudioRawFrame):
            self._pass(frame)
        elif self._voice.runs_inline and _length_s(frame) <= _AT_ONCE_S:
            self._heard(frame, self._voice.feed(frame.audio, frame.sample_rate, frame.num_channels))
        else:
            self._put(frame)

    def update(self, params: object) -> None:
        """Change what a voice has to be, from the next window on.

        Raises:
            UsageError: these are no VADParams.
        """
        if not isinstance(params, VADParams):
            raise UsageError(f"a VADParamsUpdateFrame takes VADParams, not {describe(params)}")
        self._voice.params = params
        if self._turn is not None:
            self._turn.start_secs(params.start_secs)

    def turn_ended(self) -> None:
        """What is heard from now on belongs to another turn."""
        if self._turn is not None:
            self._turn.clear()

    def lost(self) -> None:
        """No more audio came, or no more verdicts."""
        self._voice.reset()

    def close(self) -> None:
        """The session is over: what has not been heard will not be."""
        self._claim.give_back()
        if self._at_work is not None:
            self.counts.dropped["cancelled"] += 1
            self._at_work = None
        self._queue.clear("cancelled")

    def _put(self, frame: Frame) -> None:
        self._queue.put(frame, FrameDirection.DOWNSTREAM)
        if self._worker_runs:
            self._more.set()
        else:
            self._worker_runs = True
            self._owner.start_soon(self._work, name=f"{self._owner.name} hearing")

    async def _work(self) -> None:
        while True:
            while self._queue.entries:
                frame = self._at_work = self._queue.take()[0]
                if not self._queue.full:
                    self._room.set()
                if isinstance(frame, InputAudioRawFrame):
                    await self._hear(frame)
                else:
                    self._pass(frame)
                self._at_work = None
                # A list of its own: it changes while others push.
                for lane in tuple(self._owner._wired().dispatcher.congested):
                    await lane.wait_for_room()
                await anyio.lowlevel.checkpoint()
            await self._more.wait()

    async def _hear(self, frame: InputAudioRawFrame) -> None:
        rate, channels = frame.sample_rate, frame.num_channels
        changes: list[VoiceChange] | None = []
        if not self._voice.runs_inline:
            changes = await self._voice.feed_slow(frame.audio, rate, channels)
        else:
            for piece in _pieces(frame):
                found = self._voice.feed(piece, rate, channels)
                changes = None if found is None or changes is None else [*changes, *found]
                await anyio.lowlevel.checkpoint()
        self._heard(frame, changes)

    def _heard(self, frame: InputAudioRawFrame, changes: list[VoiceChange] | None) -> None:
        if changes is not None:
            self._telling.heard()
        rest = changes or []
        if rest and rest[0].is_speech:
            self._tell(rest[0])
            rest = rest[1:]
        if self._passes_audio:
            self._pass(frame)
        else:
            self.counts.dropped["no_passthrough"] += 1
        is_complete = self._turn is not None and self._turn.append(
            frame.audio, frame.sample_rate, frame.num_channels, self._voice.hears_voice
        )
        for change in rest:
            self._tell(change)
        if is_complete:
            self._telling.signal(Signal.COMPLETE)

    def _tell(self, change: VoiceChange) -> None:
        signal = Signal.VOICE if change.is_speech else Signal.SILENCE
        self._telling.signal(signal, lasted_s=change.lasted_s)

    def _pass(self, frame: Frame) -> None:
        self._owner.push_frame_nowait(frame)
        self.counts.delivered += 1


def hearing_of(
    owner: FrameProcessor, params: WebsocketParams, telling: TurnTelling
) -> Hearing | None:
    """The hearing that these params ask for; None: there is nothing to be done to the audio."""
    if params.vad_analyzer is None:
        return None

    def report(text: str, exc: BaseException | None) -> None:
        owner.push_error(f"{owner.name}: {text}", exception=exc)

    voice = VoiceStage(params.vad_analyzer, report)
    turn = None
    if params.turn_analyzer is not None:
        turn = TurnStage(
            params.turn_analyzer, owner, report, lambda: telling.signal(Signal.COMPLETE)
        )
        telling.ask = turn.ask
    hearing = Hearing(owner, params, telling, voice, turn)
    telling.ended = hearing.turn_ended
    telling.lost = hearing.lost
    return hearing


def _limits(params: WebsocketParams) -> QueueLimits:
    rate = params.audio_in_sample_rate or 16000
    max_bytes = round(_QUEUE_S * rate) * bytes_per_frame(params.audio_in_channels)
    return QueueLimits(max_frames=_QUEUE_FRAMES, max_bytes=max_bytes)


def _length_s(frame: InputAudioRawFrame) -> float:
    return duration_s(frame.audio, frame.sample_rate, frame.num_channels)


def _pieces(frame: InputAudioRawFrame) -> Iterator[bytes]:
    step = round(_AT_ONCE_S * frame.sample_rate) * bytes_per_frame(frame.num_channels)
    for at in range(0, len(frame.audio), step):
        yield frame.audio[at : at + step]
