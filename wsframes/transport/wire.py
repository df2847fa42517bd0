"""A serializer as the transport uses it: set up once, `def` or `async def` alike."""

import inspect
from typing import Any, NoReturn

from wsframes.exceptions import EncodeError, UsageError
from wsframes.frames import Frame, StartFrame
from wsframes.serializers import (
    FrameSerializer,
    SerializerSettings,
    VideoDecoder,
    VideoEncoder,
)
from wsframes.transport.waiting import Turns

__all__ = ["Wire"]


class Wire:
    """Calls a serializer, or stands for none.

    Args:
        serializer: None: nothing comes from the wire and nothing goes to it.
        settings: for the serializer.
    """

    __slots__ = (
        "_async_deserialize",
        "_async_serialize",
        "_is_set_up",
        "_serializer",
        "_settings",
        "_turns",
    )

    def __init__(
        self,
        serializer: FrameSerializer | None,
        settings: SerializerSettings = SerializerSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._serializer = serializer
        self._settings = settings
        self._is_set_up = False
        self._async_serialize = _is_async(serializer, "serialize")
        self._async_deserialize = _is_async(serializer, "deserialize")
        # Senders of several destinations and urgent messages must not enter it at once; and what
        # has been through it first is sent first.
        self._turns = Turns()

    @property
    def is_open(self) -> bool:
        """Whether there is a serializer."""
        return self._serializer is not None

    @property
    def has_marks(self) -> bool:
        """Whether the peer tells how far it has played."""
        return self._serializer is not None and self._serializer.has_marks

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
        """Set the serializer up, once: a session that is resumed keeps what it knows."""
        if self._serializer is not None and not self._is_set_up:
            self._serializer.configure(self._settings)
            result = self._serializer.setup(frame)
            if result is not None:
                await result
            self._is_set_up = True

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """The message of a frame.

        Raises:
            EncodeError: the serializer returned something else.
            Exception: what the serializer raises.
        """
        serializer = self._serializer
        if serializer is None:
            return None
        data: Any
        if not self._async_serialize:
            data = serializer.serialize(frame)
        else:
            await self._turns.take()
            try:
                result: Any = serializer.serialize(frame)
                data = await result
            finally:
                self._turns.give()
        if data is None or isinstance(data, str | bytes):
            return data
        return self._refuse("serialize", data, EncodeError, "str, bytes or None")

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """The frame of a message.

        Raises:
            UsageError: the serializer returned something else.
            Exception: what the serializer raises.
        """
        serializer = self._serializer
        if serializer is None:
            return None
        frame: Any = serializer.deserialize(data)
        if self._async_deserialize:
            frame = await frame
        if frame is None or isinstance(frame, Frame):
            return frame
        return self._refuse("deserialize", frame, UsageError, "a Frame or None")

    def _refuse(self, method: str, result: Any, error: type[Exception], allowed: str) -> NoReturn:
        name = f"{type(self._serializer).__name__}.{method}"
        if inspect.iscoroutine(result):
            result.close()  # else Python warns, somewhere else, that it was never awaited
            raise error(f"{name} returned a coroutine: write it with `async def`")
        raise error(f"{name} returned {type(result).__name__}: it must return {allowed}")


def _is_async(serializer: FrameSerializer | None, name: str) -> bool:
    return inspect.iscoroutinefunction(getattr(serializer, name, None))
