"""`wsframes.transport.video.intake`, in sessions with a peer in memory."""

import threading
from collections.abc import Callable

import anyio
import pytest

from tests.transport.sessions import Session
from tests.video.pictures import photo
from wsframes import Frame, InputImageRawFrame, InputTransportMessageFrame, OutputImageRawFrame
from wsframes import TransportMessageFrame as Message
from wsframes.exceptions import DecodeError
from wsframes.graph import EndReason
from wsframes.serializers import MsgpackFrameSerializer, VideoDecoder
from wsframes.testing import MemoryPeer
from wsframes.transport.video import intake
from wsframes.video import encode_jpeg

CLIENT = MsgpackFrameSerializer(client=True)
JPEG = OutputImageRawFrame(encode_jpeg(photo()), (64, 48))


class Decoding(MsgpackFrameSerializer):
    """MessagePack, with a decoder of the test's."""

    def __init__(self, decode: Callable[[InputImageRawFrame], InputImageRawFrame]) -> None:
        super().__init__()
        self._decode = decode

    @property
    def video_decoder(self) -> VideoDecoder:
        return self._decode


def message(frame: Frame) -> bytes:
    data = CLIENT.serialize(frame)
    assert data is not None
    return data


async def test_what_the_peer_sends_keeps_its_order() -> None:
    session = Session(
        serializer=MsgpackFrameSerializer(jpeg=True), video_in_enabled=True, observe=True
    )
    raw = photo((2, 2))
    async with MemoryPeer(session) as peer:
        for frame in (Message(1), JPEG, Message(2), raw, JPEG, Message(3)):
            await peer.send(message(frame))
        await anyio.sleep(1)
    read = [
        f for f in session.read if isinstance(f, InputImageRawFrame | InputTransportMessageFrame)
    ]
    named = [f.message if isinstance(f, InputTransportMessageFrame) else f.size for f in read]
    assert named == [1, (64, 48), 2, (2, 2), (64, 48), 3]
    assert {f.format for f in read if isinstance(f, InputImageRawFrame)} == {"RGB"}


async def test_an_image_that_cannot_be_decoded_is_a_bad_message_and_the_next_is_read() -> None:
    session = Session(
        serializer=MsgpackFrameSerializer(jpeg=True), video_in_enabled=True, observe=True
    )
    bomb = bytearray(JPEG.image)
    at = bomb.index(b"\xff\xc0")
    bomb[at + 5 : at + 9] = b"\x20\x00\x20\x00"
    async with MemoryPeer(session) as peer:
        await peer.send(message(OutputImageRawFrame(bytes(bomb), (8192, 8192))))
        await peer.send(message(OutputImageRawFrame(b"no JPEG", (1, 1))))
        await peer.send(message(JPEG))
        await anyio.sleep(1)
    assert session.transport.input().dropped == {"bad_message": 2}
    assert "8192 x 8192 pixels" in session.errors[0].error
    assert len([f for f in session.read if isinstance(f, InputImageRawFrame)]) == 1


async def test_ten_of_them_end_the_session() -> None:
    session = Session(serializer=MsgpackFrameSerializer(jpeg=True), video_in_enabled=True)
    async with MemoryPeer(session) as peer:
        for _ in range(10):
            await peer.send(message(OutputImageRawFrame(b"no JPEG", (1, 1))))
        assert (await peer.wait_closed()).code == 1007
    assert session.result.reason is EndReason.BAD_INPUT


async def test_an_image_that_is_not_wanted_is_not_decoded() -> None:
    decoded: list[InputImageRawFrame] = []

    def decode(frame: InputImageRawFrame) -> InputImageRawFrame:
        decoded.append(frame)
        raise DecodeError("no")

    for enabled in (False, True):
        session = Session(serializer=Decoding(decode), video_in_enabled=enabled)
        async with MemoryPeer(session) as peer:
            await peer.send(message(JPEG))
            await anyio.sleep(1)
        assert len(decoded) == enabled


async def test_without_a_decoder_an_encoded_image_goes_on_as_it_came() -> None:
    session = Session(serializer=MsgpackFrameSerializer(), video_in_enabled=True, observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(message(JPEG))
        await anyio.sleep(1)
    (frame,) = [f for f in session.read if isinstance(f, InputImageRawFrame)]
    assert (frame.image, frame.format) == (JPEG.image, None)


async def test_a_decoder_that_hangs_does_not_hold_up_a_cancellation() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def decode(frame: InputImageRawFrame) -> InputImageRawFrame:
        begun.set()
        assert go_on.wait(10)
        return frame

    session = Session(serializer=Decoding(decode), video_in_enabled=True)
    async with MemoryPeer(session) as peer:
        await peer.send(message(JPEG))
        while not begun.is_set():
            await anyio.lowlevel.checkpoint()
        await session.task.cancel()
        await session.finished()
    go_on.set()
    assert session.result.reason is EndReason.CANCELLED
    assert session.transport.input().dropped == {"cancelled": 1}


async def test_a_decoder_that_hangs_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_PATIENCE_S", 0.1)  # which pass really: a thread runs
    go_on = threading.Event()

    def decode(frame: InputImageRawFrame) -> InputImageRawFrame:
        assert go_on.wait(10)
        return frame

    session = Session(serializer=Decoding(decode), video_in_enabled=True, observe=True)
    async with MemoryPeer(session) as peer:
        await peer.send(message(JPEG))
        await peer.send(message(Message(1)))
        await anyio.sleep(0.2)
        assert [f.message for f in session.read if isinstance(f, InputTransportMessageFrame)] == [1]
        go_on.set()
    assert session.transport.input().dropped == {"bad_message": 1}
