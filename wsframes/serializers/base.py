"""What a serializer is: the one place that knows how a peer's messages look."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TypeAlias

import msgspec

from wsframes.frames import Frame, InputImageRawFrame, OutputImageRawFrame, StartFrame

__all__ = [
    "FrameSerializer",
    "FrameSerializerType",
    "SerializerSettings",
    "VideoDecoder",
    "VideoEncoder",
]

VideoEncoder: TypeAlias = Callable[[OutputImageRawFrame, float], OutputImageRawFrame | None]
"""Encodes a raw image at a time in seconds; None: left out, the bitrate has no room for it."""

VideoDecoder: TypeAlias = Callable[[InputImageRawFrame], InputImageRawFrame]
"""Decodes a peer's image, or raises DecodeError; what is raw already is handed back."""


class FrameSerializerType(Enum):
    """Which kind of websocket message a serializer makes."""

    BINARY = "binary"
    TEXT = "text"


class SerializerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Of the transport's parameters, those that are for a serializer which encodes media.

    Attributes:
        audio_out_bitrate: bits a second of each stream of audio.
    """

    audio_out_bitrate: int = 96000


class FrameSerializer(ABC):
    """Turns frames into messages and messages into frames.

    A subclass writes `setup`, `serialize` and `deserialize` with `def` or with `async def`, as it
    needs, each by itself. The transport looks at them once, when it is set up, and awaits what has
    to be awaited::

        class Lines(FrameSerializer):
            type = FrameSerializerType.TEXT

            def serialize(self, frame: Frame) -> str | None:
                return frame.text if isinstance(frame, TextFrame) else None

            async def deserialize(self, data: str | bytes) -> Frame | None:
                return TextFrame(await self.spell_checker.correct(data))

    One serializer serves one session: telephony needs to remember what the call is called. One
    that keeps nothing may be shared, and says so. One that must not be shared sets
    `serves_one_session`, and no second session can begin with it.

    `serialize` and `deserialize` may run at the same time, each at most once at a time. Messages
    come to `deserialize` in the order in which they were received.

    Attributes, of the class mostly, that say what a wire can do; False unless told otherwise:

    - `has_marks`: the peer can tell how far it has played. `serialize` has a message for an
      `OutputMarkFrame`, and `deserialize` gives an `InputMarkFrame` of the same name once the peer
      has played what came before it. The bot then counts as speaking until the peer says that it
      has heard it all, and not until it should have. A peer that does not answer within a second
      is not waited for again before it answers.
    - `audio_sample_rate`: Hz of all audio that the wire takes; None, as it is unless overridden:
      each piece may have its own. Tones are made so where nothing else says the rate.
    - `encodes_audio`: what crosses is not PCM, so that `add_wav_header` is refused.
    - `serves_one_session`: it keeps something of its session, so that one which has had a session
      is refused by the next, even if that is over.
    """

    audio_sample_rate: int | None = None
    has_marks: bool = False
    encodes_audio: bool = False
    serves_one_session: bool = False

    @property
    @abstractmethod
    def type(self) -> FrameSerializerType:
        """The kind of message that most of this wire's are.

        For the peer's information alone: every message is sent as what `serialize` returned, and
        `deserialize` is given what was received, `str` or `bytes`, whichever this says.
        """

    def configure(self, settings: SerializerSettings) -> None:
        """Take what the transport's parameters say; once, before `setup`. Does nothing by default.

        Raises:
            ValueError: this wire cannot have it so. The session ends with that error.
        """
        return None

    def setup(self, frame: StartFrame) -> Awaitable[None] | None:
        """Get ready, before any other frame. Does nothing unless overridden.

        Args:
            frame: how the run is set up.
        """
        return None

    def video_encoder(self, bitrate: int, framerate: int) -> VideoEncoder | None:
        """What encodes the images of one destination before they come to `serialize`.

        It is asked for after `setup`, once for each destination. The transport calls it in a worker
        thread, one image at a time, with images in the size and the format of the params. None, as
        it is unless overridden: they come raw.

        Args:
            bitrate: bits a second that the messages may have, on the average.
            framerate: images a second, at most.
        """
        return None

    @property
    def video_decoder(self) -> VideoDecoder | None:
        """What decodes the peer's images after `deserialize`, where they are wanted at all.

        The transport calls it in a worker thread, one image at a time. None, as it is unless
        overridden: images go on as they came.
        """
        return None

    @abstractmethod
    def serialize(self, frame: Frame) -> str | bytes | None | Awaitable[str | bytes | None]:
        """The message for a frame, or None if there is nothing for the wire in it.

        None is no failure. The frame was taken: audio still takes its time, and the frame still
        goes on to the next processor. A serializer that collects audio may return None until it has
        enough.

        Raises:
            EncodeError: the frame should have gone out, but the wire cannot carry it. The frame is
                dropped and counted, the next one is tried.
        """

    @abstractmethod
    def deserialize(self, data: str | bytes) -> Frame | None | Awaitable[Frame | None]:
        """The frame in a message, or None if the application is not concerned by it.

        Raises:
            DecodeError: the message is not what this wire allows. It is skipped and counted, and
                the next one is read; a peer that sends too many of them is disconnected.
        """
