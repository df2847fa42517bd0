"""Opus (RFC 6716), for messages: packets of audio, and audio of packets.

Pure: bytes in, bytes out. PCM is signed 16-bit little-endian, interleaved.

Needs the extra `opus`, which brings libopus along.
"""

from wsframes.audio.pcm import bytes_per_frame
from wsframes.exceptions import MissingExtraError

try:
    import opuslib_next
    from opuslib_next.api import decoder as opus_decoder
except ImportError as exc:
    raise MissingExtraError("opuslib-next-bundled", "opus") from exc

__all__ = ["OPUS_SAMPLE_RATES", "OpusDecoder", "OpusEncoder", "OpusPacker"]

OPUS_SAMPLE_RATES = (8000, 12000, 16000, 24000, 48000)
"""Hz; there are no others."""

_MIN_BITRATE, _MAX_BITRATE = 6000, 510000
_PACKETS_PER_S = 50  # 20 ms each: longer ones save nothing at such rates, shorter ones cost quality
_SHORT_PER_S = 100
_MAX_STREAMS = 16


class OpusEncoder:
    """One stream of audio.

    The rate is constant, so that it is what was asked for whatever is said: packets of 20 ms, each
    of a four-hundredth of the bits of eight seconds. What is heard comes 6.5 ms later than in the
    audio: the codec looks ahead so far.

    Args:
        sample_rate: one of `OPUS_SAMPLE_RATES`.
        num_channels: 1 or 2.
        bitrate: bits a second of the packets, 6,000 to 510,000.

    Raises:
        ValueError: Opus has no such format or rate.
    """

    def __init__(self, sample_rate: int, num_channels: int, bitrate: int) -> None:
        check_format(sample_rate, num_channels)
        check_bitrate(bitrate)
        self._frame_bytes = bytes_per_frame(num_channels)
        self._long = sample_rate // _PACKETS_PER_S
        self._short = sample_rate // _SHORT_PER_S
        self._encoder = opuslib_next.Encoder(sample_rate, num_channels, "audio")
        self._encoder.vbr = 0
        self._encoder.bitrate = bitrate

    def encode(self, audio: bytes) -> list[bytes]:
        """Packets of 20 ms, and one of 10 ms where that is enough for the rest.

        Silence fills the last one up; none of the audio waits for more.

        Raises:
            ValueError: the audio ends within a sample.
        """
        frames, odd = divmod(len(audio), self._frame_bytes)
        if odd:
            raise ValueError(f"{len(audio)} bytes of audio are not whole frames")
        missing = -frames % self._short
        audio += bytes(missing * self._frame_bytes)
        frames += missing
        packets: list[bytes] = []
        at = 0
        while at < frames:
            size = min(self._long, frames - at)
            piece = audio[at * self._frame_bytes : (at + size) * self._frame_bytes]
            packets.append(self._encoder.encode(piece, size))
            at += size
        return packets


class OpusDecoder:
    """One stream of packets, decoded at any rate that Opus has.

    Args:
        sample_rate: Hz of what comes out.
        num_channels: of what comes out, 1 or 2.

    Raises:
        ValueError: Opus has no such format.
    """

    def __init__(self, sample_rate: int, num_channels: int) -> None:
        check_format(sample_rate, num_channels)
        self._sample_rate = sample_rate
        self._num_channels = num_channels
        self._decoder = opuslib_next.Decoder(sample_rate, num_channels)

    def frames_of(self, packet: bytes) -> int:
        """Samples per channel that a packet decodes to, at most 120 ms of them.

        Raises:
            ValueError: it is no packet.
        """
        if not packet:
            raise ValueError("an empty Opus packet")
        try:
            frames: int = opus_decoder.get_nb_samples(
                self._decoder.decoder_state, packet, len(packet)
            )
        except opuslib_next.OpusError as exc:
            raise ValueError(f"no Opus packet: {exc}") from None
        return frames

    def decode(self, packet: bytes) -> bytes:
        """The audio of the next packet.

        Raises:
            ValueError: it is no packet.
        """
        frames = self.frames_of(packet)
        try:
            audio: bytes = self._decoder.decode(packet, frames)
        except opuslib_next.OpusError as exc:
            raise ValueError(f"a broken Opus packet: {exc}") from None
        return audio


class OpusPacker:
    """Both ways of one connection: a stream for each destination, and for each source.

    Args:
        bitrate: bits a second of each stream that goes out.
        max_s: how much audio the packets of one message may hold.

    Raises:
        ValueError: Opus has no such rate.
    """

    def __init__(self, bitrate: int, max_s: float) -> None:
        check_bitrate(bitrate)
        self._bitrate = bitrate
        self._max_s = max_s
        self._encoders: dict[str | None, tuple[tuple[int, int], OpusEncoder]] = {}
        self._decoders: dict[str | None, tuple[tuple[int, int], OpusDecoder]] = {}

    def pack(
        self, audio: bytes, sample_rate: int, num_channels: int, destination: str | None
    ) -> list[bytes]:
        """Packets that last as long as this audio, or less than 10 ms longer.

        Raises:
            ValueError: Opus has no such format, or the audio ends within a sample.
        """
        now = (sample_rate, num_channels)
        was, encoder = self._encoders.get(destination, (None, None))
        if encoder is None or was != now:
            encoder = OpusEncoder(sample_rate, num_channels, self._bitrate)
            self._encoders[destination] = now, encoder
        return encoder.encode(audio)

    def unpack(
        self,
        packets: list[bytes],
        num_frames: int,
        sample_rate: int,
        num_channels: int,
        source: str | None,
    ) -> bytes:
        """The first `num_frames` samples per channel of what the packets hold.

        Raises:
            ValueError: they are no packets, hold less, or more than a message may.
        """
        now = (sample_rate, num_channels)
        was, decoder = self._decoders.get(source, (None, None))
        if decoder is None or was != now:
            decoder = OpusDecoder(sample_rate, num_channels)
            if source not in self._decoders and len(self._decoders) >= _MAX_STREAMS:
                raise ValueError(f"more than {_MAX_STREAMS} streams of Opus")
            self._decoders[source] = now, decoder
        # Before anything is decoded: a packet of one byte may stand for 120 ms.
        frames = sum(map(decoder.frames_of, packets))
        if frames > self._max_s * sample_rate:
            raise ValueError(f"more than {self._max_s} s of Opus in one message")
        if num_frames > frames:
            raise ValueError(f"{num_frames} samples announced, and {frames} in the packets")
        audio = b"".join(map(decoder.decode, packets))
        return audio[: num_frames * bytes_per_frame(num_channels)]


def check_format(sample_rate: int, num_channels: int) -> None:
    if sample_rate not in OPUS_SAMPLE_RATES:
        rates = ", ".join(map(str, OPUS_SAMPLE_RATES))
        raise ValueError(
            f"Opus has no {sample_rate} Hz, but {rates}: set audio_out_sample_rate to one of them"
        )
    if num_channels not in (1, 2):
        raise ValueError(f"Opus has 1 or 2 channels here, not {num_channels}")


def check_bitrate(bitrate: int) -> None:
    if not _MIN_BITRATE <= bitrate <= _MAX_BITRATE:
        raise ValueError(
            f"Opus has {_MIN_BITRATE} to {_MAX_BITRATE} bits a second, not {bitrate}: set "
            "audio_out_bitrate"
        )
