"""The audio of one turn: from shortly before its first word on, and not more than its end needs."""

from collections import deque

from wsframes.audio.pcm import SAMPLE_BYTES

__all__ = ["TurnSegment"]


class TurnSegment:
    """Keeps the audio of a turn.

    Before there is speech it keeps the pre-roll, since the beginning of a word is over before it is
    known to be one. From then on it keeps all, up to the longest that is looked at; what is older
    goes, in whole pieces. Memory is bounded by that length and one piece.
    """

    __slots__ = ("_kept_bytes", "_pieces", "_speech")

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._kept_bytes = 0
        self._speech = False

    def add(self, audio: bytes, is_speech: bool, *, pre_roll: int, longest: int) -> None:
        """Take a piece of mono PCM.

        Args:
            audio: the piece.
            is_speech: whether there is voice in it.
            pre_roll: frames to be kept before speech, at most `longest` of them.
            longest: frames to be kept at all.
        """
        self._speech = self._speech or is_speech
        self._pieces.append(audio)
        self._kept_bytes += len(audio)
        limit = SAMPLE_BYTES * (longest if self._speech else min(pre_roll, longest))
        while self._pieces and self._kept_bytes - len(self._pieces[0]) >= limit:
            self._kept_bytes -= len(self._pieces.popleft())

    def audio(self, longest: int) -> bytes:
        """The last `longest` frames of it, or what there is."""
        audio = b"".join(self._pieces)
        return audio[-SAMPLE_BYTES * longest :] if longest else b""

    def clear(self) -> None:
        """Forget all of it."""
        self._pieces.clear()
        self._kept_bytes = 0
        self._speech = False
