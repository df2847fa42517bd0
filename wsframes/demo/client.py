"""A process that talks to the demo's server as a caller would: in real time, its microphone open.

`python -m wsframes.demo.client PORT PHRASES` writes a `Progress` 20 times a second and, after the
session, a `Heard`.
"""

import sys
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from wsframes import (
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    TransportMessageFrame,
)
from wsframes.audio import rms
from wsframes.demo.clip import GOODBYE, MESSAGE_MS, SAMPLE_RATE, Clip, recorded_clip
from wsframes.demo.notes import Arrival, Cleared, Heard, Progress, tell
from wsframes.demo.playout import PlayOut
from wsframes.demo.room import Room, room_samples
from wsframes.serializers import MsgpackFrameSerializer

__all__ = ["call"]

# No multiple of the messages' 20 ms, so that echoes are asked for at every phase of them.
_PING_PERIOD_S = 0.031
_PROGRESS_PERIOD_S = 0.05
# What the server may take beyond the clip itself, before the call is given up.
_PATIENCE_S = 15.0


async def call(
    port: int,
    clip: Clip,
    on_progress: Callable[[Progress], None],
    background: Sequence[int] = (),
) -> Heard:
    """Say the clip to the server on this port, listen until it hangs up, and note everything.

    Args:
        port: on the loopback interface.
        clip: what is said.
        on_progress: told 20 times a second how far it is.
        background: samples of the sound that the server mixes in, once round.

    Raises:
        TimeoutError: it did not hang up.
        OSError: it did not take the call; or a `websockets.exceptions.InvalidHandshake`.
    """
    with anyio.fail_after(clip.duration_s + _PATIENCE_S):
        # The package's own pings stay out of it: what is timed is the way through the pipeline.
        async with connect(
            f"ws://127.0.0.1:{port}", compression=None, proxy=None, ping_interval=None
        ) as socket:
            caller = _Caller(socket, clip, Room(background))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(caller.speak)
                tasks.start_soon(caller.ping)
                tasks.start_soon(caller.report, on_progress)
                tasks.start_soon(caller.listen)
            return caller.result()


@dataclass
class _Notes:
    sent_s: list[float] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    cleared: list[Cleared] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    pings: int = 0
    round_trips_s: list[tuple[float, float]] = field(default_factory=list)
    messages_sent: int = 0
    messages_received: int = 0
    said_goodbye: bool = False
    hung_up: bool = False  # by the server


