"""Logs which frames pass: wsframes.processors.frame_logger."""

import logging
import re

import pytest

from wsframes import FrameDirection, InputAudioRawFrame, TextFrame
from wsframes.processors import FrameLogger
from wsframes.testing import check_processor, run_test

SECRET = TextFrame("my account number is 12345")
AUDIO = InputAudioRawFrame(bytes(640), 16000)


async def test_name_size_and_way_are_logged_and_no_payload(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "wsframes.processors"):
        down, _ = await run_test(FrameLogger("Bot"), frames_to_send=[SECRET, AUDIO])
        await run_test(
            FrameLogger(), frames_to_send=[SECRET], frames_to_send_direction=FrameDirection.UPSTREAM
        )
    assert set(down) == {SECRET, AUDIO}
    numberless = [re.sub(r"#\d+", "#", record.getMessage()) for record in caplog.records]
    assert numberless == [
        "> Bot: StartFrame#, 0 bytes",
        "> Bot: TextFrame#, 26 bytes",
        "> Bot: EndFrame#, 0 bytes",
        "> Frame: StartFrame#, 0 bytes",
        "< Frame: TextFrame#, 26 bytes",
        "> Frame: EndFrame#, 0 bytes",
    ]
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


async def test_what_is_ignored_and_how_loud_it_is_can_be_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = FrameLogger(ignored_frame_types=[TextFrame], level=logging.WARNING, name="log")
    assert logger.name == "log"
    await run_test(logger, frames_to_send=[SECRET, AUDIO])
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert f"{AUDIO.name}, 640 bytes" in caplog.text


async def test_below_the_level_the_frame_is_not_looked_at(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Expensive(TextFrame):
        @property
        def payload_bytes(self) -> int:
            raise AssertionError("nobody is to ask for the size")

    caplog.set_level(logging.INFO, "wsframes.processors")
    await run_test(FrameLogger(), frames_to_send=[Expensive("a")], expected_down_frames=[Expensive])
    assert caplog.records == []


async def test_it_keeps_the_rules_as_a_function() -> None:
    await check_processor(FrameLogger, frames=[SECRET, AUDIO])
    assert not FrameLogger()._is_lane()
