"""The parameters of video, each seen from outside: images in, messages on the wire, their times.

One test a parameter, named after it.
"""

import warnings
from typing import Any

import anyio
import msgspec
import pytest
from pydantic import ValidationError

from tests.transport.sessions import Session
from tests.video.pictures import changing, photo
from wsframes import Frame, InputImageRawFrame, OutputImageRawFrame, SpriteFrame
from wsframes.serializers import JsonFrameSerializer, MsgpackFrameSerializer
from wsframes.testing import MemoryPeer, settle
from wsframes.transport import WebsocketParams
from wsframes.video import decode_jpeg, fit

CLIENT = MsgpackFrameSerializer(client=True, jpeg=True)


def session(**params: Any) -> Session:
    """MessagePack on the wire, and small pictures at ten a second."""
    defaults: dict[str, Any] = {
        "serializer": MsgpackFrameSerializer(),
        "video_out_enabled": True,
        "video_out_width": 32,
        "video_out_height": 24,
        "video_out_framerate": 10,
    }
    return Session(**defaults | params)


def peer_of(session: Session) -> MemoryPeer:
    return MemoryPeer(session, send_buffer_bytes=1 << 22, receive_buffer_bytes=1 << 22)


def images(peer: MemoryPeer, since_s: float = 0.0) -> list[tuple[float, dict[str, Any]]]:
    """What came of type `image`, with the times."""
    messages = [
        (message.time_s - since_s, msgspec.msgpack.decode(message.data))
        for message in peer.received
        if isinstance(message.data, bytes)
    ]
    return [(round(time_s, 6), fields) for time_s, fields in messages if fields["type"] == "image"]


async def shown(frames: list[Frame], seconds: float, **params: Any) -> list[dict[str, Any]]:
    """The messages, with their times, that come of these frames."""
    serving = session(**params)
    async with peer_of(serving) as peer:
        await serving.started.wait()
        begun_s = anyio.current_time()
        await serving.task.queue_frames(frames)
        await anyio.sleep(seconds)
        return [fields | {"at_s": time_s} for time_s, fields in images(peer, begun_s)]


