"""`wsframes.audio.packetizer`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import pieces
from wsframes.audio import Packetizer


def test_small_pieces_make_one_packet() -> None:
    packetizer = Packetizer(4)
    assert packetizer.packet_bytes == 4
    assert packetizer.push(b"a") == []
    assert packetizer.push(b"bc") == []
    assert packetizer.pending_bytes == 3
    assert packetizer.push(b"de") == [b"abcd"]
    assert packetizer.pending_bytes == 1
    assert packetizer.flush() == b"e"
    assert packetizer.flush() == b""


def test_a_large_piece_makes_many_packets() -> None:
    packetizer = Packetizer(3)
    assert packetizer.push(b"abcdefgh") == [b"abc", b"def"]
    assert packetizer.push(b"ijklm") == [b"ghi", b"jkl"]
    assert packetizer.pending_bytes == 1


def test_packets_are_immutable_bytes() -> None:
    packetizer = Packetizer(2)
    packets = [*packetizer.push(b"abc"), *packetizer.push(b"d"), packetizer.flush()]
    assert [type(packet) for packet in packets] == [bytes, bytes, bytes]


def test_a_piece_of_one_packet_is_not_copied() -> None:
    packetizer = Packetizer(640)
    audio = bytes(640)
    (packet,) = packetizer.push(audio)
    assert packet is audio


def test_nothing_is_nothing() -> None:
    packetizer = Packetizer(2)
    assert packetizer.push(b"") == []
    packetizer.push(b"a")
    assert packetizer.push(b"") == []
    assert packetizer.pending_bytes == 1


def test_clear_counts_what_it_drops() -> None:
    packetizer = Packetizer(10)
    packetizer.push(b"abc")
    assert packetizer.clear() == 3
    assert packetizer.clear() == 0
    assert packetizer.flush() == b""


@pytest.mark.parametrize("size", [0, -2])
def test_a_packet_has_a_length(size: int) -> None:
    with pytest.raises(ValueError, match=f"packet_bytes must be at least 1, not {size}"):
        Packetizer(size)


@given(split=pieces(), packet_bytes=st.integers(1, 120))
def test_every_byte_comes_out_once_in_order(
    split: tuple[bytes, list[bytes]], packet_bytes: int
) -> None:
    """Concatenation is conserved, sizes are exact, and less than a packet is kept."""
    whole, parts = split
    packetizer = Packetizer(packet_bytes)
    packets: list[bytes] = []
    pushed = 0
    for part in parts:
        packets += packetizer.push(part)
        pushed += len(part)
        assert packetizer.pending_bytes < packet_bytes
        assert len(packets) * packet_bytes + packetizer.pending_bytes == pushed
    assert {len(packet) for packet in packets} <= {packet_bytes}
    assert b"".join(packets) + packetizer.flush() == whole
    assert packetizer.pending_bytes == 0


@given(split=pieces(), packet_bytes=st.integers(1, 120), data=st.data())
def test_what_is_dropped_is_counted(
    split: tuple[bytes, list[bytes]], packet_bytes: int, data: st.DataObject
) -> None:
    """Pushed = in packets + dropped + pending, wherever it is cleared."""
    whole, parts = split
    packetizer = Packetizer(packet_bytes)
    delivered = dropped = 0
    for part in parts:
        delivered += sum(map(len, packetizer.push(part)))
        if data.draw(st.booleans()):
            dropped += packetizer.clear()
            assert packetizer.pending_bytes == 0
    assert delivered + dropped + packetizer.pending_bytes == len(whole)
