"""Hypothesis strategies that several test files share."""

from typing import Any

from hypothesis import strategies as st

from wsframes.frames import (
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputImageRawFrame,
    OutputMarkFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
    TTSAudioRawFrame,
)
from wsframes.frames.codec import DTMF_BUTTONS

SAMPLE_RATES = [8000, 11025, 16000, 22050, 24000, 44100, 48000]
CHUNK_MS = [10, 20, 40, 60]

channels = st.integers(1, 8)
sample_rates = st.sampled_from(SAMPLE_RATES)


@st.composite
def pcm(draw: st.DrawFn, num_channels: int = 1, max_frames: int = 200) -> bytes:
    """Whole frames."""
    frames = draw(st.integers(0, max_frames))
    size = 2 * num_channels * frames
    return draw(st.binary(min_size=size, max_size=size))


@st.composite
def pieces(draw: st.DrawFn, max_size: int = 400) -> tuple[bytes, list[bytes]]:
    """Some bytes, and the same bytes cut anywhere, empty pieces among them."""
    whole = draw(st.binary(max_size=max_size))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    borders = [0, *cuts, len(whole)]
    return whole, [whole[a:b] for a, b in zip(borders, borders[1:], strict=False)]


json_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)


def json_like(max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """What an application's message may be."""
    return st.recursive(
        json_scalars,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


def _audio(kind: type[OutputAudioRawFrame]) -> st.SearchStrategy[Frame]:
    return st.builds(kind, st.binary(max_size=100), st.integers(8000, 192000), st.integers(1, 8))


def _image(size: tuple[int, int]) -> st.SearchStrategy[Frame]:
    pixels = 3 * size[0] * size[1]
    return st.builds(
        OutputImageRawFrame,
        st.binary(min_size=pixels, max_size=pixels),
        st.just(size),
        st.just("RGB"),
    ) | st.builds(OutputImageRawFrame, st.binary(max_size=50), st.just(size), st.none())


frames_a_client_sends: st.SearchStrategy[Frame] = st.one_of(
    _audio(OutputAudioRawFrame),
    _audio(TTSAudioRawFrame),
    st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(_image),
    st.builds(TextFrame, st.text()),
    st.builds(TransportMessageFrame, json_like()),
    st.builds(TransportMessageUrgentFrame, json_like()),
    st.builds(OutputDTMFFrame, st.sampled_from(DTMF_BUTTONS)),
    st.builds(OutputDTMFUrgentFrame, st.sampled_from(DTMF_BUTTONS)),
    st.builds(OutputMarkFrame, st.text(max_size=64)),
)
frames_a_server_sends: st.SearchStrategy[Frame] = frames_a_client_sends | st.builds(
    InterruptionFrame
)
