"""The way of every frame to the wire: a message is made of it, and sent."""

from collections.abc import Callable
from typing import NamedTuple

from wsframes.audio.pcm import wav_bytes
from wsframes.exceptions import EncodeError
from wsframes.frames import DTMFFrame, Frame, OutputAudioRawFrame
from wsframes.graph.failures import describe
from wsframes.transport.client import WebsocketClient
from wsframes.transport.params import WebsocketParams
from wsframes.transport.playout.media_queue import Chunk
from wsframes.transport.wire import Wire

__all__ = ["Encoded", "Outlet", "Unsent"]


class Unsent(NamedTuple):
    """Instead of a message.

    Attributes:
        reason: why there is none; None: there is nothing to send, and that is as it should be.
    """

    reason: str | None


Encoded = str | bytes | Unsent
"""What becomes of a frame."""

_NOTHING = Unsent(None)


class Outlet:
    """Makes messages of frames, and sends them.

    Args:
        wire: makes them.
        client: sends them.
        params: of the transport.
        play_key: for a key that there is no message for; says why it is not heard, or None.
        failed: told of a frame that cannot be made a message.

    Attributes:
        send: sends a message; says whether the server has taken it.
    """

    __slots__ = (
        "_encode", "_failed", "_num_channels", "_play_key", "_wire", "_with_header",
        "encodes_nowait", "send",
    )  # fmt: skip

    def __init__(
        self,
        wire: Wire,
        client: WebsocketClient,
        params: WebsocketParams,
        play_key: Callable[[DTMFFrame], str | None],
        failed: Callable[[Frame, str, Exception], None],
    ) -> None:
        self._wire = wire
        self._encode = wire.encode
        self._num_channels = params.audio_out_channels
        self._with_header = params.add_wav_header
        self._play_key = play_key
        self._failed = failed
        self.encodes_nowait = wire.serializes_nowait
        """Whether `encoded` can be used, and `write` need not be."""
        self.send = client.send

    def let_go(self) -> None:
        """The pipeline is over, and is told nothing any more; see `Node.let_go`."""
        self._play_key = _is_over
        self._failed = _tell_nobody

    def audio_frame(self, destination: str | None, chunk: Chunk) -> OutputAudioRawFrame:
        """What goes on through the pipeline when the chunk has been sent."""
        return OutputAudioRawFrame(
            chunk.audio, chunk.sample_rate, self._num_channels, transport_destination=destination
        )

    def encoded(self, frame: Frame) -> Encoded:
        """The message of a frame, by a serializer that need not wait."""
        try:
            data = self._encode(frame)
            if not isinstance(data, bytes):
                data = self._wire.message(data)
            return self._without_message(frame) if data is None else data
        except Exception as exc:
            return self._refused(frame, exc)

    def encoded_audio(self, frame: OutputAudioRawFrame) -> Encoded:
        """`encoded`, with the header where there is to be one."""
        return self.encoded(self._payload(frame) if self._with_header else frame)

    async def encoded_later(self, frame: Frame) -> Encoded:
        """The message of a frame, by any serializer."""
        if self.encodes_nowait:
            return self.encoded(frame)
        try:
            data = await self._wire.serialize(frame)
            return self._without_message(frame) if data is None else data
        except Exception as exc:
            return self._refused(frame, exc)

    async def write(self, frame: Frame) -> str | None:
        """Make a message of a frame and send it; says why it did not get there, or None."""
        data = await self.encoded_later(frame)
        if isinstance(data, Unsent):
            return data.reason
        return None if await self.send(data) else "unsent"

    async def write_audio(self, frame: OutputAudioRawFrame) -> str | None:
        """`write`, with the header where there is to be one.

        Raises:
            ValueError: with `add_wav_header`, the audio is not whole samples of every channel.
        """
        return await self.write(self._payload(frame) if self._with_header else frame)

    def _payload(self, frame: OutputAudioRawFrame) -> OutputAudioRawFrame:
        wav = wav_bytes(frame.audio, frame.sample_rate, frame.num_channels)
        return frame.replace(audio=wav)

    def _without_message(self, frame: Frame) -> Unsent:
        if isinstance(frame, DTMFFrame) and self._wire.is_open:
            return Unsent(self._play_key(frame))
        return _NOTHING

    def _refused(self, frame: Frame, exc: Exception) -> Unsent:
        self._failed(frame, str(exc) if isinstance(exc, EncodeError) else describe(exc), exc)
        return Unsent("encode_error")


def _is_over(frame: DTMFFrame) -> str:
    return "ended"


def _tell_nobody(frame: Frame, why: str, exc: Exception) -> None: ...
