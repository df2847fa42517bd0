"""`wsframes.serializers.base`."""

import inspect

import pytest

from wsframes.frames import Frame, StartFrame, TextFrame
from wsframes.serializers import FrameSerializer, FrameSerializerType


class Shout(FrameSerializer):
    """Written with `def`, and with no `setup`."""

    type = FrameSerializerType.TEXT

    def serialize(self, frame: Frame) -> str | None:
        return frame.text.upper() if isinstance(frame, TextFrame) else None

    def deserialize(self, data: str | bytes) -> Frame | None:
        return TextFrame(data.lower()) if isinstance(data, str) else None


class Whisper(FrameSerializer):
    """Written with `async def`, and with a `type` that is not known before."""

    def __init__(self) -> None:
        self.started: StartFrame | None = None

    @property
    def type(self) -> FrameSerializerType:
        return FrameSerializerType.BINARY

    async def setup(self, frame: StartFrame) -> None:
        self.started = frame

    async def serialize(self, frame: Frame) -> bytes | None:
        return frame.text.lower().encode() if isinstance(frame, TextFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        return TextFrame(data.decode()) if isinstance(data, bytes) else None


def test_a_serializer_of_functions() -> None:
    serializer = Shout()
    assert serializer.type is FrameSerializerType.TEXT
    assert serializer.setup(StartFrame()) is None
    assert serializer.serialize(TextFrame("hi")) == "HI"
    assert serializer.serialize(StartFrame()) is None
    frame = serializer.deserialize("HI")
    assert isinstance(frame, TextFrame)
    assert frame.text == "hi"
    assert serializer.deserialize(b"") is None


async def test_a_serializer_of_coroutines() -> None:
    serializer = Whisper()
    start = StartFrame()
    await serializer.setup(start)
    assert serializer.started is start
    assert serializer.type is FrameSerializerType.BINARY
    assert await serializer.serialize(TextFrame("Hi")) == b"hi"
    assert await serializer.serialize(start) is None
    frame = await serializer.deserialize(b"hi")
    assert isinstance(frame, TextFrame)
    assert frame.text == "hi"
    assert await serializer.deserialize("") is None


def test_which_it_is_can_be_seen_before_the_first_call() -> None:
    for name in ("setup", "serialize", "deserialize"):
        assert not inspect.iscoroutinefunction(getattr(Shout(), name))
        assert inspect.iscoroutinefunction(getattr(Whisper(), name))


@pytest.mark.parametrize("missing", ["type", "serialize", "deserialize"])
def test_what_a_serializer_must_have(missing: str) -> None:
    members = {name: getattr(Shout, name) for name in ("type", "serialize", "deserialize")}
    del members[missing]
    kind = type("Incomplete", (FrameSerializer,), members)
    with pytest.raises(TypeError, match=missing):
        kind()
