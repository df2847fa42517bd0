"""`wsframes.transport.wire`."""

import gc
import weakref
from typing import Any

import anyio
import pytest

from wsframes import Frame, StartFrame, TextFrame
from wsframes.exceptions import EncodeError, UsageError
from wsframes.serializers import (
    FrameSerializer,
    FrameSerializerType,
    JsonFrameSerializer,
    RawAudioSerializer,
    SerializerSettings,
    TwilioFrameSerializer,
)
from wsframes.testing import settle
from wsframes.transport.wire import Wire


class Sync(FrameSerializer):
    type = FrameSerializerType.TEXT
    settings: SerializerSettings | None = None

    def __init__(self, result: Any = "message") -> None:
        self.result = result
        self.starts: list[StartFrame] = []

    def configure(self, settings: SerializerSettings) -> None:
        self.settings = settings

    def setup(self, frame: StartFrame) -> None:
        self.starts.append(frame)

    def serialize(self, frame: Frame) -> Any:
        return self.result

    def deserialize(self, data: str | bytes) -> Any:
        return self.result


class Async(Sync):
    def __init__(self, result: Any = "message") -> None:
        super().__init__(result)
        self.at_work = 0

    async def setup(self, frame: StartFrame) -> None:  # type: ignore[override]
        await anyio.sleep(1)
        self.starts.append(frame)

    async def serialize(self, frame: Frame) -> Any:
        self.at_work += 1
        assert self.at_work == 1
        await anyio.sleep(1)
        self.at_work -= 1
        return self.result

    async def deserialize(self, data: str | bytes) -> Any:
        await anyio.sleep(1)
        return self.result


class HalfAsync(Async):
    """Reads without waiting, and writes with."""

    def deserialize(self, data: str | bytes) -> Any:
        return self.result


async def test_without_a_serializer_nothing_crosses() -> None:
    wire = Wire(None)
    assert not wire.is_open
    await wire.setup(StartFrame())
    assert await wire.serialize(TextFrame("x")) is None
    assert await wire.deserialize(b"x") is None


async def test_a_real_one() -> None:
    wire = Wire(JsonFrameSerializer())
    assert wire.is_open
    message = await wire.serialize(TextFrame("x"))
    assert isinstance(message, str)
    frame = await wire.deserialize(message)
    assert isinstance(frame, TextFrame)


@pytest.mark.parametrize("kind", [Sync, Async, HalfAsync])
async def test_def_and_async_def(kind: type[Sync]) -> None:
    serializer = kind()
    wire = Wire(serializer)
    start = StartFrame()
    await wire.setup(start)
    assert serializer.starts == [start]
    assert await wire.serialize(TextFrame("x")) == "message"
    serializer.result = b"bytes"
    assert await wire.serialize(TextFrame("x")) == b"bytes"
    serializer.result = frame = TextFrame("y")
    assert await wire.deserialize("message") is frame
    serializer.result = None
    assert await wire.serialize(TextFrame("x")) is None
    assert await wire.deserialize("message") is None


async def test_it_is_set_up_once_even_if_the_session_is_resumed() -> None:
    serializer = Sync()
    wire = Wire(serializer)
    first = StartFrame()
    for start in (first, first, StartFrame()):
        await wire.setup(start)
    assert serializer.starts == [first]


class Own(Sync):
    serves_one_session = True


async def test_one_that_serves_one_session_is_refused_by_the_next() -> None:
    serializer = Own()
    first, second = Wire(serializer), Wire(serializer)
    for _ in range(2):
        await first.setup(StartFrame())
    for _ in range(2):  # each end of a transport asks
        with pytest.raises(UsageError, match="^serializer: this Own .* needs its own"):
            await second.setup(StartFrame())
    assert len(serializer.starts) == 1
    await Wire(Own()).setup(StartFrame())


async def test_one_that_may_be_shared_is_set_up_for_each_session() -> None:
    serializer = Sync()
    for _ in range(2):
        await Wire(serializer).setup(StartFrame())
    assert len(serializer.starts) == 2


async def test_nothing_is_held_to_remember_who_was_served() -> None:
    serializer = Own()
    await Wire(serializer).setup(StartFrame())
    weak = weakref.ref(serializer)
    del serializer
    gc.collect()
    assert weak() is None


