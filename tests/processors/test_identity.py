"""Passes everything: wsframes.processors.identity."""

from wsframes import ErrorFrame, FrameDirection, InputAudioRawFrame, TextFrame
from wsframes.processors import IdentityFilter
from wsframes.testing import check_processor, run_test


async def test_it_keeps_the_rules() -> None:
    await check_processor(IdentityFilter, frames=[TextFrame("a")])


async def test_frames_come_out_as_they_are() -> None:
    sent = [TextFrame("a"), InputAudioRawFrame(b"12", 8000), TextFrame("b")]
    down, up = await run_test(IdentityFilter(), frames_to_send=sent)
    assert down == sent
    assert up == []

    error = ErrorFrame("x")
    down, up = await run_test(
        IdentityFilter(),
        frames_to_send=[error],
        frames_to_send_direction=FrameDirection.UPSTREAM,
        expected_up_frames=[error],
    )
    assert (down, up) == ([], [error])


def test_it_is_a_function() -> None:
    assert not IdentityFilter()._is_lane()
