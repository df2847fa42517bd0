"""What waits to be sent to one destination: chunks of audio, and frames between them.

A plain data structure: no waiting, no clock. Audio goes in as pieces of any length and comes out as
chunks of one length; another frame keeps its place among the audio, so the chunk before it may be
short. Counts of audio are in samples per channel.
"""

from collections import Counter

import msgspec

from wsframes.audio.packetizer import Packetizer
from wsframes.audio.pcm import bytes_per_frame
from wsframes.frames import Frame, OutputAudioRawFrame

__all__ = ["Chunk", "MediaQueue", "MediaStatistics"]

_MAX_FRAMES = 256
_MAX_FRAME_BYTES = 1 << 20


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Audio for one message.

    Attributes:
        audio: PCM.
        frames: samples per channel.
        sample_rate: Hz.
        is_speech: whether it is what the bot says.
        whole: the frame that this is all the audio of, if it came as one.
    """

    audio: bytes
    frames: int
    sample_rate: int
    is_speech: bool = True
    whole: OutputAudioRawFrame | None = None


class MediaStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the audio and of the other frames: taken = sent + dropped + queued.

    Attributes:
        audio_taken: samples per channel.
        audio_sent: of those, how many the server took, or the serializer had no message for.
        audio_dropped: by reason.
        audio_queued: how many wait or are being sent.
        frames_taken: frames other than audio.
        frames_sent: that were dealt with in their turn, whether they went over the wire or not.
        frames_dropped: by reason.
        frames_queued: how many wait or are being sent.
        odd_bytes: of audio, in no other count: the rest of their sample never came.
        background: samples per channel that a mixer made where nothing was said, in no other count.
    """

    audio_taken: int
    audio_sent: int
    audio_dropped: dict[str, int]
    audio_queued: int
    frames_taken: int
    frames_sent: int
    frames_dropped: dict[str, int]
    frames_queued: int
    odd_bytes: int = 0
    background: int = 0


