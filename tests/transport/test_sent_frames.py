"""What goes on through the pipeline when audio has been sent."""

from typing import Any

from starlette.websockets import WebSocket

from tests.transport.sessions import RATE, sound
from wsframes import (
    Frame,
    FrameDirection,
    FrameProcessor,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    Pipeline,
    PipelineTask,
    TTSAudioRawFrame,
)
from wsframes.serializers import RawAudioSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import WebsocketParams, WebsocketTransport


class Answering(FrameProcessor):
    def __init__(self, kind: type[OutputAudioRawFrame]) -> None:
        super().__init__()
        self._kind = kind
        self.answers: list[OutputAudioRawFrame] = []

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, InputAudioRawFrame):
            frame = self._kind(frame.audio, frame.sample_rate, metadata={"said": "yes"})
            self.answers.append(frame)
        self.push_frame_nowait(frame, direction)


async def answered(
    kind: type[OutputAudioRawFrame], audio: bytes, **params: Any
) -> tuple[list[OutputAudioRawFrame], list[Frame], int]:
    """The answers, what came out at the end of the pipeline, and how much the end has counted."""
    answering, out = Answering(kind), list[Frame]()
    tasks: list[PipelineTask] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        transport = WebsocketTransport(
            WebSocket(scope, receive, send),
            WebsocketParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                audio_out_10ms_chunks=2,
                serializer=RawAudioSerializer(RATE),
                **params,
            ),
        )
        task = PipelineTask(Pipeline([transport.input(), answering, transport.output()]))
        tasks.append(task)

        @task.event_handler("on_frame_reached_downstream")
        def reached(task: PipelineTask, frame: Frame) -> None:
            if isinstance(frame, OutputAudioRawFrame):
                out.append(frame)

        await task.run()

    async with MemoryPeer(app) as peer:
        await peer.connect()
        await peer.send(audio)
        await settle()
        counted = tasks[0].statistics()["sink"].taken
        await peer.send(audio)
        await settle()
        counted = tasks[0].statistics()["sink"].taken - counted
    return answering.answers, out, counted


async def test_audio_that_is_a_chunk_goes_on_as_the_frame_that_it_was() -> None:
    answers, out, counted = await answered(OutputAudioRawFrame, sound(0.02))
    assert [id(frame) for frame in out] == [id(frame) for frame in answers]
    assert counted == 1


async def test_audio_that_is_cut_or_of_a_class_of_its_own_goes_on_as_chunks() -> None:
    _, cut, counted = await answered(OutputAudioRawFrame, sound(0.04))
    assert [type(frame) for frame in cut] == [OutputAudioRawFrame] * 4
    assert counted == 2
    assert {tuple(frame.metadata) for frame in cut} == {()}
    _, spoken, _ = await answered(TTSAudioRawFrame, sound(0.02))
    assert [type(frame) for frame in spoken] == [OutputAudioRawFrame] * 2


async def test_with_a_header_the_frame_that_goes_on_has_none() -> None:
    answers, out, _ = await answered(OutputAudioRawFrame, sound(0.02), add_wav_header=True)
    assert out == answers
    assert len(answers[0].audio) == len(sound(0.02))