@pytest.mark.parametrize("is_one_only", [False, True])
async def test_a_setup_that_failed_is_not_taken_for_done(is_one_only: bool) -> None:
    class Moody(Sync):
        serves_one_session = is_one_only

        def setup(self, frame: StartFrame) -> None:
            super().setup(frame)
            if len(self.starts) == 1:
                raise OSError("not yet")

    serializer = Moody()
    wire = Wire(serializer)
    with pytest.raises(OSError, match="not yet"):
        await wire.setup(StartFrame())
    await wire.setup(StartFrame())
    assert len(serializer.starts) == 2


async def test_an_async_serializer_is_entered_by_one_at_a_time_in_order() -> None:
    class Numbering(Async):
        async def serialize(self, frame: Frame) -> str:
            await super().serialize(frame)
            assert isinstance(frame, TextFrame)
            return frame.text

    wire = Wire(Numbering())
    done: list[tuple[float, str | bytes | None]] = []

    async def serialize(text: str) -> None:
        message = await wire.serialize(TextFrame(text))
        done.append((anyio.current_time() - start_s, message))

    start_s = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for text in "abc":
            tasks.start_soon(serialize, text)
            await settle()
    assert done == [(1.0, "a"), (2.0, "b"), (3.0, "c")]


async def test_one_that_raises_or_is_cancelled_lets_the_next_one_in() -> None:
    class Failing(Async):
        async def serialize(self, frame: Frame) -> str:
            await anyio.sleep(1)
            raise EncodeError("no")

    wire = Wire(Failing())
    for _ in range(2):
        with pytest.raises(EncodeError):
            await wire.serialize(TextFrame("x"))
    with anyio.move_on_after(0.5):
        await wire.serialize(TextFrame("x"))
    with pytest.raises(EncodeError):
        await wire.serialize(TextFrame("x"))


@pytest.mark.parametrize("kind", [Sync, Async])
async def test_what_is_no_message_is_refused_by_name(kind: type[Sync]) -> None:
    wire = Wire(kind({"a": "dict"}))
    with pytest.raises(
        EncodeError,
        match=f"{kind.__name__}.serialize returned dict: it must return str, bytes or None",
    ):
        await wire.serialize(TextFrame("x"))
    with pytest.raises(
        UsageError, match=f"{kind.__name__}.deserialize returned dict: it must return a Frame"
    ):
        await wire.deserialize("x")


async def test_a_def_that_returns_a_coroutine_is_told_to_be_async() -> None:
    class Hidden(Sync):
        def serialize(self, frame: Frame) -> Any:
            return anyio.sleep_forever()

        deserialize = serialize  # type: ignore[assignment]

    wire = Wire(Hidden())
    with pytest.raises(EncodeError, match="Hidden.serialize returned a coroutine: write it with"):
        await wire.serialize(TextFrame("x"))
    with pytest.raises(UsageError, match="Hidden.deserialize returned a coroutine: write it with"):
        await wire.deserialize("x")


async def test_it_is_configured_before_it_is_set_up_and_once() -> None:
    serializer, settings = Sync(), SerializerSettings(audio_out_bitrate=24000)
    wire = Wire(serializer, settings)
    await wire.setup(StartFrame())
    await wire.setup(StartFrame())
    assert serializer.settings is settings
    assert len(serializer.starts) == 1


def test_marks_are_the_serializer_s() -> None:
    assert not Wire(None).has_marks
    assert not Wire(Sync()).has_marks
    assert Wire(JsonFrameSerializer(marks=True)).has_marks


def test_the_rate_of_the_audio_is_the_serializer_s() -> None:
    assert Wire(None).audio_sample_rate is None
    assert Wire(Sync()).audio_sample_rate is None
    assert Wire(RawAudioSerializer(24000)).audio_sample_rate == 24000
    assert Wire(TwilioFrameSerializer()).audio_sample_rate == 8000


def test_what_encodes_and_decodes_images_is_the_serializer_s() -> None:
    assert Wire(None).video_encoder(800_000, 30) is None
    assert Wire(None).video_decoder is None
    assert Wire(Sync()).video_encoder(800_000, 30) is None
    assert Wire(Sync()).video_decoder is None
    wire = Wire(JsonFrameSerializer(jpeg=True))
    assert wire.video_encoder(800_000, 30) is not None
    assert wire.video_encoder(800_000, 30) is not wire.video_encoder(800_000, 30)
    assert wire.video_decoder is not None
