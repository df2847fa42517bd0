"""The two ends of the graph."""

from tests.graph.parts import Word, running
from wsframes.frames import EndFrame, InterruptionFrame
from wsframes.testing import settle


async def test_a_lifecycle_frame_that_was_let_in_is_not_let_in_again() -> None:
    async with running() as session:
        interruption = InterruptionFrame()
        await session.send(interruption, interruption)
        assert sum(frame is interruption for frame in session.down) == 1
        end = EndFrame()
        session.task._send(end)
        session.task._send(Word("late"))
        session.task._send(end)
        await settle()
    assert session.task.statistics()["source"].refused["ended"] >= 1
