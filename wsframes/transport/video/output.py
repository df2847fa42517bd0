"""The images of an output: where each of them goes, and what makes it ready."""

from typing import TYPE_CHECKING

import anyio

from wsframes.frames import OutputImageRawFrame, SpriteFrame
from wsframes.graph.context import RunContext
from wsframes.serializers import VideoEncoder
from wsframes.transport.params import WebsocketParams
from wsframes.transport.tasks.waiting import Turns
from wsframes.transport.tasks.workers import place, run_slow
from wsframes.transport.video.sink import VideoSink
from wsframes.transport.video.slot import OVER_BITRATE, Picture, VideoStatistics
from wsframes.transport.wire import Wire

if TYPE_CHECKING:
    from wsframes.transport.video.sender import VideoSender

__all__ = ["VideoOutput"]

_PATIENCE_S = 5.0


class VideoOutput:
    """One sender for each destination, where video goes out at all.

    Args:
        params: of the transport.
        sink: what the senders send through.

    Raises:
        MissingExtraError: video is to go out, and the extra `video` is not installed.
    """

    def __init__(self, params: WebsocketParams, sink: VideoSink) -> None:
        self._params = params
        self._sink = sink
        self._senders: dict[str | None, VideoSender] = {}
        self._wire = Wire(None)
        self._encoder_apart: VideoEncoder | None = None
        self._turns_apart = Turns()
        if params.video_out_enabled:
            import wsframes.transport.video.sender  # noqa: F401 - now, and not at the first image

    def begin(self, context: RunContext, wire: Wire) -> None:
        """Send in this run, by a serializer that is set up."""
        params = self._params
        self._wire = wire
        self._encoder_apart = self._encoder()
        if params.video_out_enabled:
            for destination in (None, *params.video_out_destinations):
                if destination not in self._senders:
                    self._senders[destination] = self._new_sender(destination)
                self._senders[destination].begin(context)

    def reason_to_drop(self, picture: Picture) -> str | None:
        """Why it cannot be shown, or None."""
        if not self._params.video_out_enabled:
            return "video_out_disabled"
        if picture.transport_destination not in self._senders:
            return "unknown_destination"
        if isinstance(picture, SpriteFrame) and not picture.images:
            return "unusable_image"
        return None

    def put(self, picture: Picture) -> None:
        """Show this at its destination from the next moment on."""
        self._senders[picture.transport_destination].put(picture)

    async def write_apart(self, image: OutputImageRawFrame) -> str | None:
        """Send an image past everything; says why it was not taken, or None.

        Raises:
            ValueError: the serializer encodes images, and this one's bytes are not what its size
                and format say.
            TimeoutError: the encoder did not come back.
        """
        encoder = self._encoder_apart
        if encoder is not None and image.format is not None:
            await self._turns_apart.take()
            try:
                async with place():
                    with anyio.fail_after(_PATIENCE_S):
                        encoded = await run_slow(encoder, image, anyio.current_time())
            finally:
                self._turns_apart.give()
            if encoded is None:
                return OVER_BITRATE
            image = encoded
        return await self._sink.write(image)

    def interrupt(self) -> None:
        """Drop what is not to be seen any more."""
        for sender in self._senders.values():
            sender.interrupt()

    async def drain(self) -> None:
        """Wait until each picture has been shown once."""
        for sender in self._senders.values():
            await sender.drain()

    async def rest(self) -> None:
        """Send nothing more in this run."""
        for sender in self._senders.values():
            await sender.rest()

    def close(self, reason: str) -> None:
        """Show nothing any more."""
        for sender in self._senders.values():
            sender.close(reason)

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        del self._sink
        for sender in self._senders.values():
            sender.let_go()

    def statistics(self) -> dict[str | None, VideoStatistics]:
        return {name: sender.statistics() for name, sender in self._senders.items()}

    def _encoder(self) -> VideoEncoder | None:
        params = self._params
        return self._wire.video_encoder(params.video_out_bitrate, params.video_out_framerate)

    def _new_sender(self, destination: str | None) -> "VideoSender":
        from wsframes.transport.video.preparation import VideoPreparation
        from wsframes.transport.video.sender import VideoSender

        params = self._params
        preparation = None
        if self._wire.is_open:
            preparation = VideoPreparation(
                (params.video_out_width, params.video_out_height),
                params.video_out_color_format,
                self._encoder(),
                repeats=not params.video_out_is_live,
            )
        return VideoSender(
            destination,
            self._sink,
            preparation,
            params.video_out_framerate,
            params.video_out_is_live,
        )
