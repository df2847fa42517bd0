"""A serializer as the transport uses it: set up once, `def` or `async def` alike."""

import inspect
from collections.abc import Awaitable
from typing import TypeVar, cast

import anyio

from wsframes.frames import Frame, StartFrame
from wsframes.serializers import FrameSerializer

__all__ = ["Wire"]

T = TypeVar("T")


class Wire:
    """Calls a serializer, or stands for none.

    Args:
        serializer: None: nothing comes from the wire and nothing goes to it.
    """

    __slots__ = ("_async_deserialize", "_async_serialize", "_lock", "_serializer",
                 "_started_by")  # fmt: skip

    def __init__(self, serializer: FrameSerializer | None) -> None:
        self._serializer = serializer
        self._started_by: StartFrame | None = None
        self._async_serialize = _is_async(serializer, "serialize")
        self._async_deserialize = _is_async(serializer, "deserialize")
        # Senders of several destinations and urgent messages must not enter it at once.
        self._lock = anyio.Lock(fast_acquire=True)

    @property
    def is_open(self) -> bool:
        """Whether there is a serializer."""
        return self._serializer is not None

    async def setup(self, frame: StartFrame) -> None:
        """Set the serializer up; a second call for the same start does nothing."""
        if self._serializer is not None and self._started_by is not frame:
            self._started_by = frame
            result = self._serializer.setup(frame)
            if result is not None:
                await result

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """The message of a frame; what the serializer returns or raises."""
        if self._serializer is None:
            return None
        if not self._async_serialize:
            return cast(str | bytes | None, self._serializer.serialize(frame))
        async with self._lock:
            return await cast(
                Awaitable[str | bytes | None], self._serializer.serialize(frame)
            )

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """The frame of a message; what the serializer returns or raises."""
        if self._serializer is None:
            return None
        result = self._serializer.deserialize(data)
        if self._async_deserialize:
            return await cast(Awaitable[Frame | None], result)
        return cast(Frame | None, result)


def _is_async(serializer: FrameSerializer | None, name: str) -> bool:
    return inspect.iscoroutinefunction(getattr(serializer, name, None))
