"""The applications of the video benchmark: an echo of audio, without images and with them."""

import random
from typing import Any

import anyio
from PIL import Image

from benchmarks.apps import Echo, echo_session, msgpack_echo
from wsframes import OutputImageRawFrame, StartFrame
from wsframes.serializers import MsgpackFrameSerializer

__all__ = ["Show", "msgpack_echo", "video_echo"]

_SIZE = (1024, 768)
_FRAMERATE = 30


def _pictures() -> list[OutputImageRawFrame]:
    """Soft colours that change, and grain: about as hard to encode as what a camera sees."""
    chance = random.Random(0)
    frames = []
    for _ in range(10):
        soft = Image.frombytes("RGB", (16, 12), chance.randbytes(16 * 12 * 3))
        grain = Image.frombytes("RGB", _SIZE, chance.randbytes(_SIZE[0] * _SIZE[1] * 3))
        image = Image.blend(soft.resize(_SIZE, Image.Resampling.BICUBIC), grain, 0.05)
        frames.append(OutputImageRawFrame(image.tobytes(), _SIZE, "RGB"))
    return frames


class Show(Echo):
    """Echoes audio, and pushes a picture 30 times a second."""

    def start(self, frame: StartFrame) -> None:
        self.start_soon(self._show)

    async def _show(self) -> None:
        begun_s = anyio.current_time()
        pictures = _pictures()
        number = 0
        while True:
            self.push_frame_nowait(pictures[number % len(pictures)])
            number += 1
            await anyio.sleep_until(begun_s + number / _FRAMERATE)


async def video_echo(scope: Any, receive: Any, send: Any) -> None:
    await echo_session(
        scope,
        receive,
        send,
        MsgpackFrameSerializer(jpeg=True),
        processor=Show(),
        video_out_enabled=True,
        video_out_is_live=True,
        video_out_width=_SIZE[0],
        video_out_height=_SIZE[1],
        video_out_framerate=_FRAMERATE,
        video_out_bitrate=8_000_000,
    )
