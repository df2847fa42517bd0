"""What waits to be sent to one destination: chunks of audio, and frames between them.

A plain data structure: no waiting, no clock. Audio goes in as frames of any length and comes out
as chunks of one length; another frame keeps its place among the audio, so the chunk before it may
be short. Counts of audio are in samples per channel.
"""

from collections import Counter, deque

import msgspec

from wsframes.audio.packetizer import Packetizer
from wsframes.audio.pcm import bytes_per_frame
from wsframes.frames import Frame

__all__ = ["Chunk", "MediaQueue", "MediaStatistics"]


class Chunk(msgspec.Struct, frozen=True):
    """Audio for one message.

    Attributes:
        audio: PCM.
        frames: samples per channel.
        sample_rate: Hz.
    """

    audio: bytes
    frames: int
    sample_rate: int


class MediaStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the audio and of the other frames: taken = sent + dropped + queued.

    Attributes:
        audio_taken: samples per channel.
        audio_sent: of those, how many the server took.
        audio_dropped: by reason.
        audio_queued: how many wait.
        frames_taken: frames other than audio.
        frames_sent: that were dealt with in their turn, whether they went over the wire or not.
        frames_dropped: by reason.
        frames_queued: how many wait.
    """

    audio_taken: int
    audio_sent: int
    audio_dropped: dict[str, int]
    audio_queued: int
    frames_taken: int
    frames_sent: int
    frames_dropped: dict[str, int]
    frames_queued: int


class MediaQueue:
    """Chunks and frames in order.

    Args:
        max_frames: bound for frames other than audio.
    """

    def __init__(self, max_frames: int = 256) -> None:
        self._items: deque[Chunk | Frame] = deque()
        self._packetizer: Packetizer | None = None
        self._frame_bytes = 2
        self._sample_rate = 0
        self._max_frames = max_frames
        self._audio_queued = 0
        self.half_frames = 0
        """Bytes too many at the end of an utterance: half a sample, dropped."""
        self.audio = _Counts()
        self.frames = _Counts()

    def set_format(self, sample_rate: int, num_channels: int, chunk_ms: int) -> None:
        """Cut what is put from here on into chunks of this format; flushes the one before."""
        self.flush()
        self._frame_bytes = bytes_per_frame(num_channels)
        self._sample_rate = sample_rate
        # Not every rate has a whole number of samples in 10 ms: 11,025 Hz has 110.25.
        frames = max(1, sample_rate * chunk_ms // 1000)
        self._packetizer = Packetizer(frames * self._frame_bytes)

    def put_audio(self, audio: bytes) -> None:
        """Queue whole frames of PCM in the format that was set."""
        assert self._packetizer is not None
        frames = len(audio) // self._frame_bytes
        self.audio.taken += frames
        self._audio_queued += frames
        for packet in self._packetizer.push(audio):
            self._append(packet)

    def put_frame(self, frame: Frame) -> None:
        """Queue another frame behind the audio so far."""
        self.flush()
        self.frames.taken += 1
        self._items.append(frame)

    def flush(self) -> None:
        """Make a short chunk of what does not fill one."""
        if self._packetizer is not None and (rest := self._packetizer.flush()):
            self._append(rest)

    def first(self) -> Chunk | Frame | None:
        """What is next, left in its place."""
        return self._items[0] if self._items else None

    def take(self) -> Chunk | Frame:
        """Take what is next; say `done` when it has been dealt with."""
        item = self._items.popleft()
        if isinstance(item, Chunk):
            self._audio_queued -= item.frames
        return item

    def done(self, item: Chunk | Frame, dropped: str | None = None) -> None:
        """Count what was taken, as sent or as dropped for this reason."""
        counts = self.audio if isinstance(item, Chunk) else self.frames
        amount = item.frames if isinstance(item, Chunk) else 1
        if dropped is None:
            counts.sent += amount
        else:
            counts.dropped[dropped] += amount

    @property
    def audio_queued(self) -> int:
        """Samples per channel that wait, those of a chunk that is not full included."""
        return self._audio_queued

    @property
    def partial(self) -> bool:
        """Whether audio waits for the rest of its chunk."""
        return self._packetizer is not None and self._packetizer.pending_bytes > 0

    @property
    def has_room(self) -> bool:
        """Whether frames other than audio fit in."""
        return len(self._items) < self._max_frames

    @property
    def empty(self) -> bool:
        return not self._items and not self.partial

    def drop(self, reason: str, *, all_frames: bool = False) -> None:
        """Drop the audio and the interruptible frames, or everything; the rest keeps its order."""
        if self._packetizer is not None:
            self._packetizer.clear()
        self.audio.dropped[reason] += self._audio_queued
        self._audio_queued = 0
        kept: deque[Chunk | Frame] = deque()
        for item in self._items:
            if isinstance(item, Chunk):
                continue
            if item.uninterruptible and not all_frames:
                kept.append(item)
            else:
                self.frames.dropped[reason] += 1
        self._items = kept

    def statistics(self) -> MediaStatistics:
        return MediaStatistics(
            audio_taken=self.audio.taken,
            audio_sent=self.audio.sent,
            audio_dropped=_nonzero(self.audio.dropped),
            audio_queued=self._audio_queued,
            frames_taken=self.frames.taken,
            frames_sent=self.frames.sent,
            frames_dropped=_nonzero(self.frames.dropped),
            frames_queued=sum(not isinstance(item, Chunk) for item in self._items),
        )

    def _append(self, audio: bytes) -> None:
        frames = len(audio) // self._frame_bytes
        self._items.append(Chunk(audio, frames, self._sample_rate))


class _Counts:
    __slots__ = ("dropped", "sent", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self.sent = 0
        self.dropped: Counter[str] = Counter()


def _nonzero(counts: Counter[str]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}
