"""The application that the demo serves: each phrase is answered with the phrase itself."""

from collections import Counter
from collections.abc import Callable

from starlette.websockets import WebSocket

from wsframes import (
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
    RunResult,
    TransportMessageUrgentFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from wsframes.demo.clip import GOODBYE, MESSAGE_MS, SAMPLE_RATE
from wsframes.demo.gate import PhraseGate
from wsframes.demo.notes import Served
from wsframes.demo.room import room_mixer
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport
from wsframes.vad import VADParams
from wsframes.vad.silero import SileroVADAnalyzer

__all__ = ["Parrot", "make_app"]

_SESSION_LIMIT_S = 60.0

# What an interruption drops is no loss.
_WANTED = "interrupted"

# Who barges in is answered by silence soon; pauses between words are no end.
_VOICE = VADParams(start_secs=0.1, stop_secs=0.3)


class Parrot(FrameProcessor):
    """Says back what it hears, phrase by phrase, and returns every message at once.

    Attributes:
        speech: when somebody spoke, from and until, in seconds of the audio that came.
    """

    def __init__(self, gate: PhraseGate) -> None:
        super().__init__()
        self._gate = gate
        self._heard_s = 0.0
        self._speaks_since_s = 0.0
        self.speech: list[tuple[float, float]] = []

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, VADUserStartedSpeakingFrame):
            # It comes before the audio that made it certain.
            self._speaks_since_s = self._heard_s + MESSAGE_MS / 1000 - frame.start_secs
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self.speech.append((self._speaks_since_s, self._heard_s - frame.stop_secs))
        if isinstance(frame, InputAudioRawFrame):
            self._heard_s += frame.num_frames / frame.sample_rate
            for phrase in self._gate.feed(frame.audio):
                self.push_frame_nowait(OutputAudioRawFrame(phrase.audio, frame.sample_rate))
        elif not isinstance(frame, InputTransportMessageFrame):
            self.push_frame_nowait(frame, direction)
        elif frame.message == GOODBYE:
            # Upstream, it asks for the end; what comes back downstream lets all audio go first.
            self.push_frame_nowait(EndFrame(), FrameDirection.UPSTREAM)
        else:
            self.push_frame_nowait(TransportMessageUrgentFrame(frame.message))


def make_app(on_end: Callable[[Served], None]) -> WebsocketApp:
    """The application, for any server.

    Args:
        on_end: told what has become of each session.
    """

    SileroVADAnalyzer().prepare()  # so that the first session does not wait for the model

    def params(websocket: WebSocket) -> WebsocketParams:
        return WebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_sample_rate=SAMPLE_RATE,
            audio_out_mixer=room_mixer(),
            vad_analyzer=SileroVADAnalyzer(params=_VOICE),
            serializer=MsgpackFrameSerializer(),
            session_timeout=_SESSION_LIMIT_S,
        )

    def build(transport: WebsocketTransport) -> PipelineTask:
        parrot = Parrot(PhraseGate(SAMPLE_RATE))
        task = PipelineTask(Pipeline([transport.input(), parrot, transport.output()]))

        @task.event_handler("on_pipeline_finished")
        def finished(task: PipelineTask, result: RunResult) -> None:
            on_end(_account(transport, parrot, task, result))

        return task

    return WebsocketApp(build, params=params, max_sessions=1)


def _account(
    transport: WebsocketTransport, parrot: Parrot, task: PipelineTask, result: RunResult
) -> Served:
    wire = transport.statistics()
    dropped: Counter[str] = Counter()
    interrupted = 0

    def count(place: str, reasons: dict[str, int]) -> None:
        dropped.update(
            {
                f"{place}: {reason}": lost
                for reason, lost in reasons.items()
                if lost and reason != _WANTED
            }
        )

    count("socket", wire.unsent)
    count("socket", {"malformed": wire.malformed})
    count("input", transport.input().dropped)
    count("output", transport.output().dropped)
    for media in transport.output().statistics().values():
        count("audio", media.audio_dropped)
        interrupted += media.audio_dropped.get(_WANTED, 0)
        count("frames", media.frames_dropped)
    for name, queue in task.statistics().items():
        count(name, queue.dropped)
        count(name, queue.refused)
    return Served(
        received=wire.received,
        sent=wire.sent,
        dropped=dict(dropped),
        speech=parrot.speech,
        interrupted=interrupted,
        lead_ms=transport.params.audio_out_lead_ms,
        reason=result.reason.value,
        close_code=result.close_code,
        error=None if result.error is None else str(result.error),
    )
