"""The parameters of the transport, and what it calls back."""

import inspect
import sys
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from starlette.websockets import WebSocket

from wsframes.audio import BaseAudioFilter, BaseAudioMixer
from wsframes.frames.codec import MAX_AUDIO_S, MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from wsframes.frames.shapes import MAX_IMAGE_SIDE, PIXEL_BYTES
from wsframes.serializers import FrameSerializer
from wsframes.turn import BaseTurnAnalyzer
from wsframes.vad import VADAnalyzer

__all__ = ["TransportParams", "WebsocketCallbacks", "WebsocketParams"]

_CAMERA = "camera_"
_VIDEO = "video_"
_TURNS_ON = {"vad_enabled": "audio_in_enabled", "vad_audio_passthrough": "audio_in_passthrough"}

_Analyzer = TypeVar("_Analyzer", VADAnalyzer, BaseTurnAnalyzer, None)

_SampleRate = Annotated[int, Field(ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE)]
_Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
_Positive = Annotated[int, Field(ge=1)]
_Side = Annotated[int, Field(ge=1, le=MAX_IMAGE_SIDE)]
_Framerate = Annotated[int, Field(ge=1, le=240)]


class TransportParams(BaseModel):
    """What any transport of media can be told. Keyword-only; unknown names are refused.

    Attributes:
        audio_in_enabled: off, audio from the peer is dropped and counted.
        audio_in_sample_rate: Hz; audio at another rate is resampled (extra `audio`). None: that of
            the StartFrame, or, if that says none either, that of the audio.
        audio_in_channels: channels; audio with another number of them is mixed to it.
        audio_in_stream_on_start: False: audio from the peer is dropped and counted until
            `WebsocketInputTransport.start_audio_in_streaming` is called.
        audio_in_passthrough: False: audio from the peer goes to the analyzers, and not downstream.
        audio_out_enabled: off, audio for the peer is dropped and counted.
        audio_out_sample_rate: Hz; audio at another rate is resampled (extra `audio`). None: that of
            the StartFrame, or, if that says none either, that of the audio.
        audio_out_channels: channels; audio with another number of them is mixed to it.
        audio_out_bitrate: bits/s; of each stream of audio, for a serializer that encodes it.
        audio_out_10ms_chunks: 10 ms; length of the chunks that are sent. The last chunk of an
            utterance may be shorter.
        audio_out_mixer: adds background to the default destination; or a mapping with a mixer for
            each destination that is to have one, None for the default one. One for each session. It
            needs a rate, here or in the StartFrame.
        audio_out_destinations: names of further streams of audio; `frame.transport_destination`
            picks one.
        video_in_enabled: off, images from the peer are dropped and counted.
        video_out_enabled: off, images for the peer are dropped and counted. On: they are sent in
            one size, one format and at one rate (extra `video`).
        video_out_is_live: on, each image is sent once, at its moment, and one that the peer was too
            slow for is dropped and counted. Off: the last image, or the cycle of a sprite, is
            repeated at the rate.
        video_out_width: pixels; images of another size are stretched to it.
        video_out_height: pixels; images of another size are stretched to it.
        video_out_bitrate: bits/s; of each stream of images, for a serializer that encodes them:
            over any ten seconds the mean is under it, by their quality, and where the lowest is not
            enough, by leaving images out.
        video_out_framerate: images/s; how often a picture is sent; live ones, at most so often.
        video_out_color_format: a Pillow mode; images in another one are converted to it.
        video_out_destinations: names of further streams of images; `frame.transport_destination`
            picks one.
        audio_in_filter: changes the audio from the peer before anything else hears it. One for each
            session.
        vad_analyzer: hears in the audio from the peer whether the user speaks. One for each
            session. Audio goes through it to the turn analyzer and downstream.
        turn_analyzer: decides, when the user no longer speaks, whether the turn is over; None: it
            is. One for each session; it needs a `vad_analyzer`.

    The parameters named `camera_...` are deprecated and set those named `video_...`; `vad_enabled`
    and `vad_audio_passthrough`, deprecated too, turn on `audio_in_enabled` and
    `audio_in_passthrough`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    camera_in_enabled: bool = False
    camera_out_enabled: bool = False
    camera_out_is_live: bool = False
    camera_out_width: _Side = 1024
    camera_out_height: _Side = 768
    camera_out_bitrate: _Positive = 800000
    camera_out_framerate: _Framerate = 30
    camera_out_color_format: str = "RGB"
    audio_out_enabled: bool = False
    audio_out_sample_rate: _SampleRate | None = None
    audio_out_channels: _Channels = 1
    audio_out_bitrate: _Positive = 96000
    audio_out_10ms_chunks: int = Field(default=4, ge=1, le=MAX_AUDIO_S * 100)
    audio_out_mixer: BaseAudioMixer | Mapping[str | None, BaseAudioMixer] | None = None
    audio_out_destinations: list[str] = Field(default_factory=list)
    audio_in_enabled: bool = False
    audio_in_sample_rate: _SampleRate | None = None
    audio_in_channels: _Channels = 1
    audio_in_filter: BaseAudioFilter | None = None
    audio_in_stream_on_start: bool = True
    audio_in_passthrough: bool = True
    video_in_enabled: bool = False
    video_out_enabled: bool = False
    video_out_is_live: bool = False
    video_out_width: _Side = 1024
    video_out_height: _Side = 768
    video_out_bitrate: _Positive = 800000
    video_out_framerate: _Framerate = 30
    video_out_color_format: str = "RGB"
    video_out_destinations: list[str] = Field(default_factory=list)
    vad_enabled: bool = False
    vad_audio_passthrough: bool = False
    vad_analyzer: VADAnalyzer | None = None
    turn_analyzer: BaseTurnAnalyzer | None = None

    @field_validator("video_out_color_format", "camera_out_color_format")
    @classmethod
    def _refuse_unknown_formats(cls, name: str) -> str:
        if name not in PIXEL_BYTES:
            raise ValueError(f"a format is one of {', '.join(PIXEL_BYTES)}")
        return name

    @field_validator("vad_analyzer", "turn_analyzer")
    @classmethod
    def _refuse_what_nobody_awaits(cls, analyzer: _Analyzer) -> _Analyzer:
        base = BaseTurnAnalyzer if isinstance(analyzer, BaseTurnAnalyzer) else VADAnalyzer
        for name in sorted(vars(base).keys() - {"analyze_end_of_turn"}):
            if inspect.iscoroutinefunction(getattr(type(analyzer), name, None)):
                raise ValueError(
                    f"{type(analyzer).__name__}.{name} is called without an await: it has to be a "
                    "`def`, not an `async def`"
                )
        return analyzer

    @field_validator("audio_out_destinations", "video_out_destinations")
    @classmethod
    def _refuse_repeated_names(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names) or "" in names:
            raise ValueError("each destination needs a name of its own")
        return names

    @model_validator(mode="after")
    def _refuse_mixers_of_nobody(self) -> Self:
        mixers = self.audio_out_mixer
        if isinstance(mixers, Mapping):
            for name in mixers:
                if name is not None and name not in self.audio_out_destinations:
                    raise ValueError(f"audio_out_mixer: {name!r} is not in audio_out_destinations")
            if len(set(map(id, mixers.values()))) < len(mixers):
                raise ValueError("audio_out_mixer: each destination needs a mixer of its own")
        return self

    @model_validator(mode="after")
    def _refuse_a_turn_without_voice(self) -> Self:
        if self.turn_analyzer is not None and self.vad_analyzer is None:
            raise ValueError(
                "turn_analyzer is only asked when a vad_analyzer hears silence: set both"
            )
        return self

    @model_validator(mode="after")
    def _carry_over(self) -> Self:
        """Let each deprecated name that is set set the name that took its place."""
        # Those that were set by the caller: setting an attribute below adds to the set.
        given = frozenset(self.model_fields_set)
        for name in sorted(given):
            value = getattr(self, name)
            new = _VIDEO + name.removeprefix(_CAMERA) if name.startswith(_CAMERA) else name
            if new != name:
                if new in given and getattr(self, new) != value:
                    raise ValueError(f"{name} and {new} are set to different values")
                _warn(name, new)
                setattr(self, new, value)
            elif name in _TURNS_ON:
                _warn(name, _TURNS_ON[name])
                if value:
                    setattr(self, _TURNS_ON[name], True)
        return self


class WebsocketParams(TransportParams):
    """What a websocket transport can be told, beyond `TransportParams`.

    Attributes:
        add_wav_header: each chunk of audio is sent as a complete WAV file.
        serializer: turns frames into messages and back; None: messages are read and dropped.
        session_timeout: s; from the start on, then `on_session_timeout` is told. None: never.
        end_on_session_timeout: the session ends at its timeout. Off: that is told, and no more.
        end_on_disconnect: the session ends when the peer is gone. Off: that is told, and no more.
        audio_out_lead_ms: ms; how far ahead of its playing audio is sent: the peer's cushion.
        audio_out_queue_ms: ms; how much audio may wait for its time, a chunk in any case. Beyond
            it, producers wait.
        write_timeout: s; one message may take this long, and a second more for each 64 KiB. A peer
            that takes longer is slow and the session ends (1013).
        close_timeout: s; how long closing the socket may take.
        max_message_bytes: bytes; a larger message ends the session (1009).
        max_bad_messages: messages; so many within ten seconds that cannot be decoded end the
            session (1007).
        max_messages_per_s: messages/s; sustained. After a quiet time two seconds' worth may come at
            once. None: any number.
        max_bytes_per_s: bytes/s; likewise, of what is in the messages.
        flood_policy: what becomes of a peer that sends faster. "wait": it is read no faster, so
            that its own sends wait, and nothing is lost. "close": the session ends (1008).
        user_turn_stop_timeout: s; the user's turn is over so long after the user was heard last, if
            the turn analyzer has not said so; and so long after an
            `EmulateUserStartedSpeakingFrame` that nothing follows.
        receive_timeout: s; without a message from the peer for so long, or an eighth longer, the
            session ends with `idle_timeout`. Pings, which servers see to, are no messages.
            None: never.
    """

    add_wav_header: bool = False
    serializer: FrameSerializer | None = None
    session_timeout: float | None = Field(default=None, gt=0)
    end_on_session_timeout: bool = True
    end_on_disconnect: bool = True
    audio_out_lead_ms: int = Field(default=200, ge=0)
    audio_out_queue_ms: int = Field(default=5000, ge=100)
    write_timeout: float = Field(default=5.0, gt=0)
    close_timeout: float = Field(default=0.5, gt=0)
    max_message_bytes: int = Field(default=1 << 20, ge=1)
    max_bad_messages: int = Field(default=10, ge=1)
    max_messages_per_s: float | None = Field(default=500, gt=0)
    max_bytes_per_s: float | None = Field(default=1 << 20, gt=0)
    flood_policy: Literal["wait", "close"] = "wait"
    receive_timeout: float | None = Field(default=None, gt=0)
    user_turn_stop_timeout: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _refuse_wav_of_no_pcm(self) -> Self:
        if self.add_wav_header and self.serializer is not None and self.serializer.encodes_audio:
            name = type(self.serializer).__name__
            raise ValueError(f"add_wav_header: {name} encodes the audio, and a WAV file is PCM")
        return self


SocketCallback = Callable[[WebSocket], Awaitable[None]]


class WebsocketCallbacks(BaseModel):
    """What the client calls; each is awaited with the websocket.

    Attributes:
        on_client_connected: the connection is open.
        on_client_disconnected: the peer has closed it, or it was lost. Not told when this side
            closes it.
        on_session_timeout: the session has had its time.
    """

    model_config = ConfigDict(extra="forbid")

    on_client_connected: SocketCallback
    on_client_disconnected: SocketCallback
    on_session_timeout: SocketCallback


def _warn(old: str, new: str) -> None:
    """Warn of a deprecated name at the line that has set it."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    text = f"{old} is deprecated: set {new} instead"
    warnings.warn(text, DeprecationWarning, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module == __name__ or module.partition(".")[0] == "pydantic"
