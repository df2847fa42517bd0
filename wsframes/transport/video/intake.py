"""Images as they come from the peer, made into pixels where the serializer has them encoded."""

import anyio

from wsframes.frames import InputImageRawFrame
from wsframes.transport.tasks.workers import place, run_slow
from wsframes.transport.wire import Wire

__all__ = ["decoded"]

_PATIENCE_S = 5.0


async def decoded(wire: Wire, frame: InputImageRawFrame) -> InputImageRawFrame:
    """The image with its pixels, or as it is if it has them, or the serializer has no decoder.

    Whoever reads waits for it, so that what the peer sends keeps its order. Decoding takes a worker
    thread some milliseconds.

    Raises:
        DecodeError: the image cannot be decoded, or is too large.
        TimeoutError: the decoder did not come back.
    """
    decoder = wire.video_decoder
    if decoder is None or frame.format is not None:
        return frame
    async with place():
        with anyio.fail_after(_PATIENCE_S):  # or it would keep the place from all sessions
            return await run_slow(decoder, frame)
