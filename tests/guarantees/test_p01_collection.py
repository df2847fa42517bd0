"""P1: what is left of a session when it has ended needs no garbage collection to go."""

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from tests.transport.sessions import RATE
from tests.vad.parts import Loud
from wsframes import (
    BaseObserver,
    EndFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    OutputAudioRawFrame,
    ParallelPipeline,
    Pipeline,
    PipelineParams,
    PipelineTask,
    StartFrame,
)
from wsframes.graph.node import Node
from wsframes.serializers import MsgpackFrameSerializer
from wsframes.testing import MemoryPeer
from wsframes.transport import WebsocketParams, WebsocketTransport
from wsframes.turn import SilenceTurnAnalyzer


class Lane(FrameProcessor):
    """Has a lane, and work in the background."""

    async def start(self, frame: StartFrame) -> None:
        self.start_soon(self.work)

    async def work(self) -> None:
        await anyio.sleep_forever()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)


class Kept:
    """An application that keeps nothing of its sessions but whether it is alive."""

    def __init__(self, **params: Any) -> None:
        self.alive: weakref.WeakSet[Any] = weakref.WeakSet()
        self.task: Callable[[], PipelineTask | None] = lambda: None
        self.started = anyio.Event()
        self._params = params

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        params = WebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_sample_rate=RATE,
            serializer=MsgpackFrameSerializer(),
            **self._params,
        )
        transport = WebsocketTransport((scope, receive, send), params)
        parallel = ParallelPipeline([FrameProcessor()], [Lane()])
        pipeline = Pipeline([transport.input(), parallel, Lane(), transport.output()])
        task = PipelineTask(
            pipeline, params=PipelineParams(enable_metrics=True), observers=[BaseObserver()]
        )
        transport.add_event_handler("on_client_connected", self._connected)
        self.alive.update([transport, task, transport.client, *pipeline])
        self.task = weakref.ref(task)
        await task.run()
        assert transport.statistics().received >= 1
        assert all(counts.queued == 0 for counts in task.statistics().values())

    def _connected(self, *_: object) -> None:
        self.started.set()


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def nodes() -> int:
    return sum(isinstance(thing, Node) for thing in gc.get_objects())


ENDINGS = ("close", "reset", "end", "cancel", "caller")


def hears() -> dict[str, Any]:
    return {"vad_analyzer": Loud(), "turn_analyzer": SilenceTurnAnalyzer()}


def shows() -> dict[str, Any]:
    return {"video_out_enabled": True}


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    ("ending", "params"),
    [*((ending, dict) for ending in ENDINGS), ("end", hears), ("cancel", hears), ("end", shows)],
)
async def test_p01_an_ended_session_needs_no_collection(
    ending: str, params: Callable[[], dict[str, Any]]
) -> None:
    """P1, P28: not even an object of it that others hold on to while they wait for one."""
    app = Kept(**params())
    message = MsgpackFrameSerializer().serialize(OutputAudioRawFrame(bytes(1280), RATE))
    assert message is not None
    before = nodes()
    async with anyio.create_task_group() as tasks:
        async with MemoryPeer(app) as peer:
            await app.started.wait()
            await peer.send(message)
            await anyio.sleep(1)
            task = app.task()
            assert task is not None
            if ending == "end":
                await task.queue_frames([OutputAudioRawFrame(bytes(3200), RATE), EndFrame()])
            elif ending == "cancel":
                await task.cancel()
            elif ending == "reset":
                peer.reset()
            elif ending == "close":
                peer.close()
            del task
        tasks.cancel_scope.cancel()
    assert list(app.alive) == []
    assert nodes() == before
