"""What a mixer plays on one destination: with what is said, and where nothing is said."""

import math
from collections.abc import Callable, Mapping

from wsframes.audio.pcm import silence
from wsframes.exceptions import UsageError
from wsframes.transport.pacer import Pacer
from wsframes.transport.params import WebsocketParams
from wsframes.transport.playout.media_queue import Chunk
from wsframes.transport.playout.mixing import Mixing
from wsframes.transport.tasks.waiting import ClearGate

__all__ = ["Background", "background_of"]

_LAST_MOMENT_S = 0.01


class Background:
    """Says when the next chunk without speech is due, and has the mixer do its part.

    The peer is never without audio: a chunk leaves a chunk's length before it has played the last
    one. No further ahead, since what is said has to wait until it has been played.

    Args:
        mixing: asks the mixer.
        gate: what an interruption has overtaken while the mixer was at work is not sent.
        chunk: silence as long as a chunk.
        lead_s: how far ahead audio may leave at all.

    Attributes:
        lead_s: how long before the peer has played all of it the next chunk without speech leaves.
        sent: samples per channel that have left without speech.
    """

    __slots__ = ("_chunk", "_gate", "_is_paused", "_mixing", "lead_s", "sent")

    def __init__(self, mixing: Mixing, gate: ClearGate, chunk: Chunk, lead_s: float) -> None:
        self._mixing = mixing
        self._gate = gate
        self._chunk = chunk
        self.lead_s = min(lead_s, chunk.frames / chunk.sample_rate)
        self._is_paused = False
        self.sent = 0

    @property
    def mixing(self) -> Mixing:
        return self._mixing

    async def begin(self) -> None:
        """Play, from now on."""
        self._is_paused = False
        await self._mixing.start(self._chunk.sample_rate)

    def pause(self) -> None:
        """Play nothing where nothing is said: the end is near."""
        self._is_paused = True

    def due_s(self, pacer: Pacer, begun: bool) -> float:
        """When a chunk without speech is to leave, if nothing is said until then.

        Args:
            pacer: knows when the peer has played what it has.
            begun: whether some speech waits for the rest of its chunk: that may come until the
                last moment.
        """
        if self._is_paused or not self._mixing.is_on:
            return math.inf
        return pacer.playout_end_s - (min(self.lead_s, _LAST_MOMENT_S) if begun else self.lead_s)

    async def next(self) -> Chunk | None:
        """A chunk without speech; None if an interruption came meanwhile."""
        return await self.mixed(self._chunk)

    async def mixed(self, chunk: Chunk) -> Chunk | None:
        """A chunk with what the mixer adds; None if an interruption came meanwhile."""
        number = self._gate.number
        audio = await self._mixing.mix(chunk.audio)
        if self._gate.number != number:
            return None
        return Chunk(audio, chunk.frames, chunk.sample_rate, chunk.is_speech)


def background_of(
    params: WebsocketParams,
    destination: str | None,
    sample_rate: int | None,
    gate: ClearGate,
    report: Callable[[str, Exception | None], None],
) -> Background | None:
    """What the parameters say about one destination; None if no mixer is for it.

    Args:
        params: of the transport.
        destination: its name; None is the default one.
        sample_rate: Hz of what is sent there, where it is known.
        gate: see `Background`.
        report: told what a mixer fails with.

    Raises:
        UsageError: there is a mixer, and nothing says the rate.
    """
    mixers = params.audio_out_mixer
    if not isinstance(mixers, Mapping):
        mixers = {} if mixers is None else {None: mixers}
    mixer = mixers.get(destination)
    if mixer is None:
        return None
    if sample_rate is None:
        raise UsageError("audio_out_mixer: a mixer needs a rate: set audio_out_sample_rate")
    num_channels = params.audio_out_channels
    frames = max(1, sample_rate * params.audio_out_10ms_chunks // 100)
    chunk = Chunk(silence(frames, num_channels), frames, sample_rate, is_speech=False)
    mixing = Mixing(mixer, num_channels, report)
    return Background(mixing, gate, chunk, params.audio_out_lead_ms / 1000)
