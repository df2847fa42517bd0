"""What a serializer owes the transport, and the peer must not get out of it, rule by rule."""

from __future__ import annotations

import contextlib
import inspect
import math
from random import Random
from typing import TYPE_CHECKING, Any, Final

from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    BotInterruptionFrame,
    CancelFrame,
    ControlFrame,
    DataFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    HeartbeatFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    OutputImageRawFrame,
    StartFrame,
    StopFrame,
    SystemFrame,
    TextFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.serializers import FrameSerializer, FrameSerializerType

from .garbage import PLANTED_NUMBER, PLANTED_TEXT, liars, mutations, named_garbage, noise
from .probation import check_factory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .wire import Data

__all__ = ["SERIALIZER_RULES", "check_serializer"]

SERIALIZER_RULES: Final[Mapping[str, str]] = {
    "types": "serialize gives str, bytes or None, deserialize a Frame or None, and what has to be "
    "awaited comes from an async def",
    "encode": "serialize raises nothing but EncodeError",
    "unknown": "a frame that the wire does not know gives None",
    "audio": "audio is read as it was sent: rate, channels, and samples",
    "garbage": "deserialize raises nothing but DecodeError, whatever the message",
    "lifecycle": "no message becomes a frame of the run",
    "identity": "no message gives a frame its id, its pts or its metadata",
    "recovers": "after bad messages the next good one is understood",
}
"""The names with which the errors of `check_serializer` begin, and what they stand for."""

_CHUNKS = 50  # of 20 ms
_TOLERANCE = 0.2

# Beside lifecycle frames: what is believed to come from the run or its processors.
_OF_THE_RUN = (ErrorFrame, HeartbeatFrame, BotInterruptionFrame)


class _UnknownData(DataFrame):
    text: str = "secret"


class _UnknownControl(ControlFrame):
    pass


class _UnknownSystem(SystemFrame):
    pass


async def check_serializer(
    factory: Callable[[], FrameSerializer],
    *,
    peer: Callable[[], FrameSerializer] | None = None,
    messages: Iterable[Data] = (),
    sample_rate: int = 16000,
    num_channels: int = 1,
    lossless: bool = True,
    client: bool = False,
    rounds: int = 300,
    seed: int = 0,
) -> None:
    """Check that a serializer keeps the rules of the transport; see `SERIALIZER_RULES`.

    Args:
        factory: makes the serializer.
        peer: makes the one at the other end; None: the wire looks the same both ways.
        messages: real ones of a peer, in an order that makes sense: a handshake first. They are
            read before all others, and are changed into bad ones.
        sample_rate: Hz of the audio that is sent.
        num_channels: of the audio that is sent.
        lossless: the audio must be read bit for bit. If not, its duration has to be right
            to a fifth of a second.
        client: the serializer is a client's, whom a server may interrupt.
        rounds: how many random messages there are of each kind.
        seed: what they are made from.

    Raises:
        AssertionError: a rule is broken; the text begins with the rule's name.
        TypeError: `factory` or `peer` makes nothing, but is a serializer itself, say.
    """
    check_factory("factory", factory)
    check_factory("peer", peer or factory)
    audio_format = sample_rate, num_channels
    handshake = list(messages)
    start = StartFrame(sample_rate, sample_rate)
    ours = await _set_up(factory, start, client=client)
    theirs = await _set_up(peer or factory, start, client=not client)
    for message in handshake:
        await ours.decode(message)

    for unknown in (_UnknownData(), _UnknownControl(), _UnknownSystem()):
        try:
            data = await ours.encode(unknown)
        except EncodeError as exc:
            raise _broken("unknown", f"{unknown.name} raised {exc!r}") from exc
        if data is not None:
            raise _broken("unknown", f"{unknown.name} became {_shown(data)}")
    await _check_audio("audio", ours, theirs, audio_format, lossless=lossless)

    known = [*handshake, *await _vocabulary(ours, theirs, audio_format)]
    await _check_identity(ours, known)
    random = Random(seed)
    for bad in (
        *named_garbage(),
        *liars(),
        *mutations(random, known, rounds),
        *noise(random, rounds),
    ):
        await ours.decode(bad)
    # The ends may have a rest of what they have said and heard so far: so not bit for bit.
    theirs = await _set_up(peer or factory, start, client=not client)
    await _check_audio("recovers", ours, theirs, audio_format, lossless=False)


async def _set_up(
    factory: Callable[[], FrameSerializer], start: StartFrame, *, client: bool
) -> _Tried:
    tried = _Tried(factory(), client)
    await tried.setup(start)
    return tried


