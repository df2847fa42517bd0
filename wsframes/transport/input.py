"""The upstream end of the pipeline: frames from the peer."""

import logging
from collections import Counter

import anyio
import anyio.lowlevel
import msgspec

from wsframes.exceptions import DecodeError
from wsframes.frames import (
    EmulateUserStartedSpeakingFrame,
    EmulateUserStoppedSpeakingFrame,
    EndFrame,
    ErrorFrame,
    FilterEnableFrame,
    FilterUpdateSettingsFrame,
    Frame,
    FrameDirection,
    InputAudioRawFrame,
    InputImageRawFrame,
    StartFrame,
    StopFrame,
    VADParamsUpdateFrame,
)
from wsframes.frames.codec import MAX_AUDIO_S, MIN_SAMPLE_RATE, audio_problem
from wsframes.graph.failures import clip, describe
from wsframes.graph.outcome import EndReason
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.admission.limits import BadMessages, RateLimit
from wsframes.transport.audio_intake import AudioIntake
from wsframes.transport.base import BaseTransport, Remains, Shared
from wsframes.transport.client import WebsocketClient
from wsframes.transport.hearing.chain import hearing_of
from wsframes.transport.hearing.turn_telling import TurnTelling
from wsframes.transport.hearing.user_turn import Signal
from wsframes.transport.params import WebsocketParams
from wsframes.transport.tasks.shortcut import Shortcut
from wsframes.transport.video.intake import decoded

__all__ = ["InputStatistics", "WebsocketInputTransport"]

logger = logging.getLogger("wsframes.transport")

_POLICY_VIOLATION = 1008
_TOO_BIG = 1009

# A server that has messages ready hands them over without letting others run.
_MESSAGES_PER_CHECKPOINT = 32

# Within the limit at any rate that is allowed: so no short message is looked at more closely.
_SURELY_SHORT_BYTES = MAX_AUDIO_S * 2 * MIN_SAMPLE_RATE


class InputStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the peer's messages: taken = delivered + ignored + dropped + waiting.

    Attributes:
        taken: messages.
        delivered: whose frame went downstream, or whose audio waits for the rest of its sample.
        ignored: that the serializer had no frame for.
        dropped: by reason.
        waiting: whose audio is still to be heard, or that came after it.
        odd_bytes: of audio, in no other count: the rest of their sample never came.
        throttled: how often the peer had sent faster than the limits allow.
        throttled_s: how long it was not read for that, in seconds.
    """

    taken: int
    delivered: int
    ignored: int
    dropped: dict[str, int]
    waiting: int
    odd_bytes: int
    throttled: int
    throttled_s: float


class WebsocketInputTransport(FrameProcessor):
    """Reads messages, from the start until the run is over, and pushes their frames downstream.

    It reads no faster than the pipeline takes, nor than the limits of the params allow: while a
    lane that it reaches is full, whatever the frame, it waits, and so in the end does the peer.
    That the peer has left is then noticed when the pipeline goes on, or by a write. After an
    EndFrame it goes on reading, so that a peer that leaves or interrupts while the last words are
    played is noticed; media is refused then.

    Audio may be cut into messages anywhere, within a sample too. Rates and channels other than
    those of the session are converted.

    Args:
        transport: what it is a part of.
        client: the connection.
        params: of the transport.
        name: for logs and statistics.
    """

    def __init__(
        self,
        transport: BaseTransport,
        client: WebsocketClient,
        params: WebsocketParams,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._transport: Shared = transport
        self._client = client
        self._params = params
        self._intake = AudioIntake(params.audio_in_channels, params.audio_in_sample_rate)
        self._bad = BadMessages(params.max_bad_messages)
        self._limit = RateLimit(params.max_messages_per_s, params.max_bytes_per_s)
        self._tally = _Tally()
        self._telling = TurnTelling(self, params.user_turn_stop_timeout)
        self._hearing = hearing_of(self, params, self._telling)
        self._pass = self.push_frame_nowait if self._hearing is None else self._hearing.take
        self._audio_unwanted = self._reason_to_drop_audio(params.audio_in_stream_on_start)

    def start(self, frame: StartFrame) -> None:
        """Open the connection and begin to read, in the background."""
        self._intake.begin(self._params.audio_in_sample_rate or frame.audio_in_sample_rate)
        self._telling.begin(self._wired().context, frame)
        if self._hearing is not None:
            self._hearing.begin()
        self.start_soon(self._run, frame, name=f"{self.name} reader")

    def stop(self, frame: EndFrame) -> None:
        """Go on reading, until what is queued has been sent and played."""
        self._deliver_rest()
        self._telling.give_up()
        self._transport.lifetime.watch_end()

    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Do what frames ask for that are about hearing the user; everything goes on."""
        if isinstance(frame, EmulateUserStartedSpeakingFrame):
            self._telling.signal(Signal.EMULATED_START, emulated=True)
        elif isinstance(frame, EmulateUserStoppedSpeakingFrame):
            self._telling.signal(Signal.EMULATED_STOP, emulated=True)
        elif isinstance(frame, StopFrame):
            self._telling.give_up()
        elif self._hearing is not None:
            if isinstance(frame, VADParamsUpdateFrame):
                self._hearing.update(frame.params)
            elif isinstance(frame, FilterUpdateSettingsFrame | FilterEnableFrame):
                self._hearing.control(frame)
        self.push_frame_nowait(frame, direction)

    async def cleanup(self) -> None:
        """Let go of the connection."""
        if isinstance(self._transport, Remains):
            return  # it has done so
        self._intake.cut()
        if self._hearing is not None:
            await self._hearing.close()
        context = self._node.context if self._node is not None else None
        await self._transport.lifetime.close(self, context)
        self._let_go()

    def _let_go(self) -> None:
        """Hold on to nobody who holds this; see `Node.let_go`."""
        self._transport = Remains(self._transport)
        self._telling.let_go()
        if self._hearing is not None:
            self._hearing.let_go()
        del self._pass, self._telling

    def start_audio_in_streaming(self) -> None:
        """Let audio through from now on, where `audio_in_stream_on_start` is off."""
        self._audio_unwanted = self._reason_to_drop_audio(streaming=True)

    @property
    def dropped(self) -> Counter[str]:
        """Messages whose frame did not go downstream, by reason."""
        return self._tally.dropped

    def statistics(self) -> InputStatistics:
        """What has become of the peer's messages."""
        dropped, waiting, unheard = self.dropped, 0, 0
        if self._hearing is not None:
            line = self._hearing.line
            lost = line.counts.dropped
            dropped, waiting = dropped + lost, line.waiting
            unheard = waiting + lost.total()
        return InputStatistics(
            taken=self._tally.taken,
            delivered=self._tally.delivered - unheard,
            ignored=self._tally.ignored,
            dropped=dict(dropped),
            waiting=waiting,
            odd_bytes=self._intake.odd_bytes,
            throttled=self._tally.throttled,
            throttled_s=self._tally.throttled_s,
        )

    async def _run(self, start: StartFrame) -> None:
        try:
            await self._transport.lifetime.open(self, self._wired().context, start)
            if self._hearing is not None:
                await self._hearing.prepare()
        except Exception as exc:
            self._cannot_read(exc)
        else:
            await self._read(self._transport.shortcut)

    async def _read(self, shortcut: Shortcut | None) -> None:
        """Read until the connection is over, or until another task does.

        Args:
            shortcut: where senders ask this task to send; None: they use their own.
        """
        try:
            await self._read_messages(shortcut)
        except Exception as exc:  # a session must not live on without its reader
            self._cannot_read(exc)

    async def _read_messages(self, shortcut: Shortcut | None) -> None:
        tally, limit, wire, deliver = self._tally, self._limit, self._transport.wire, self._deliver
        dispatcher = self._wired().dispatcher
        line = None if self._hearing is None else self._hearing.line
        max_bytes = self._params.max_message_bytes
        decode, decodes_nowait = wire.decode, wire.deserializes_nowait
        takes_images = self._params.video_in_enabled
        async for data in self._client.receive():
            tally.taken += 1
            if (size := len(data) if isinstance(data, bytes) else _size(data)) > max_bytes:
                self._drop("too_big")
                error = f"a message of {size} bytes"
                self.end_run(EndReason.BAD_INPUT, close_code=_TOO_BIG, error=error)
                return
            if not wire.is_open:
                self._drop("no_serializer")
            else:
                try:
                    if decodes_nowait:
                        frame = decode(data)
                        if type(frame) is not InputAudioRawFrame:
                            frame = wire.frame(frame)
                    else:
                        frame = await wire.deserialize(data)
                    if takes_images and isinstance(frame, InputImageRawFrame):
                        frame = await decoded(wire, frame)
                except Exception as exc:  # a DecodeError, or a serializer that breaks its word
                    self._bad_message(exc)
                except BaseException:
                    self.dropped["cancelled"] += 1
                    raise
                else:
                    if shortcut is None:
                        deliver(frame)
                    else:
                        shortcut.is_open = True
                        try:
                            deliver(frame)
                        finally:
                            shortcut.is_open = False
                        if shortcut.asked and not await shortcut.send(self._read_on):
                            return
            # Whatever the frame was: nobody but the peer waits for the one who waits here.
            for lane in dispatcher.congested:
                await lane.wait_for_room()
            if line is not None and line.is_full:
                await line.wait_for_room()
            if limit.is_overdrawn_by(size) and not await self._may_go_on():
                return
            if tally.taken % _MESSAGES_PER_CHECKPOINT == 0:
                await anyio.lowlevel.checkpoint()
        self._deliver_rest()

    async def _may_go_on(self) -> bool:
        """Hold a peer that sends too fast to the rates that are allowed; False: the end of it."""
        wait_s = self._limit.wait_s(anyio.current_time())
        if not wait_s:
            return True
        tally = self._tally
        tally.throttled += 1
        if tally.throttled == 1:
            logger.warning("%s: the peer sends faster than it may", self.name)
        if self._params.flood_policy == "close":
            error = "the peer sends faster than it may"
            self.end_run(EndReason.BAD_INPUT, close_code=_POLICY_VIOLATION, error=error)
            return False
        tally.throttled_s += wait_s
        await anyio.sleep(wait_s)
        return True

    def _read_on(self) -> None:
        self.start_soon(self._read, None, name=f"{self.name} reader")

    def _cannot_read(self, exc: Exception) -> None:
        self.push_error(f"{self.name} cannot read: {exc!r}", exception=exc, fatal=True)

    def _deliver(self, frame: Frame | None) -> None:
        if isinstance(frame, InputAudioRawFrame):
            if (reason := self._audio_unwanted) is None:
                self._deliver_audio(frame)
            else:
                self._drop(reason)
        elif frame is None:
            self._tally.ignored += 1
        elif (reason := self._reason_to_drop(frame)) is not None:
            self._drop(reason)
        else:
            self._tally.delivered += 1
            self._pass(frame)

    def _deliver_audio(self, frame: InputAudioRawFrame) -> None:
        try:
            if len(frame.audio) > _SURELY_SHORT_BYTES:
                _check_length(frame)
            audio = self._intake.take(frame)
        except ValueError as exc:
            if not self.dropped["unusable_audio"]:  # once: what comes so, comes so often
                text = f"{self.name} cannot use {frame.name}, and will drop all like it: {exc}"
                self.push_error(text, exception=exc)
            self.dropped["unusable_audio"] += 1
            return
        self._tally.delivered += 1
        if not audio:
            return  # less than a sample: it comes with the next message
        intake = self._intake
        if audio is not frame.audio or frame.num_channels != intake.num_channels:
            frame = frame.replace(
                audio=audio, num_channels=intake.num_channels, sample_rate=intake.rate_given
            )
        self._pass(frame)

    def _deliver_rest(self) -> None:
        """No more audio will come: push what is left in the resampler."""
        intake = self._intake
        audio, rate = intake.rest(), intake.sample_rate
        if audio and rate is not None and self._params.audio_in_passthrough:
            self._pass(InputAudioRawFrame(audio, rate, intake.num_channels))

    def _reason_to_drop_audio(self, streaming: bool) -> str | None:
        params = self._params
        if not params.audio_in_enabled:
            return "audio_in_disabled"
        if not streaming:
            return "not_streaming"
        if not params.audio_in_passthrough and self._hearing is None:
            return "no_passthrough"
        return None

    def _reason_to_drop(self, frame: Frame) -> str | None:
        if frame.lifecycle:
            # Whatever a serializer makes of it: a peer ends nothing but its own connection.
            return "lifecycle"
        if isinstance(frame, InputImageRawFrame) and not self._params.video_in_enabled:
            return "video_in_disabled"
        return None

    def _bad_message(self, exc: Exception) -> None:
        self.dropped["bad_message"] += 1
        text = f"{self.name}: a message cannot be decoded: {_brief(exc)}"
        self._wired().context.failures.error(f"{self.name}: bad messages", text)
        error = ErrorFrame(text, processor=self.name, exception=exc)
        self.push_frame_nowait(error, FrameDirection.UPSTREAM)
        if self._bad.is_too_much(anyio.current_time()):
            too_many = f"{self._params.max_bad_messages} messages that cannot be decoded"
            self.end_run(EndReason.BAD_INPUT, error=too_many)

    def _drop(self, reason: str) -> None:
        self.dropped[reason] += 1
        if self.dropped[reason] == 1:
            logger.warning("%s drops what the peer sends: %s", self.name, reason)


class _Tally:
    __slots__ = ("delivered", "dropped", "ignored", "taken", "throttled", "throttled_s")

    def __init__(self) -> None:
        self.taken = 0
        self.delivered = 0
        self.ignored = 0
        self.dropped: Counter[str] = Counter()
        self.throttled = 0
        self.throttled_s = 0.0


def _check_length(frame: InputAudioRawFrame) -> None:
    problem = audio_problem(len(frame.audio), frame.sample_rate, frame.num_channels)
    if problem is not None:
        raise ValueError(problem)


def _size(data: str | bytes) -> int:
    """Bytes on the wire."""
    if isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode(errors="replace"))


def _brief(exc: Exception) -> str:
    if not isinstance(exc, DecodeError):
        return describe(exc)
    return clip(str(exc))