def deprecated(old: str, new: str, value: Any) -> dict[str, Any]:
    """What `new` is set to by `old`, which warns once; and not against another value of `new`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        params = WebsocketParams(**{old: value})
    (warning,) = caught
    assert warning.category is DeprecationWarning
    assert str(warning.message) == f"{old} is deprecated: set {new} instead"
    assert getattr(params, new) == value != getattr(WebsocketParams(), new)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(ValidationError, match=f"{old} and {new} are set to different values"):
            WebsocketParams(**{old: value, new: getattr(WebsocketParams(), new)})
    return {new: getattr(params, new)}


# --- in


async def received(frame: OutputImageRawFrame, client: Any, **params: Any) -> Session:
    serving = session(**params)
    async with peer_of(serving) as peer:
        await serving.started.wait()
        await peer.send(client.serialize(frame))
        await anyio.sleep(0.1)
    return serving


def pictures_read(session: Session) -> list[InputImageRawFrame]:
    return [frame for frame in session.read if isinstance(frame, InputImageRawFrame)]


@pytest.mark.parametrize("kind", [MsgpackFrameSerializer, JsonFrameSerializer])
@pytest.mark.parametrize("jpeg", [False, True])
async def test_video_in_enabled(kind: Any, jpeg: bool) -> None:
    """Off: images are dropped and counted. On: they come as pixels, however they crossed."""
    for enabled in (False, True):
        serving = await received(
            photo((32, 24)),
            kind(client=True, jpeg=jpeg),
            video_in_enabled=enabled,
            serializer=kind(jpeg=True),
            observe=True,
        )
        if not enabled:
            assert pictures_read(serving) == []
            assert serving.transport.input().dropped == {"video_in_disabled": 1}
            continue
        (frame,) = pictures_read(serving)
        assert (frame.size, frame.format, len(frame.image)) == ((32, 24), "RGB", 32 * 24 * 3)


async def test_camera_in_enabled() -> None:
    """Sets `video_in_enabled`."""
    params = deprecated("camera_in_enabled", "video_in_enabled", True)
    serving = await received(
        photo((32, 24)), MsgpackFrameSerializer(client=True), observe=True, **params
    )
    assert len(pictures_read(serving)) == 1


# --- out


async def test_video_out_enabled() -> None:
    """Off: images are dropped and counted. On: they are sent."""
    serving = session(video_out_enabled=False)
    async with peer_of(serving) as peer:
        await serving.started.wait()
        await serving.task.queue_frames([photo(), SpriteFrame([photo()])])
        await anyio.sleep(1)
        assert images(peer) == []
    assert serving.transport.output().dropped == {"video_out_disabled": 2}
    assert len(await shown([photo()], 0.05)) == 1


async def test_camera_out_enabled() -> None:
    """Sets `video_out_enabled`."""
    params = deprecated("camera_out_enabled", "video_out_enabled", True)
    assert len(await shown([photo()], 0.05, **params)) == 1


async def check_is_live(params: dict[str, Any]) -> None:
    live = await shown([photo()], 0.95, **params)
    assert [fields["at_s"] for fields in live] == [0.0]
    still = await shown([photo()], 0.95)
    assert [fields["at_s"] for fields in still] == pytest.approx([n / 10 for n in range(10)])


async def test_video_out_is_live() -> None:
    """Live: once, and with a slow peer the latest wins. Else the last image is repeated."""
    await check_is_live({"video_out_is_live": True})
    serving = session(video_out_is_live=True)
    async with MemoryPeer(serving, send_buffer_bytes=1) as peer:
        await serving.started.wait()
        peer.stall()
        for number in range(20):
            await serving.task.queue_frame(photo((32, 24), number))
            await anyio.sleep(0.1)
        peer.resume()
        await anyio.sleep(1)
        assert images(peer)[-1][1]["image"] == photo((32, 24), 19).image
        count = len(images(peer))
    dropped = serving.transport.output().video_statistics()[None].dropped
    assert dropped == {"superseded": 20 - count}
    assert count < 5


async def test_camera_out_is_live() -> None:
    """Sets `video_out_is_live`."""
    await check_is_live(deprecated("camera_out_is_live", "video_out_is_live", True))


async def test_video_out_width() -> None:
    """Images of another size are stretched to it."""
    (fields,) = await shown([photo((64, 48))], 0.05, video_out_width=20)
    assert fields["size"] == [20, 24]
    assert fields["image"] == fit(photo((64, 48)), (20, 24), "RGB").image


async def test_camera_out_width() -> None:
    """Sets `video_out_width`."""
    params = deprecated("camera_out_width", "video_out_width", 20)
    (fields,) = await shown([photo()], 0.05, **params)
    assert fields["size"] == [20, 24]


async def test_video_out_height() -> None:
    """Images of another size are stretched to it."""
    (fields,) = await shown([photo((64, 48))], 0.05, video_out_height=10)
    assert fields["size"] == [32, 10]
    assert fields["image"] == fit(photo((64, 48)), (32, 10), "RGB").image


async def test_camera_out_height() -> None:
    """Sets `video_out_height`."""
    params = deprecated("camera_out_height", "video_out_height", 10)
    (fields,) = await shown([photo()], 0.05, **params)
    assert fields["size"] == [32, 10]


async def sent_bytes(seconds: int, **params: Any) -> int:
    """What the peer has read of a picture that changes 30 times a second."""
    serving = session(
        serializer=MsgpackFrameSerializer(jpeg=True),
        video_out_width=160,
        video_out_height=120,
        video_out_framerate=30,
        video_out_is_live=True,
        **params,
    )
    frames = changing(90)
    async with peer_of(serving) as peer:
        await serving.started.wait()
        begun_s = anyio.current_time()
        for number in range(30 * seconds):
            await serving.task.queue_frame(frames[number % len(frames)])
            await anyio.sleep_until(begun_s + (number + 1) / 30)
        for _, fields in images(peer)[:5]:
            assert decode_jpeg(fields["image"])[1] == (160, 120)
        return sum(len(message.data) for message in peer.received)


async def test_video_out_bitrate() -> None:
    """Ten seconds of a changing picture take no more than it, and make use of it."""
    for bitrate in (300_000, 1_200_000):
        mean = 8 * await sent_bytes(10, video_out_bitrate=bitrate) / 10
        assert 0.7 * bitrate <= mean <= bitrate


async def test_camera_out_bitrate() -> None:
    """Sets `video_out_bitrate`."""
    params = deprecated("camera_out_bitrate", "video_out_bitrate", 300_000)
    assert 8 * await sent_bytes(10, **params) / 10 <= 300_000


async def test_video_out_framerate() -> None:
    """So many images a second, on a schedule that does not drift."""
    for framerate in (1, 7, 25):
        sent = await shown([photo()], 2.99, video_out_framerate=framerate)
        times_s = [fields["at_s"] for fields in sent]
        expected_s = [number / framerate for number in range(3 * framerate)]
        assert times_s == pytest.approx(expected_s, abs=1e-6)


async def test_camera_out_framerate() -> None:
    """Sets `video_out_framerate`."""
    params = deprecated("camera_out_framerate", "video_out_framerate", 4)
    assert len(await shown([photo()], 0.99, **params)) == 4


async def test_video_out_color_format() -> None:
    """The format on the wire; one that Pillow does not have, or not of a fixed size, is refused."""
    for name in ("L", "RGBA", "CMYK"):
        (fields,) = await shown([photo()], 0.05, video_out_color_format=name)
        assert fields["format"] == name
        assert fields["image"] == fit(photo(), (32, 24), name).image
    for name in ("rgb", "P", "BGR", ""):
        with pytest.raises(ValidationError, match=r"video_out_color_format\n.*one of L, LA, RGB"):
            WebsocketParams(video_out_color_format=name)


async def test_camera_out_color_format() -> None:
    """Sets `video_out_color_format`."""
    params = deprecated("camera_out_color_format", "video_out_color_format", "L")
    (fields,) = await shown([photo()], 0.05, **params)
    assert fields["format"] == "L"
    with pytest.raises(ValidationError, match="camera_out_color_format"):
        WebsocketParams(camera_out_color_format="rgb")


async def test_video_out_destinations() -> None:
    """Each has a picture of its own; an unknown name is warned of, dropped and counted."""
    serving = session(video_out_destinations=["screen"])
    async with peer_of(serving) as peer:
        await serving.started.wait()
        for destination in (None, "screen", "wall"):
            await serving.task.queue_frame(photo(transport_destination=destination))
        await settle()
        await anyio.sleep(0.15)
        names = [(time_s, fields.get("destination")) for time_s, fields in images(peer)]
        assert sorted(names, key=str) == [
            (0.0, "screen"),
            (0.0, None),
            (0.1, "screen"),
            (0.1, None),
        ]
    assert serving.transport.output().dropped == {"unknown_destination": 1}
    for wrong in (["a", "a"], [""]):
        with pytest.raises(ValidationError, match="video_out_destinations"):
            WebsocketParams(video_out_destinations=wrong)
