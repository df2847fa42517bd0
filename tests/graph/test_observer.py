"""Those who watch without being part of the pipeline."""

from typing import Any

import anyio
import pytest

from tests.graph.parts import DOWN, UP, Alert, Function, Lane, Word, running
from tests.graph.test_failures import stray_cancellation
from wsframes.frames import CancelFrame, EndFrame, Frame, InterruptionFrame, StartFrame
from wsframes.graph import BaseObserver, FramePushed, ParallelPipeline, Pipeline, PipelineTask
from wsframes.testing import settle


class Inline(BaseObserver):
    def __init__(self) -> None:
        self.pushes: list[FramePushed] = []

    def on_push_frame(self, data: FramePushed) -> None:
        self.pushes.append(data)

    def hops(self, kind: type[Frame]) -> list[tuple[str, str]]:
        return [
            (push.source, push.destination) for push in self.pushes if isinstance(push.frame, kind)
        ]


class Queued(Inline):
    async def on_push_frame(self, data: FramePushed) -> None:  # type: ignore[override]
        super().on_push_frame(data)


async def test_the_base_looks_away() -> None:
    async with running(Function(), observers=[BaseObserver()]) as session:
        await session.send(Word())
    assert session.task.observer_statistics()[0].dropped == {}


@pytest.mark.parametrize("kind", [Inline, Queued])
async def test_every_hop_of_every_frame_is_told_once(kind: type[Inline]) -> None:
    observer = kind()
    async with running(Function("a"), Lane("b"), observers=[observer]) as session:
        await session.send(Word())
        session.task._send(Alert(), UP)
        await session.send(InterruptionFrame())
        await session.end()
    down = [("source", "a"), ("a", "b"), ("b", "sink")]
    assert observer.hops(Word) == observer.hops(StartFrame) == observer.hops(EndFrame) == down
    assert observer.hops(InterruptionFrame) == down
    assert observer.hops(Alert) == [("sink", "b"), ("b", "a"), ("a", "source")]
    push = next(push for push in observer.pushes if isinstance(push.frame, Alert))
    assert push.direction is UP
    (counts,) = session.task.observer_statistics()
    assert counts.taken == counts.delivered == len(observer.pushes)


async def test_what_is_observed_runs_as_what_is_not() -> None:
    class Wrong(Function):
        def process_frame(self, frame: Frame, direction: Any) -> Any:
            if isinstance(frame, Word):
                raise LookupError
            super().process_frame(frame, direction)
            return self.push_frame(frame) if isinstance(frame, Alert) else None

    async with running(Wrong("it"), observers=[Inline()]) as session:
        await session.send(Word(), Alert())
        assert [type(frame).__name__ for frame in session.up] == ["ErrorFrame"] * 2
    counts = session.task.statistics()["it"]
    assert (counts.taken, counts.dropped) == (2, {"error": 2})


async def test_what_an_observer_raises_is_counted_and_it_is_told_of_the_next_frame() -> None:
    stray = await stray_cancellation()

    class Fails(Inline):
        def on_push_frame(self, data: FramePushed) -> None:
            super().on_push_frame(data)
            raise (stray if len(self.pushes) % 2 else LookupError())

    class FailsQueued(Fails):
        async def on_push_frame(self, data: FramePushed) -> None:  # type: ignore[override]
            super().on_push_frame(data)

    observers = [Fails(), FailsQueued()]
    async with running(Function(), observers=observers) as session:
        await session.send(Word("a"), Word("b"))
        assert session.texts() == ["a", "b"]
        await session.end()
    for observer, counts in zip(observers, session.task.observer_statistics(), strict=True):
        assert counts.dropped == {"error": len(observer.pushes)}
        assert counts.taken == len(observer.pushes) == 8


async def test_an_observer_that_returns_an_awaitable_is_told_that_nobody_awaits_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Wrong(BaseObserver):
        def on_push_frame(self, data: FramePushed) -> Any:
            return self.tell()

        async def tell(self) -> None:
            """Never runs."""

    async with running(Function(), observers=[Wrong()]) as session:
        await session.send(Word())
        await session.end()
    (counts,) = session.task.observer_statistics()
    assert (counts.delivered, counts.dropped) == (0, {"error": counts.taken})
    assert "on_push_frame returned an awaitable from a plain function" in caplog.text


async def test_what_ends_the_process_comes_out_of_an_observer() -> None:
    class Stops(BaseObserver):
        def on_push_frame(self, data: FramePushed) -> None:
            if isinstance(data.frame, Word):
                raise KeyboardInterrupt

    function = Function()
    async with running(function, observers=[Stops()]):
        with pytest.raises(KeyboardInterrupt):
            function.push_frame_nowait(Word())


async def test_one_that_cannot_follow_loses_the_newest_and_they_are_counted() -> None:
    class Slow(Queued):
        async def on_push_frame(self, data: FramePushed) -> None:  # type: ignore[override]
            self.pushes.append(data)
            await anyio.sleep_forever()

    slow = Slow()
    async with running(Function(), observers=[slow]) as session:
        await settle()
        for _ in range(1000):
            await session.task.queue_frame(Word())
        (counts,) = session.task.observer_statistics()
        assert counts.queued == 1024
        assert counts.taken == 2002
        assert counts.dropped == {"full": 2002 - 1 - 1024}
        assert len(slow.pushes) == 1
    (counts,) = session.task.observer_statistics()
    assert counts.queued == 0
    assert counts.dropped["cancelled"] == 1025


@pytest.mark.parametrize("kind", [EndFrame, CancelFrame])
async def test_a_queued_one_sees_the_last_frames_too(kind: type[Frame]) -> None:
    class Slow(Queued):
        async def on_push_frame(self, data: FramePushed) -> None:  # type: ignore[override]
            await anyio.sleep(0.01)
            await super().on_push_frame(data)

    slow = Slow()
    async with running(Function("it"), observers=[slow]) as session:
        await session.send(kind())
        await session.wait()
    assert slow.hops(kind)[-1] == ("it", "sink")


async def test_branches_are_observed_too() -> None:
    observer = Inline()
    parallel = ParallelPipeline([Function("left")], [])
    async with running(parallel, observers=[observer]) as session:
        await session.send(Word())
    name = "ParallelPipeline#0"
    assert set(observer.hops(Word)) == {
        ("source", f"{name} fork"),
        (f"{name} fork", "left"),
        ("left", f"{name} join"),
        (f"{name} fork", f"{name} join"),
        (f"{name} join", "sink"),
    }


async def test_without_an_observer_a_push_goes_straight_to_the_neighbour() -> None:
    task = PipelineTask(Pipeline([first := Function("a"), second := Lane("b"), Function("c")]))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(task.run)
        await settle()
        assert first._node is not None
        assert second._node is not None
        assert first._node.down is second._node
        assert second._node.up is first._node
        assert second._node.down is second._node.links.next
        first.push_frame_nowait(Word(), DOWN)
        await task.cancel()
