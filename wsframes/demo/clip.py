"""What the demo's client says: the recorded phrases, and the pauses in which it listens."""

import io
import wave
from array import array
from collections.abc import Sequence
from importlib.resources import files
from random import Random

import msgspec

from wsframes.demo.gate import Phrase, PhraseGate

__all__ = [
    "GOODBYE",
    "MESSAGE_MS",
    "PHRASES",
    "SAMPLE_RATE",
    "Clip",
    "Spoken",
    "make_clip",
    "recorded_clip",
]

SAMPLE_RATE = 16000
MESSAGE_MS = 20
MESSAGE_BYTES = 2 * SAMPLE_RATE * MESSAGE_MS // 1000

PHRASES = (
    "Hello, can you hear me?",
    "Every word comes back to me.",
    "Thank you, and goodbye.",
)
"""The words of the recordings in `speech`; `make_speech.sh` makes them."""

GOODBYE = "goodbye"
"""The client's last message: when all before it has been answered, the session is to end."""

_BEFORE_S = 0.2
# What the answer to a phrase takes beyond the phrase itself (the gate waits to be sure that it is
# over, and gives it back with a margin), and a breath. Then nobody speaks while the other does.
_LISTEN_S = 1.1
# The last phrase is followed by just enough silence for the server to hear its end.
_AFTER_S = 0.5
# Who barges in waits for the answer to begin, and listens to so much of it.
_PATIENCE_S = 0.95


class Spoken(msgspec.Struct, frozen=True):
    """One phrase in the clip.

    Attributes:
        words: what it says.
        start: its first sample.
        end: the first sample after it.
    """

    words: str
    start: int
    end: int


class Clip(msgspec.Struct, frozen=True):
    """All that the client sends.

    Attributes:
        audio: PCM, mono, `SAMPLE_RATE`, a whole number of messages.
        spoken: where the phrases are in it.
        interrupted: number of the phrase, from 0, whose answer is interrupted by the next one;
            None: all answers are heard to their ends.
    """

    audio: bytes
    spoken: list[Spoken]
    interrupted: int | None = None

    @property
    def duration_s(self) -> float:
        return len(self.audio) / 2 / SAMPLE_RATE

    def messages(self) -> list[bytes]:
        """The audio, 20 ms at a time."""
        return [
            self.audio[at : at + MESSAGE_BYTES] for at in range(0, len(self.audio), MESSAGE_BYTES)
        ]

    def answers(self) -> list[Phrase]:
        """What is to come back: the phrases, as the server's gate has to find them."""
        return PhraseGate(SAMPLE_RATE).feed(self.audio)


def recorded_clip(phrases: int) -> Clip:
    """The first so many of the recorded phrases; the last one barges in, if it is not the first."""
    return make_clip(
        [(words, _recording(number)) for number, words in enumerate(PHRASES[:phrases], 1)],
        barges_in=phrases > 1,
    )


def _recording(number: int) -> bytes:
    data = (files("wsframes.demo") / "speech" / f"{number}.wav").read_bytes()
    with wave.open(io.BytesIO(data)) as wav:
        pcm: bytes = wav.readframes(wav.getnframes())
    return pcm


def make_clip(phrases: Sequence[tuple[str, bytes]], *, barges_in: bool = False) -> Clip:
    """Phrases, each as its words and its PCM, with time to listen after each.

    Args:
        phrases: at least two, where the last one is to barge in.
        barges_in: begin to say the last one in the middle of the answer to the one before.
    """
    audio = bytearray(_silence(_BEFORE_S))
    spoken = []
    for number, (words, pcm) in enumerate(phrases, 1):
        start = len(audio) // 2
        audio += pcm
        spoken.append(Spoken(words, start, len(audio) // 2))
        if number == len(phrases):
            audio += _silence(_AFTER_S)
        elif barges_in and number == len(phrases) - 1:
            audio += _silence(_PATIENCE_S)
        else:
            audio += _silence(len(pcm) / 2 / SAMPLE_RATE + _LISTEN_S)
    audio += bytes(-len(audio) % MESSAGE_BYTES)
    whole = bytes(audio)
    messages = [whole[at : at + MESSAGE_BYTES] for at in range(0, len(whole), MESSAGE_BYTES)]
    interrupted = len(phrases) - 2 if barges_in else None
    return Clip(b"".join(map(_as_recorded, messages)), spoken, interrupted)


def _silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * SAMPLE_RATE))


def _as_recorded(message: bytes) -> bytes:
    """A microphone has a noise of its own: silence is a step of 16 bits up or down."""
    if any(message):
        return message
    return array("h", Random(0).choices((-1, 0, 1), k=len(message) // 2)).tobytes()
