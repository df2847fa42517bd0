"""Where a phrase begins and ends in a stream of speech: a plain energy gate."""

from collections import deque

import msgspec

from wsframes.audio import Packetizer, rms

__all__ = ["BLOCK_MS", "GateSettings", "Phrase", "PhraseGate"]

BLOCK_MS = 20
"""What the gate looks at: one message of the demo's client."""


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a phrase is. Lengths in milliseconds, as whole blocks.

    Attributes:
        threshold: from which RMS on a block is loud, where full scale is 1.
        hang_ms: a silence of this length ends a phrase.
        margin_ms: kept of the silence before and after it, where words begin and end softly.
        shortest_ms: what is loud for less, from the first loud block to the last, was a click.
        longest_ms: a phrase of this length is over, whatever follows.
    """

    threshold: float = 0.005
    hang_ms: int = 300
    margin_ms: int = 100
    shortest_ms: int = 60
    longest_ms: int = 4000

    def __post_init__(self) -> None:
        if not self.margin_ms <= self.hang_ms:
            raise ValueError(f"margin_ms is {self.margin_ms}, above hang_ms, {self.hang_ms}")


class Phrase(msgspec.Struct, frozen=True):
    """A phrase and its place in the stream, counted in samples from the stream's beginning.

    Attributes:
        audio: PCM, mono.
        start: its first sample.
        found_at: so many samples had come when it was known to be over.
    """

    audio: bytes
    start: int
    found_at: int

    @property
    def samples(self) -> int:
        return len(self.audio) // 2

    @property
    def end(self) -> int:
        """The first sample after it."""
        return self.start + self.samples


class PhraseGate:
    """Cuts phrases out of a stream of mono PCM, sample for sample.

    Args:
        sample_rate: Hz.
        settings: what a phrase is.
    """

    def __init__(self, sample_rate: int, settings: GateSettings | None = None) -> None:
        self._settings = settings if settings is not None else GateSettings()
        self._block_samples = sample_rate * BLOCK_MS // 1000
        self._packetizer = Packetizer(2 * self._block_samples)
        self._before: deque[bytes] = deque(maxlen=self._settings.margin_ms // BLOCK_MS)
        self._blocks: list[bytes] = []  # of the phrase that is open, its margin included:
        self._soft = 0  # so many before its first loud one,
        self._quiet = 0  # and so many after its last
        self._seen = 0

    def feed(self, audio: bytes) -> list[Phrase]:
        """Take a piece of the stream, of any length; give the phrases that are over by now."""
        blocks = self._packetizer.push(audio)
        return [phrase for block in blocks if (phrase := self._take(block)) is not None]

    def _take(self, block: bytes) -> Phrase | None:
        self._seen += 1
        loud = rms(block) >= self._settings.threshold
        if not self._blocks:
            if loud:
                self._soft = len(self._before)
                self._blocks = [*self._before, block]
                self._before.clear()
            else:
                self._before.append(block)
            return None
        self._blocks.append(block)
        self._quiet = 0 if loud else self._quiet + 1
        length_ms = len(self._blocks) * BLOCK_MS
        if (
            self._quiet * BLOCK_MS < self._settings.hang_ms
            and length_ms < self._settings.longest_ms
        ):
            return None
        return self._close()

    def _close(self) -> Phrase | None:
        blocks, self._blocks = self._blocks, []
        quiet, self._quiet = self._quiet, 0
        end = len(blocks) - max(0, quiet - self._settings.margin_ms // BLOCK_MS)
        self._before.extend(blocks[end:])
        if (len(blocks) - self._soft - quiet) * BLOCK_MS < self._settings.shortest_ms:
            return None
        return Phrase(
            audio=b"".join(blocks[:end]),
            start=(self._seen - len(blocks)) * self._block_samples,
            found_at=self._seen * self._block_samples,
        )
