"""Audio of any lengths in, packets of one length out.

Pure: no time, no sockets, and no notion of what the bytes mean. The caller chooses a
packet length that is a whole number of frames.
"""

__all__ = ["Packetizer"]


class Packetizer:
    """Cuts pieces of audio into packets of exactly ``packet_bytes`` bytes.

    What does not fill a packet is kept for the next `push`, always less than one
    packet. The order and number of bytes are conserved: everything pushed is in a
    packet, in `flush`, in `pending_bytes`, or in the count that `clear` gives.

    Args:
        packet_bytes: Length of every packet.

    Attributes:
        packet_bytes: As above.
        kept: What does not fill a packet yet; to be read only.

    Raises:
        ValueError: If the length is below one byte.
    """

    __slots__ = ("kept", "packet_bytes")

    def __init__(self, packet_bytes: int) -> None:
        if packet_bytes < 1:
            raise ValueError(f"packet_bytes must be at least 1, not {packet_bytes}")
        self.packet_bytes = packet_bytes
        self.kept = bytearray()

    @property
    def pending_bytes(self) -> int:
        """Bytes kept that do not fill a packet yet."""
        return len(self.kept)

    def push(self, audio: bytes) -> list[bytes]:
        """Take a piece; give the packets that it completes, maybe none.

        Each byte is copied at most once on its way into a packet. A piece that is
        exactly one packet, with nothing kept before it, comes back as the same object.
        """
        size = self.packet_bytes
        kept = self.kept
        start = 0
        packets: list[bytes] = []
        if kept:
            start = size - len(kept)
            kept += memoryview(audio)[:start]
            if len(kept) < size:
                return packets
            packets.append(bytes(kept))
            kept.clear()
        elif len(audio) == size:
            return [audio]
        tail = len(audio) - (len(audio) - start) % size
        packets += [audio[at : at + size] for at in range(start, tail, size)]
        kept += memoryview(audio)[tail:]
        return packets

    def flush(self) -> bytes:
        """Give what is kept as a last, short packet; empty if there is nothing."""
        last = bytes(self.kept)
        self.kept.clear()
        return last

    def clear(self) -> int:
        """Drop what is kept, as after an interruption.

        Returns:
            The number of bytes dropped, to be counted by the caller.
        """
        dropped = len(self.kept)
        self.kept.clear()
        return dropped
