"""Every rule for serializers is broken on purpose, and the check names it.

wsframes.testing.serializer_conformance.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio.lowlevel
import pytest

from wsframes import (
    DataFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    StartFrame,
    TextFrame,
)
from wsframes.exceptions import DecodeError, EncodeError
from wsframes.serializers import (
    FrameSerializer,
    FrameSerializerType,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
)
from wsframes.testing import SERIALIZER_RULES, check_serializer


class Text(FrameSerializer):
    """A wire that is right: text and audio as JSON. Those below break it."""

    type = FrameSerializerType.TEXT

    def serialize(self, frame: Frame) -> Any:
        if isinstance(frame, TextFrame):
            return json.dumps({"type": "text", "text": frame.text})
        if isinstance(frame, OutputAudioRawFrame):
            audio = b64encode(frame.audio).decode()
            return json.dumps(
                {"type": "audio", "audio": audio, "format": [frame.sample_rate, frame.num_channels]}
            )
        return None

    def deserialize(self, data: str | bytes) -> Any:
        try:
            return self.frame_of(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise DecodeError("no message of this wire") from exc

    def frame_of(self, tree: Any) -> Any:
        if tree["type"] == "text":
            return TextFrame(tree["text"])
        if tree["type"] == "audio":
            return self.heard(b64decode(tree["audio"], validate=True), *tree["format"])
        return None

    def heard(self, audio: bytes, rate: int, channels: int) -> Frame | None:
        return InputAudioRawFrame(audio, rate, channels)


class Later(Text):
    """The same, with `async def`."""

    started = False

    async def setup(self, frame: StartFrame) -> None:
        await anyio.lowlevel.checkpoint()
        self.started = True

    async def serialize(self, frame: Frame) -> Any:
        await anyio.lowlevel.checkpoint()
        assert self.started
        return super().serialize(frame)

    async def deserialize(self, data: str | bytes) -> Any:
        await anyio.lowlevel.checkpoint()
        assert self.started
        return super().deserialize(data)


class Silent(Text):
    """Sends nothing."""

    def serialize(self, frame: Frame) -> Any:
        return None


async def broken(factory: Callable[[], FrameSerializer], rule: str, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        await check_serializer(factory, **options)
    text = str(caught.value)
    assert text.startswith(f"{rule}: ")
    assert text.endswith(SERIALIZER_RULES[rule])
    return text


@pytest.mark.parametrize(
    ("factory", "options"),
    [
        (Text, {}),
        (Later, {"rounds": 10}),
        (Silent, {"messages": ['{"type": "text", "text": "hello"}']}),
        (MsgpackFrameSerializer, {}),
        (MsgpackFrameSerializer, {"peer": lambda: MsgpackFrameSerializer(client=True)}),
        (
            lambda: MsgpackFrameSerializer(client=True),
            {"peer": MsgpackFrameSerializer, "client": True},
        ),
        (JsonFrameSerializer, {"sample_rate": 24000, "num_channels": 2, "seed": 1}),
        (RawAudioSerializer, {}),
        (lambda: RawAudioSerializer(8000, 2), {"sample_rate": 8000, "num_channels": 2}),
    ],
)
async def test_good_serializers_pass(
    factory: Callable[[], FrameSerializer], options: dict[str, Any]
) -> None:
    await check_serializer(factory, **options)


# --- types, encode, unknown


async def test_a_kind_of_message_that_is_none() -> None:
    class Bad(Text):
        type = "text"  # type: ignore[assignment]

    assert "its type is 'text'" in await broken(Bad, "types")


async def test_a_message_that_is_neither_text_nor_bytes() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            return {} if isinstance(frame, TextFrame) else None

    assert "serialize made dict of TextFrame#" in await broken(Bad, "types")


async def test_a_message_that_becomes_something_else_than_a_frame() -> None:
    class Bad(Text):
        def frame_of(self, tree: Any) -> Any:
            return tree

    assert "became" in await broken(Bad, "types")


@pytest.mark.parametrize("method", ["serialize", "deserialize"])
async def test_a_def_that_gives_a_coroutine(method: str) -> None:
    def give(self: Text, argument: Any) -> Any:
        async def soon() -> None: ...

        return soon()

    kind = type("Bad", (Text,), {method: give})
    assert f"{method} is a def that gives a coroutine" in await broken(kind, "types")


async def test_a_serialize_that_raises() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            return json.dumps({"type": "text", "text": frame.audio})  # type: ignore[attr-defined]

    assert "raised AttributeError" in await broken(Bad, "encode")


async def test_frames_of_the_run_that_make_serialize_raise() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            if isinstance(frame, EndFrame):
                raise LookupError("no call to hang up")
            return super().serialize(frame)

    assert "EndFrame#" in await broken(Bad, "encode")


async def test_unknown_frames_that_are_sent() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            return str(frame) if isinstance(frame, DataFrame) else None

    assert "_UnknownData#" in await broken(Bad, "unknown")


async def test_unknown_frames_that_are_refused_are_no_message_either() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            raise EncodeError("not for this wire")

    assert "_UnknownData#" in await broken(Bad, "unknown")


# --- audio


async def test_audio_with_a_sample_changed() -> None:
    class Bad(Text):
        def heard(self, audio: bytes, rate: int, channels: int) -> Frame | None:
            return super().heard(audio[:-2] + b"\x01\x02", rate, channels)

    assert "are not those that were sent" in await broken(Bad, "audio")
    await check_serializer(Bad, lossless=False)


@pytest.mark.parametrize(("factor", "read"), [(0.5, 16000), (2, 64000)])
async def test_audio_of_another_length(factor: float, read: int) -> None:
    class Bad(Text):
        def heard(self, audio: bytes, rate: int, channels: int) -> Frame | None:
            return super().heard((audio * 2)[: int(len(audio) * factor)], rate, channels)

    text = await broken(Bad, "audio", lossless=False)
    assert f"32000 bytes were sent in 50 messages, {read} bytes were read" in text


async def test_audio_at_another_rate() -> None:
    class Bad(Text):
        def heard(self, audio: bytes, rate: int, channels: int) -> Frame | None:
            return super().heard(audio, rate // 2, channels)

    assert "was sent as (16000, 1)" in await broken(Bad, "audio")


async def test_audio_that_looks_different_the_other_way() -> None:
    class Bad(Text):
        def heard(self, audio: bytes, rate: int, channels: int) -> Frame | None:
            return None

    assert "give the serializer of the other end as peer" in await broken(Bad, "audio")


async def test_audio_of_another_format_than_the_wire_s() -> None:
    text = await broken(RawAudioSerializer, "audio", sample_rate=8000)
    assert "give check_serializer a sample_rate and num_channels of this wire" in text


async def test_frames_that_the_wire_knows_may_be_refused() -> None:
    class Strict(Text):
        def serialize(self, frame: Frame) -> Any:
            if isinstance(frame, TextFrame):
                raise EncodeError("too short")
            return super().serialize(frame)

    await check_serializer(Strict)


async def test_audio_may_be_held_back_for_a_while() -> None:
    class Late(Text):
        held = b""

        def serialize(self, frame: Frame) -> Any:
            if isinstance(frame, OutputAudioRawFrame):
                self.held += frame.audio
                if len(self.held) < 3000:
                    return None
                frame, self.held = frame.replace(audio=self.held), b""
            return super().serialize(frame)

    await check_serializer(Late)


# --- garbage, lifecycle, identity, recovers


async def test_garbage_that_raises() -> None:
    class Bad(Text):
        def deserialize(self, data: str | bytes) -> Any:
            return self.frame_of(json.loads(data))

    assert "raised " in await broken(Bad, "garbage")


async def test_a_handshake_that_raises() -> None:
    text = await broken(
        type("Bad", (Text,), {"frame_of": lambda self, tree: tree["no"] / 0}),
        "garbage",
        messages=['{"no": 1}'],
    )
    assert "ZeroDivisionError" in text


class Trusting(Text):
    made: type[Frame]

    def frame_of(self, tree: Any) -> Any:
        if tree["type"] == self.made.__name__:
            return self.made("x") if self.made is ErrorFrame else self.made()
        return super().frame_of(tree)


@pytest.mark.parametrize("made", [EndFrame, InterruptionFrame, ErrorFrame])
async def test_frames_of_the_run_that_come_from_the_wire(made: type[Frame]) -> None:
    kind = type("Bad", (Trusting,), {"made": made})
    assert f"became {made.__name__}#" in await broken(kind, "lifecycle")


async def test_a_client_may_be_interrupted_and_not_ended() -> None:
    interrupted = type("Good", (Trusting,), {"made": InterruptionFrame})
    await check_serializer(interrupted, client=True)
    ended = type("Bad", (Trusting,), {"made": EndFrame})
    await broken(ended, "lifecycle", client=True)


async def test_frames_of_the_run_that_are_sent_and_come_back() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            return "bye" if isinstance(frame, EndFrame) else super().serialize(frame)

        def deserialize(self, data: str | bytes) -> Any:
            return EndFrame() if data == "bye" else super().deserialize(data)

    assert "'bye' became EndFrame#" in await broken(Bad, "lifecycle")


@pytest.mark.parametrize("field", ["id", "pts", "metadata"])
async def test_identities_that_come_from_the_wire(field: str) -> None:
    class Bad(Text):
        def frame_of(self, tree: Any) -> Any:
            if tree["type"] == "text" and field in tree:
                return TextFrame(tree["text"], **{field: tree[field]})
            return super().frame_of(tree)

    assert "became TextFrame#" in await broken(Bad, "identity")


async def test_identities_that_travel_with_the_frame() -> None:
    class Bad(Text):
        def serialize(self, frame: Frame) -> Any:
            if isinstance(frame, TextFrame):
                return json.dumps({"type": "text", "text": frame.text, "time": frame.pts})
            return super().serialize(frame)

        def frame_of(self, tree: Any) -> Any:
            if tree["type"] == "text":
                return TextFrame(tree["text"], pts=tree["time"])
            return super().frame_of(tree)

    assert "with pts 7007007007007" in await broken(Bad, "identity")


async def test_one_identity_for_two_messages() -> None:
    class Bad(Text):
        known: Frame = TextFrame("always the same")

        def frame_of(self, tree: Any) -> Any:
            return self.known if tree["type"] == "text" else super().frame_of(tree)

    assert "became frames with one id" in await broken(Bad, "identity")


async def test_a_serializer_for_a_factory_is_named() -> None:
    made: Any = JsonFrameSerializer()
    with pytest.raises(TypeError, match="^factory has to make a fresh one .*lambda: Json"):
        await check_serializer(made)
    with pytest.raises(TypeError, match="^peer has to make a fresh one .*lambda: Json"):
        await check_serializer(JsonFrameSerializer, peer=made)


async def test_dead_after_a_bad_message() -> None:
    class Bad(Text):
        bad = 0

        def deserialize(self, data: str | bytes) -> Any:
            try:
                return super().deserialize(data) if self.bad < 100 else None
            except DecodeError:
                self.bad += 1
                raise

    assert "0 bytes were read" in await broken(Bad, "recovers")


def test_every_rule_has_a_violation_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    named = set(re.findall(r"await broken\(\w+, \"(\w+)\"", source))
    assert named == set(SERIALIZER_RULES)
