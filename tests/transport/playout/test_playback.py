"""`wsframes.transport.playout.playback`: the schedule, the bot's speech and its end as one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsframes import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    SystemFrame,
)
from wsframes.graph.context import RunContext
from wsframes.graph.events import EventQueue
from wsframes.testing import run_virtual
from wsframes.transport.audio_intake import AudioIntake
from wsframes.transport.pacer import Interrupted, Pacer
from wsframes.transport.playout.media_queue import Chunk, MediaQueue
from wsframes.transport.playout.playback import Playback
from wsframes.transport.playout.utterance_end import UtteranceEnd

RATE = 16000
CHUNK_S = 0.02


def chunk(*, is_speech: bool = True, rate: int = RATE) -> Chunk:
    frames = round(rate * CHUNK_S)
    return Chunk(bytes(2 * frames), frames, rate, is_speech)


class Told:
    """A playback, and what it tells."""

    def __init__(self) -> None:
        self.speech: list[type[SystemFrame]] = []
        pacer = Pacer(RATE, 0.1, anyio.current_time())
        intake, queue = AudioIntake(1, RATE), MediaQueue(1, 20, 1000)
        end = UtteranceEnd(intake, queue, pacer, None, 0.04, 0.0, lambda: None)
        self.playback = Playback(pacer, end, lambda: end.is_over, self.speech.append)


@asynccontextmanager
async def playing() -> AsyncIterator[Told]:
    async with anyio.create_task_group() as tasks:
        context = RunContext(tasks, EventQueue(tasks, 5.0, lambda *_: None))
        tasks.start_soon(context.run_timers)
        told = Told()
        told.playback.begin(context)
        yield told
        tasks.cancel_scope.cancel()


async def test_what_is_sent_is_heard_until_it_has_been_played() -> None:
    async with playing() as told:
        assert told.playback.over_s is None
        begun_s = anyio.current_time()
        for _ in range(5):
            told.playback.left(chunk(), is_sent=True)
        assert told.playback.over_s == pytest.approx(begun_s + 0.1)
        assert told.speech == [BotStartedSpeakingFrame, BotSpeakingFrame]
        await anyio.sleep(1)
        assert told.playback.over_s is None
        assert told.speech == [BotStartedSpeakingFrame, BotSpeakingFrame, BotStoppedSpeakingFrame]


async def test_an_interruption_tells_what_was_heard_of_the_speech_alone() -> None:
    async with playing() as told:
        for is_speech in (False, True, True, True):
            told.playback.left(chunk(is_speech=is_speech), is_sent=True)
        await anyio.sleep(0.04)
        assert told.playback.interrupt() == pytest.approx((20.0, 40.0))
        assert told.speech[-1] is BotStoppedSpeakingFrame
        told.playback.left(chunk(is_speech=False), is_sent=True)
        assert told.playback.interrupt() == Interrupted(0.0, 0.0)


async def test_what_was_not_taken_is_not_heard() -> None:
    async with playing() as told:
        told.playback.left(chunk(), is_sent=False)
        assert told.speech == []
        assert told.playback.over_s is not None


async def test_another_rate_goes_on_where_the_schedule_is() -> None:
    async with playing() as told:
        told.playback.left(chunk(), is_sent=True)
        assert told.playback.is_due(chunk(rate=8000), ran_dry=False)
        told.playback.left(chunk(rate=8000), is_sent=True)
        assert told.playback.pacer.sample_rate == 8000
        assert told.playback.over_s == pytest.approx(anyio.current_time() + 2 * CHUNK_S)


@example(gaps_ms=[0] * 10)
@given(gaps_ms=st.lists(st.integers(0, 60), min_size=1, max_size=40))
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_chunk_leaves_further_ahead_than_the_lead(
    backend: Literal["asyncio", "trio"], gaps_ms: list[int]
) -> None:
    """A chunk that is due begins to be played at most the lead later, however they come."""

    async def main() -> None:
        async with playing() as told:
            for gap_ms in gaps_ms:
                await anyio.sleep(gap_ms / 1000)
                over_s = told.playback.over_s or anyio.current_time()
                if told.playback.is_due(chunk(), ran_dry=True):
                    assert over_s - anyio.current_time() <= 0.1 + 1e-9
                    told.playback.left(chunk(), is_sent=True)
                else:
                    assert over_s - anyio.current_time() > 0.1 - 1e-9

    run_virtual(main, backend=backend)
