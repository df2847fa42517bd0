"""A bot that greets, and then says what it has heard; `test_bot.py` tests it.

A phrase is over when no audio has come for half a second. Whoever speaks while the bot does
interrupts it.
"""

from wsframes import (
    BotInterruptionFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    Pipeline,
    StartFrame,
    UserStoppedSpeakingFrame,
)
from wsframes.processors import IdleFrameProcessor
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport

RATE = 16000
GREETING = (b"\x00\x10" * 20 + b"\x00\xf0" * 20) * 800  # two seconds of a tone


class Parrot(FrameProcessor):
    def __init__(self) -> None:
        super().__init__()
        self._heard = bytearray()
        self._speaking = False

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        match frame:
            case StartFrame():
                self.push_frame_nowait(OutputAudioRawFrame(GREETING, RATE))
            case InputAudioRawFrame():
                if self._speaking:
                    self.push_frame_nowait(BotInterruptionFrame(), FrameDirection.UPSTREAM)
                self._heard += frame.audio
                return
            case UserStoppedSpeakingFrame() if self._heard:
                self.push_frame_nowait(OutputAudioRawFrame(bytes(self._heard), RATE))
                self._heard.clear()
            case BotStartedSpeakingFrame() | BotStoppedSpeakingFrame():
                self._speaking = isinstance(frame, BotStartedSpeakingFrame)
        self.push_frame_nowait(frame, direction)


def phrase_is_over(watcher: IdleFrameProcessor) -> None:
    watcher.push_frame_nowait(UserStoppedSpeakingFrame())


def build(transport: WebsocketTransport) -> Pipeline:
    watcher = IdleFrameProcessor(callback=phrase_is_over, timeout=0.5, types=[InputAudioRawFrame])
    return Pipeline([transport.input(), watcher, Parrot(), transport.output()])


app = WebsocketApp(
    build,
    params=WebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        serializer=MsgpackFrameSerializer(),
        session_timeout=3600,
    ),
)
