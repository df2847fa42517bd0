"""A serializer as the transport uses it: set up once, `def` or `async def` alike."""

import inspect
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakValueDictionary

from wsframes.exceptions import EncodeError, UsageError
from wsframes.frames import Frame, StartFrame
from wsframes.serializers import (
    FrameSerializer,
    SerializerSettings,
    VideoDecoder,
    VideoEncoder,
)
from wsframes.transport.tasks.waiting import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Wire"]

# Serializers that have a session, or had one, of those that serve one only; by their `id`.
_taken: "WeakValueDictionary[int, FrameSerializer]" = WeakValueDictionary()


class _State(Enum):
    NEW = auto()
    TAKEN = auto()
    """The serializer is this session's, and is not set up, or not yet."""
    SET_UP = auto()


class Wire:
    """Calls a serializer, or stands for none.

    Args:
        serializer: None: nothing comes from the wire and nothing goes to it.
        settings: for the serializer.
    """

    __slots__ = (
        "_serializer",
        "_settings",
        "_state",
        "_turns",
        "decode",
        "deserializes_nowait",
        "encode",
        "is_open",
        "serializes_nowait",
    )

    def __init__(
        self,
        serializer: FrameSerializer | None,
        settings: SerializerSettings = SerializerSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._serializer = serializer
        self._settings = settings
        self._state = _State.NEW
        self.is_open = serializer is not None
        """Whether there is a serializer."""
        self.encode: Callable[[Frame], Any] = getattr(serializer, "serialize", _nothing)
        """The serializer's own; what it returns is for `message`."""
        self.decode: Callable[[str | bytes], Any] = getattr(serializer, "deserialize", _nothing)
        """The serializer's own; what it returns is for `frame`."""
        self.serializes_nowait = not _is_async(serializer, "serialize")
        self.deserializes_nowait = not _is_async(serializer, "deserialize")
        # Senders of several destinations and urgent messages must not enter it at once; and what
        # has been through it first is sent first.
        self._turns = Turns()

    @property
    def has_marks(self) -> bool:
        """Whether the peer tells how far it has played."""
        return self._serializer is not None and self._serializer.has_marks

    @property
    def audio_sample_rate(self) -> int | None:
        """Hz of all audio that the peer takes, where it takes one rate only."""
        return None if self._serializer is None else self._serializer.audio_sample_rate

    def video_encoder(self, bitrate: int, framerate: int) -> VideoEncoder | None:
        """What encodes the images of one destination, if the serializer has them encoded."""
        if self._serializer is None:
            return None
        return self._serializer.video_encoder(bitrate, framerate)

    @property
    def video_decoder(self) -> VideoDecoder | None:
        """What decodes the peer's images, if the serializer has them decoded."""
        return None if self._serializer is None else self._serializer.video_decoder

    async def setup(self, frame: StartFrame) -> None:
        """Set the serializer up, once: a session that is resumed keeps what it knows.

        Raises:
            UsageError: it serves one session only, and that is another one.
            Exception: what the serializer raises.
        """
        serializer = self._serializer
        if serializer is not None and self._state is not _State.SET_UP:
            if self._state is _State.NEW:
                _take(serializer)
                self._state = _State.TAKEN
            serializer.configure(self._settings)
            result = serializer.setup(frame)
            if result is not None:
                await result
            self._state = _State.SET_UP

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """The message of a frame.

        Raises:
            EncodeError: the serializer returned something else.
            Exception: what the serializer raises.
        """
        if self.serializes_nowait:
            return self.message(self.encode(frame))
        await self._turns.take()
        try:
            return self.message(await self.encode(frame))
        finally:
            self._turns.give()

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """The frame of a message.

        Raises:
            UsageError: the serializer returned something else.
            Exception: what the serializer raises.
        """
        if self.deserializes_nowait:
            return self.frame(self.decode(data))
        return self.frame(await self.decode(data))

    def message(self, data: Any) -> str | bytes | None:
        """What `encode` has returned, if it may.

        Raises:
            EncodeError: it is something else.
        """
        if data is None or isinstance(data, str | bytes):
            return data
        return self._refuse("serialize", data, EncodeError, "str, bytes or None")

    def frame(self, frame: Any) -> Frame | None:
        """What `decode` has returned, if it may.

        Raises:
            UsageError: it is something else.
        """
        if frame is None or isinstance(frame, Frame):
            return frame
        return self._refuse("deserialize", frame, UsageError, "a Frame or None")

    def _refuse(self, method: str, result: Any, error: type[Exception], allowed: str) -> NoReturn:
        name = f"{type(self._serializer).__name__}.{method}"
        if inspect.iscoroutine(result):
            result.close()  # else Python warns, somewhere else, that it was never awaited
            raise error(f"{name} returned a coroutine: write it with `async def`")
        raise error(f"{name} returned {type(result).__name__}: it must return {allowed}")


def _take(serializer: FrameSerializer) -> None:
    """Let a serializer that serves one session only serve no other one."""
    if serializer.serves_one_session:
        if id(serializer) in _taken:
            raise UsageError(
                f"serializer: this {type(serializer).__name__} has served another session, or "
                "serves it. It keeps something of its session, so each one needs its own: make it "
                "where you make the params, for each websocket (WebsocketApp takes a function "
                "there)"
            )
        _taken[id(serializer)] = serializer


def _nothing(_: object) -> None:
    """What no serializer makes of a frame or a message."""


def _is_async(serializer: FrameSerializer | None, name: str) -> bool:
    return inspect.iscoroutinefunction(getattr(serializer, name, None))
