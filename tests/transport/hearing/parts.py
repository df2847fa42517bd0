"""Sessions with analyzers that do as they are told, and what they push."""

from typing import Any

import anyio

from tests.transport.sessions import RATE, Session
from tests.vad.parts import Loud, tone
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from wsframes.testing import MemoryPeer
from wsframes.vad import VADParams

__all__ = ["PARAMS", "SILENCE", "SPOKEN", "VOICE", "Ear", "Threaded", "hearing", "say"]

PARAMS = VADParams(start_secs=0.1, stop_secs=0.2)

VOICE = tone(0.02)
SILENCE = bytes(len(VOICE))

SHORT = {
    VADUserStartedSpeakingFrame: "vad+",
    VADUserStoppedSpeakingFrame: "vad-",
    UserStartedSpeakingFrame: "user+",
    UserStoppedSpeakingFrame: "user-",
    InterruptionFrame: "!",
    InputTransportMessageFrame: "message",
}

SPOKEN = ["vad+", "user+", "!", "vad-", "user-"]
"""What is told of one turn."""


class Ear(FrameProcessor):
    """Notes what comes, and when: audio as `v` and `.`, all else in short words."""

    def __init__(self) -> None:
        super().__init__(name="ear")
        self.heard: list[str] = []
        self.at_s: list[float] = []
        self.frames: list[Frame] = []

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            self._note("v" if frame.audio[:1] != b"\0" else ".", frame)
        elif type(frame) in SHORT:
            self._note(SHORT[type(frame)], frame)
        self.push_frame_nowait(frame, direction)

    @property
    def told(self) -> list[str]:
        """All but the audio."""
        return [word for word in self.heard if word not in "v."]

    @property
    def audio(self) -> str:
        return "".join(word for word in self.heard if word in "v.")

    def when_s(self, word: str) -> float:
        """When the last of these came."""
        return [s for heard, s in zip(self.heard, self.at_s, strict=True) if heard == word][-1]

    def _note(self, word: str, frame: Frame) -> None:
        self.heard.append(word)
        self.at_s.append(anyio.current_time())
        self.frames.append(frame)


class Threaded(Loud):
    """As `Loud`, in a worker thread."""

    runs_inline = False


def hearing(*processors: FrameProcessor, **params: Any) -> tuple[Session, Ear]:
    """A session that hears 16 kHz, mono, and an ear behind its input."""
    ear = Ear()
    defaults: dict[str, Any] = {"vad_analyzer": Loud(params=PARAMS)}
    return Session(ear, *processors, **defaults | params), ear


async def say(peer: MemoryPeer, words: str) -> None:
    """Send 20 ms of voice for each `v` and of silence for each `.`, in real time."""
    for word in words:
        await peer.send(VOICE if word == "v" else SILENCE)
        await anyio.sleep(len(VOICE) / 2 / RATE)