class MediaQueue:
    """Chunks and frames in order.

    Args:
        num_channels: of the audio.
        chunk_ms: length of a chunk.
        max_audio_ms: bound for the audio, where that is not less than a chunk: what is less cannot
            leave. For other frames it is 256 and 1 MiB of payload.

    Attributes:
        items: what waits, the next one first, each with the size that it had when it was put: what
            is in a frame may change. To be read only.
        ran_dry: whether nothing was there, nor at work, when the latest item came; for the sender
            to ask, and to clear.
    """

    __slots__ = (
        "_at_work",
        "_audio",
        "_chunk_ms",
        "_frame_bytes",
        "_frames",
        "_max_audio_frames",
        "_max_audio_ms",
        "_packetizer",
        "_sample_rate",
        "items",
        "ran_dry",
    )

    def __init__(self, num_channels: int, chunk_ms: int, max_audio_ms: int) -> None:
        # A list: an empty deque is 700 bytes more for each session, and it is never long.
        self.items: list[tuple[Chunk | Frame, int]] = []
        self._at_work: tuple[Chunk | Frame, int] | None = None
        self._packetizer: Packetizer | None = None
        self._frame_bytes = bytes_per_frame(num_channels)
        self.ran_dry = True
        self._sample_rate = 0
        self._max_audio_frames = 0.0
        self._chunk_ms = chunk_ms
        self._max_audio_ms = max_audio_ms
        self._audio = _Counts()
        self._frames = _Counts()

    def put_audio(
        self, audio: bytes, sample_rate: int, whole: OutputAudioRawFrame | None = None
    ) -> bool:
        """Queue whole frames of PCM, behind all that is queued; at a new rate, in a new chunk.

        Args:
            audio: whole frames.
            sample_rate: Hz.
            whole: the frame that it is all the audio of, if there is one.

        Returns:
            Whether audio waits for the rest of its chunk.
        """
        if sample_rate != self._sample_rate:
            self._begin(sample_rate)
        packetizer = self._packetizer
        assert packetizer is not None
        frames = len(audio) // self._frame_bytes
        counts = self._audio
        counts.taken += frames
        counts.queued += frames
        if len(audio) == packetizer.packet_bytes and not packetizer.kept:
            # Most sources make pieces of one length, and often it is this one.
            self._add(Chunk(audio, frames, sample_rate, True, whole), 0)
            return False
        for packet in packetizer.push(audio):
            self._append(packet)
        return packetizer.pending_bytes > 0

    def put_first(self, audio: bytes, sample_rate: int) -> None:
        """Queue whole frames of PCM that are not speech before all that is queued."""
        size = self._chunk_frames(sample_rate) * self._frame_bytes
        pieces = [audio[at : at + size] for at in range(0, len(audio), size)]
        chunks = [
            Chunk(piece, len(piece) // self._frame_bytes, sample_rate, is_speech=False)
            for piece in pieces
        ]
        frames = sum(chunk.frames for chunk in chunks)
        self._audio.taken += frames
        self._audio.queued += frames
        self.ran_dry = self.ran_dry or (not self.items and self._at_work is None)
        self.items[:0] = [(chunk, 0) for chunk in chunks]

    def put_frame(self, frame: Frame) -> None:
        """Queue another frame behind the audio so far."""
        self.flush()
        self._frames.taken += 1
        self._frames.queued += 1
        size = frame.payload_bytes
        self._frames.payload_bytes += size
        self._add(frame, size)

    def flush(self) -> None:
        """Make a short chunk of what does not fill one."""
        if self._packetizer is not None and (rest := self._packetizer.flush()):
            self._append(rest)

    def take(self) -> Chunk | Frame:
        """Take what is next; say `done` when it has been dealt with, before the next one."""
        self._at_work = entry = self.items.pop(0)
        return entry[0]

    def done(self, dropped: str | None) -> None:
        """Count what was taken, as sent or as dropped for this reason."""
        assert self._at_work is not None
        item, size = self._at_work
        self._at_work = None
        if isinstance(item, Chunk):
            self._audio.settle(item.frames, dropped)
        else:
            self._frames.payload_bytes -= size
            self._frames.settle(1, dropped)

    @property
    def partial(self) -> bool:
        """Whether audio waits for the rest of its chunk."""
        return self._packetizer is not None and self._packetizer.pending_bytes > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be put. What is put all the same is queued."""
        return (
            self._audio.queued <= self._max_audio_frames
            and self._frames.queued < _MAX_FRAMES
            and self._frames.payload_bytes < _MAX_FRAME_BYTES
        )

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing is at work."""
        return not self.items and self._at_work is None and not self.partial

    def drop(self, reason: str, *, all_frames: bool = False) -> None:
        """Drop the audio and the interruptible frames, or everything; the rest keeps its order."""
        at_work = self._at_work[0] if self._at_work is not None else None
        kept = at_work.frames if isinstance(at_work, Chunk) else 0
        self._audio.settle(self._audio.queued - kept, reason)
        if self._packetizer is not None:
            self._packetizer.clear()
        items = list(self.items)
        self.items.clear()
        for item, size in items:
            if isinstance(item, Chunk):
                continue
            if item.uninterruptible and not all_frames:
                self.items.append((item, size))
            else:
                self._frames.payload_bytes -= size
                self._frames.settle(1, reason)

    def statistics(self, odd_bytes: int = 0, background: int = 0) -> MediaStatistics:
        return MediaStatistics(
            audio_taken=self._audio.taken,
            audio_sent=self._audio.sent,
            audio_dropped=dict(self._audio.dropped),
            audio_queued=self._audio.queued,
            frames_taken=self._frames.taken,
            frames_sent=self._frames.sent,
            frames_dropped=dict(self._frames.dropped),
            frames_queued=self._frames.queued,
            odd_bytes=odd_bytes,
            background=background,
        )

    def _begin(self, sample_rate: int) -> None:
        self.flush()
        self._sample_rate = sample_rate
        chunk_frames = self._chunk_frames(sample_rate)
        self._packetizer = Packetizer(chunk_frames * self._frame_bytes)
        self._max_audio_frames = max(self._max_audio_ms * sample_rate / 1000, chunk_frames)

    def _chunk_frames(self, sample_rate: int) -> int:
        # Not every rate has a whole number of samples in 10 ms: 11,025 Hz has 110.25.
        return max(1, sample_rate * self._chunk_ms // 1000)

    def _append(self, audio: bytes) -> None:
        frames = len(audio) // self._frame_bytes
        self._add(Chunk(audio, frames, self._sample_rate), 0)

    def _add(self, item: Chunk | Frame, size: int) -> None:
        if not self.items and self._at_work is None:
            self.ran_dry = True
        self.items.append((item, size))


class _Counts:
    __slots__ = ("dropped", "payload_bytes", "queued", "sent", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self.queued = 0
        self.sent = 0
        self.payload_bytes = 0  # of what is queued, where frames are counted
        self.dropped: Counter[str] = Counter()

    def settle(self, amount: int, dropped: str | None) -> None:
        self.queued -= amount
        if dropped is None:
            self.sent += amount
        elif amount:
            self.dropped[dropped] += amount
