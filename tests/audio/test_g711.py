"""`wsframes.audio.g711`."""

import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.audio import g711
from wsframes.audio.g711 import mulaw_to_pcm, pcm_to_mulaw

CODES = bytes(range(256))
EVERY_SAMPLE = b"".join(sample.to_bytes(2, "little") for sample in range(65536))


def pcm(*samples: int) -> bytes:
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


def test_samples_of_the_recommendation() -> None:
    """The largest, the smallest, and both zeros (G.711, table 2, at 16 bits)."""
    assert mulaw_to_pcm(b"\x80\x00\xff\x7f") == pcm(32124, -32124, 0, 0)
    assert mulaw_to_pcm(b"\xfe\x7e\xef\x8f") == pcm(8, -8, 132, 16764)


def test_every_code_is_the_same_as_elsewhere() -> None:
    """The checksum is of what another implementation decodes."""
    assert zlib.crc32(mulaw_to_pcm(CODES)) == 0xC847A9F


@pytest.fixture(params=["numpy", "standard library"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        import numpy as np  # it is used where it was imported

        assert np is sys.modules["numpy"]
    else:
        monkeypatch.delitem(sys.modules, "numpy", raising=False)


@pytest.mark.usefixtures("way")
def test_what_was_coded_is_coded_the_same_again() -> None:
    """Coding and decoding are each other's inverse, but for the second zero."""
    assert pcm_to_mulaw(mulaw_to_pcm(CODES)) == CODES.replace(b"\x7f", b"\xff")


@pytest.mark.usefixtures("way")
def test_no_sample_is_off_by_more_than_half_a_mark() -> None:
    decoded = mulaw_to_pcm(pcm_to_mulaw(EVERY_SAMPLE))
    for at in range(0, len(EVERY_SAMPLE), 2):
        sample = int.from_bytes(EVERY_SAMPLE[at : at + 2], "little", signed=True)
        there = int.from_bytes(decoded[at : at + 2], "little", signed=True)
        clipped = max(-32635, min(32635, sample))
        assert abs(there - clipped) <= max(4, (abs(clipped) + 132) / 32)


@pytest.mark.usefixtures("way")
def test_nothing_is_nothing_and_half_a_sample_is_refused() -> None:
    assert pcm_to_mulaw(b"") == mulaw_to_pcm(b"") == b""
    with pytest.raises(ValueError, match="3 bytes of audio"):
        pcm_to_mulaw(bytes(3))


@given(samples=st.lists(st.integers(-32768, 32767), max_size=400))
def test_both_ways_code_the_same(samples: list[int]) -> None:
    """What is looked up with numpy is what is looked up without."""
    audio = pcm(*samples)
    assert g711._look_up_with_numpy()(audio) == g711._look_up(audio)


def test_samples_are_little_endian_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(g711, "_BIG_ENDIAN", True)  # as if: so they are swapped once too often
    assert g711._look_up(b"\x12\x34") == pcm_to_mulaw(b"\x34\x12")
