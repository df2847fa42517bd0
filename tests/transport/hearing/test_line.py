"""`wsframes.transport.hearing.line`: what waits to be heard, and how much of it may."""

from typing import Literal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes import FilterEnableFrame, InputAudioRawFrame
from wsframes.graph.mailbox import QueueLimits
from wsframes.testing import run_virtual, settle
from wsframes.transport.hearing.line import Line


def audio(number: int = 0) -> InputAudioRawFrame:
    return InputAudioRawFrame(bytes([number % 256, 0]), 16000)


async def test_who_waits_for_room_goes_on_when_half_of_it_is_free() -> None:
    line = Line(QueueLimits(max_frames=4))
    assert line.is_free
    for number in range(4):
        line.put(audio(number))
    assert line.is_full
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.wait_for_room)
        await line.next()
        await settle()
        assert line.is_full
        await line.next()
    assert not line.is_full
    assert not line.is_free


async def test_what_is_put_wakes_who_hears() -> None:
    line = Line(QueueLimits())
    heard = []

    async def hear() -> None:
        heard.append(await line.next())
        assert line.waiting == 1
        line.done()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear)
        await settle()
        line.put(frame := audio())
    assert heard == [frame]
    assert line.is_free


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(steps=st.lists(st.sampled_from(["put", "control", "hear", "done"]), max_size=40))
def test_nothing_is_lost(backend: Literal["asyncio", "trio"], steps: list[str]) -> None:
    """What was put by the peer waits, was heard, or is counted as cancelled; controls are none."""

    async def main() -> None:
        line = Line(QueueLimits())
        put = heard = queued = 0
        at_work = False
        for step in steps:
            if step == "put":
                line.put(audio())
                put, queued = put + 1, queued + 1
            elif step == "control":
                line.put(FilterEnableFrame(enable=True))
                queued += 1
            elif at_work:
                line.done()
                at_work = False
            elif queued:
                heard += isinstance(await line.next(), InputAudioRawFrame)
                queued -= 1
                at_work = True
        at_work_from_peer = line.waiting - (put - heard)
        assert at_work_from_peer in ((0, 1) if at_work else (0,))
        line.close()
        assert line.waiting == 0
        assert line.counts.dropped["cancelled"] == put - heard + at_work_from_peer

    run_virtual(main, backend=backend)