class _Tried:
    """A serializer, each of whose results is looked at."""

    def __init__(self, serializer: FrameSerializer, client: bool) -> None:
        self._serializer = serializer
        self._client = client
        if not isinstance(serializer.type, FrameSerializerType):
            raise _broken("types", f"its type is {serializer.type!r}, no FrameSerializerType")

    async def setup(self, frame: StartFrame) -> None:
        result = self._serializer.setup(frame)
        if result is not None:
            await result

    async def encode(self, frame: Frame) -> Data | None:
        """The message; an EncodeError is raised as it is."""
        try:
            data = await self._result("serialize", frame)
        except (EncodeError, AssertionError):
            raise
        except Exception as exc:
            raise _broken("encode", f"{frame.name} raised {exc!r}") from exc
        if data is not None and not isinstance(data, str | bytes):
            raise _broken("types", f"serialize made {type(data).__name__} of {frame.name}")
        return data

    async def decode(self, data: Data) -> Frame | None:
        """The frame; None too if the message is refused."""
        try:
            frame: Frame | None = await self._result("deserialize", data)
        except DecodeError:
            return None
        except AssertionError:
            raise
        except Exception as exc:
            raise _broken("garbage", f"{_shown(data)} raised {exc!r}") from exc
        if frame is not None:
            self._check_frame(frame, data)
        return frame

    async def _result(self, method: str, argument: Frame | Data) -> Any:
        function = getattr(self._serializer, method)
        result = function(argument)
        if inspect.iscoroutinefunction(function):
            return await result
        if inspect.iscoroutine(result):
            result.close()
            raise _broken("types", f"{method} is a def that gives a coroutine: make it async def")
        return result

    def _check_frame(self, frame: Any, data: Data) -> None:
        if not isinstance(frame, Frame):
            raise _broken("types", f"{_shown(data)} became {type(frame).__name__}")
        told = self._client and isinstance(frame, InterruptionFrame)
        if isinstance(frame, _OF_THE_RUN) or (frame.lifecycle and not told):
            raise _broken("lifecycle", f"{_shown(data)} became {frame.name}")
        texts = [*frame.metadata, *frame.metadata.values()]
        if PLANTED_NUMBER in (frame.id, frame.pts) or PLANTED_TEXT in texts:
            raise _broken(
                "identity",
                f"{_shown(data)} became {frame.name} with pts {frame.pts} and metadata "
                f"{frame.metadata}",
            )


async def _check_audio(
    rule: str, ours: _Tried, theirs: _Tried, audio_format: tuple[int, int], *, lossless: bool
) -> None:
    sent = read = b""
    messages = 0
    for chunk in _chunks(*audio_format):
        try:
            data = await theirs.encode(OutputAudioRawFrame(chunk, *audio_format))
        except EncodeError as exc:
            raise _broken(
                rule, f"{exc}: give check_serializer a sample_rate and num_channels of this wire"
            ) from exc
        sent += chunk
        if data is None:
            continue
        messages += 1
        frame = await ours.decode(data)
        if isinstance(frame, InputAudioRawFrame):
            if (frame.sample_rate, frame.num_channels) != audio_format:
                raise _broken(rule, f"{frame} was sent as {audio_format}")
            read += frame.audio
    if messages == 0:
        return  # no wire for audio
    if abs(len(read) - len(sent)) > len(sent) * _TOLERANCE:
        raise _broken(
            rule,
            f"{len(sent)} bytes were sent in {messages} messages, {len(read)} bytes were read; if "
            "the wire looks different the other way, give the serializer of the other end as peer",
        )
    if lossless and not sent.startswith(read):
        raise _broken(rule, "the samples that were read are not those that were sent")


async def _check_identity(ours: _Tried, messages: Iterable[Data]) -> None:
    for data in messages:
        first, second = await ours.decode(data), await ours.decode(data)
        if first is not None and second is not None and first.id == second.id:
            raise _broken("identity", f"{_shown(data)} became frames with one id, {first.id}")


async def _vocabulary(ours: _Tried, theirs: _Tried, audio_format: tuple[int, int]) -> list[Data]:
    """What the two ends can say, planted fields included."""
    planted: dict[str, Any] = {
        "id": PLANTED_NUMBER,
        "pts": PLANTED_NUMBER,
        "metadata": {PLANTED_TEXT: PLANTED_TEXT},
    }
    frames: list[Frame] = [
        OutputAudioRawFrame(_chunks(*audio_format)[0][:64], *audio_format, **planted),
        OutputImageRawFrame(bytes(12), (2, 2), "RGB", **planted),
        TextFrame("text", **planted),
        TransportMessageFrame({"key": ["value"]}, **planted),
        TransportMessageUrgentFrame({"key": ["value"]}, **planted),
        OutputDTMFFrame("1", **planted),
        StartFrame(**planted),
        StopFrame(**planted),
        InterruptionFrame(**planted),
        ErrorFrame("error", **planted),
        HeartbeatFrame(0.0, **planted),
        CancelFrame(**planted),
        EndFrame(**planted),
    ]
    said: list[Data] = []
    for frame in frames:
        for end in (ours, theirs):
            with contextlib.suppress(EncodeError):
                data = await end.encode(frame)
                if data is not None:
                    said.append(data)
    return said


def _chunks(sample_rate: int, num_channels: int) -> list[bytes]:
    """A tone, other in each channel, in chunks of 20 ms of PCM."""
    frames = sample_rate // 50
    return [
        b"".join(
            round(8000 * math.sin(at * (channel + 1) / 20)).to_bytes(2, "little", signed=True)
            for at in range(chunk * frames, (chunk + 1) * frames)
            for channel in range(num_channels)
        )
        for chunk in range(_CHUNKS)
    ]


def _broken(rule: str, detail: str) -> AssertionError:
    return AssertionError(f"{rule}: {detail}\n  the rule: {SERIALIZER_RULES[rule]}")


def _shown(data: Data) -> str:
    text = repr(data)
    return text if len(text) <= 100 else f"{text[:100]}... ({len(data)} long)"