class _Caller:
    def __init__(self, socket: ClientConnection, clip: Clip, room: Room) -> None:
        self._socket = socket
        self._clip = clip
        self._serializer = MsgpackFrameSerializer(client=True)
        self._notes = _Notes()
        self._meters = _Meters(clip)
        self._room = room
        self._player = PlayOut(SAMPLE_RATE)
        self._answers = False  # whether the latest audio was a piece of an answer
        self._began_s = anyio.current_time()

    async def speak(self) -> None:
        notes = self._notes
        for number, audio in enumerate(self._clip.messages(), 1):
            # As from a microphone: a message leaves when its last sample has been heard.
            await anyio.sleep(max(0.0, number * MESSAGE_MS / 1000 - self._now_s()))
            now_s = self._now_s()
            if not await self._send(OutputAudioRawFrame(audio, SAMPLE_RATE)):
                return
            notes.sent_s.append(now_s)
            self._meters.said(audio)
        notes.said_goodbye = True
        await self._send(TransportMessageFrame(GOODBYE))

    async def ping(self) -> None:
        notes = self._notes
        while not notes.said_goodbye and await self._send(TransportMessageFrame(self._now_s())):
            notes.pings += 1
            await anyio.sleep(_PING_PERIOD_S)

    async def listen(self) -> None:
        notes = self._notes
        while True:
            try:
                data = await self._socket.recv()
            except ConnectionClosed:
                break
            now_s = self._now_s()
            notes.messages_received += 1
            frame = self._serializer.deserialize(data)
            if isinstance(frame, InputAudioRawFrame):
                self._hear(frame.audio, now_s)
            elif isinstance(frame, InterruptionFrame):
                self._clear(now_s)
            elif isinstance(frame, InputTransportMessageFrame):
                notes.round_trips_s.append((frame.message, now_s - frame.message))
        notes.hung_up = True

    def _hear(self, audio: bytes, now_s: float) -> None:
        notes = self._notes
        notes.audio += audio
        waits_s = max(0.0, self._player.ends_s - now_s)
        self._player.take(len(audio) // 2, now_s)
        answer = self._room.without(audio)
        if answer:
            notes.arrivals.append(Arrival(now_s, answer, 0.0 if self._answers else waits_s))
            self._meters.heard(answer, now_s)
        self._answers = bool(answer)

    def _clear(self, now_s: float) -> None:
        notes = self._notes
        unheard_s = max(0.0, self._player.ends_s - now_s)
        del notes.audio[len(notes.audio) - 2 * round(unheard_s * SAMPLE_RATE) :]
        notes.cleared.append(Cleared(now_s, len(notes.arrivals)))
        self._player.clear(now_s)
        self._meters.clear(now_s)
        self._answers = False

    async def report(self, on_progress: Callable[[Progress], None]) -> None:
        while not self._notes.hung_up:
            on_progress(self._meters.read(self._now_s()))
            await anyio.sleep(_PROGRESS_PERIOD_S)

    def result(self) -> Heard:
        notes = self._notes
        return Heard(
            sent_s=notes.sent_s,
            arrivals=notes.arrivals,
            cleared=notes.cleared,
            audio=bytes(notes.audio),
            pings=notes.pings,
            round_trips_s=notes.round_trips_s,
            messages_sent=notes.messages_sent,
            messages_received=notes.messages_received,
            close_code=self._socket.close_code,
            close_reason=self._socket.close_reason or "",
        )

    async def _send(self, frame: Frame) -> bool:
        data = self._serializer.serialize(frame)
        assert data is not None
        try:
            await self._socket.send(data)
        except ConnectionClosed:
            return False
        self._notes.messages_sent += 1
        return True

    def _now_s(self) -> float:
        return anyio.current_time() - self._began_s


class _Meters:
    """How far the conversation is, and how loud it is."""

    def __init__(self, clip: Clip) -> None:
        self._said_at = [spoken.end for spoken in clip.spoken]
        starts = accumulate((answer.samples for answer in clip.answers()), initial=0)
        self._answered_at = list(starts)[:-1]
        self._said = 0
        self._heard = 0
        self._loudest = 0.0  # of what was said since the last look
        self._player = PlayOut(SAMPLE_RATE)
        self._to_play: deque[tuple[float, float]] = deque()  # when it is heard, and how loud

    def said(self, audio: bytes) -> None:
        self._said += len(audio) // 2
        self._loudest = max(self._loudest, rms(audio))

    def heard(self, audio: bytes, now_s: float) -> None:
        samples = len(audio) // 2
        self._heard += samples
        self._to_play.append((self._player.take(samples, now_s), rms(audio)))

    def clear(self, now_s: float) -> None:
        self._player.clear(now_s)
        while self._to_play and self._to_play[-1][0] >= now_s:
            self._to_play.pop()
        if self._heard not in self._answered_at:  # the rest of this answer will not come
            later = bisect_left(self._answered_at, self._heard)
            self._heard = [*self._answered_at, self._heard][later]

    def read(self, now_s: float) -> Progress:
        level_in, self._loudest = self._loudest, 0.0
        level_out = 0.0
        while self._to_play and self._to_play[0][0] <= now_s:
            level_out = max(level_out, self._to_play.popleft()[1])
        return Progress(
            at_s=now_s,
            said=bisect_left(self._said_at, self._said + 1),
            answered=bisect_left(self._answered_at, self._heard),
            level_in=level_in,
            level_out=level_out,
        )


if __name__ == "__main__":
    clip = recorded_clip(int(sys.argv[2]))
    tell(anyio.run(call, int(sys.argv[1]), clip, tell, room_samples()))
