"""The parameters of the transport, and what it calls back."""

import warnings
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.websockets import WebSocket

from wsframes.serializers import FrameSerializer

__all__ = ["TransportParams", "WebsocketCallbacks", "WebsocketParams"]

# What has a name already and no machinery yet.
_NOT_BUILT = {
    "audio_in_filter": "input audio filters",
    "audio_out_mixer": "mixers",
    "audio_out_bitrate": "encoded audio",
    "vad_analyzer": "voice activity detection",
    "turn_analyzer": "turn analysis",
    "video_out_enabled": "video output",
    "video_out_is_live": "video output",
    "video_out_width": "video output",
    "video_out_height": "video output",
    "video_out_bitrate": "video output",
    "video_out_framerate": "video output",
    "video_out_color_format": "video output",
    "video_out_destinations": "video output",
}

_CAMERA = "camera_"
_VIDEO = "video_"
_TURNS_ON = {"vad_enabled": "audio_in_enabled", "vad_audio_passthrough": "audio_in_passthrough"}


class TransportParams(BaseModel):
    """What any transport of media can be told. Keyword-only; unknown names are refused.

    Attributes:
        audio_in_enabled: off, audio from the peer is dropped and counted.
        audio_in_sample_rate: Hz; None: that of the StartFrame.
        audio_in_channels: audio with another number of channels is mixed to it.
        audio_in_stream_on_start: False: audio from the peer is dropped and counted until
            `WebsocketInputTransport.start_audio_in_streaming` is called.
        audio_in_passthrough: False: audio from the peer does not go downstream.
        audio_out_enabled: off, audio for the peer is dropped and counted.
        audio_out_sample_rate: Hz; None: that of the StartFrame, or, if that says none either, that
            of the audio.
        audio_out_channels: audio with another number of channels is mixed to it.
        audio_out_10ms_chunks: length of the chunks that are sent, in units of 10 ms. The last
            chunk of an utterance may be shorter.
        audio_out_destinations: names of further streams of audio; `frame.transport_destination`
            picks one.
        video_in_enabled: off, images from the peer are dropped and counted.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    camera_in_enabled: bool = False
    camera_out_enabled: bool = False
    camera_out_is_live: bool = False
    camera_out_width: int = Field(default=1024, ge=1)
    camera_out_height: int = Field(default=768, ge=1)
    camera_out_bitrate: int = Field(default=800000, ge=1)
    camera_out_framerate: int = Field(default=30, ge=1)
    camera_out_color_format: str = "RGB"
    audio_out_enabled: bool = False
    audio_out_sample_rate: int | None = Field(default=None, ge=8000, le=192000)
    audio_out_channels: int = Field(default=1, ge=1, le=8)
    audio_out_bitrate: int = Field(default=96000, ge=1)
    audio_out_10ms_chunks: int = Field(default=4, ge=1)
    audio_out_mixer: Any = None
    audio_out_destinations: list[str] = Field(default_factory=list)
    audio_in_enabled: bool = False
    audio_in_sample_rate: int | None = Field(default=None, ge=8000, le=192000)
    audio_in_channels: int = Field(default=1, ge=1, le=8)
    audio_in_filter: Any = None
    audio_in_stream_on_start: bool = True
    audio_in_passthrough: bool = True
    video_in_enabled: bool = False
    video_out_enabled: bool = False
    video_out_is_live: bool = False
    video_out_width: int = Field(default=1024, ge=1)
    video_out_height: int = Field(default=768, ge=1)
    video_out_bitrate: int = Field(default=800000, ge=1)
    video_out_framerate: int = Field(default=30, ge=1)
    video_out_color_format: str = "RGB"
    video_out_destinations: list[str] = Field(default_factory=list)
    vad_enabled: bool = False
    vad_audio_passthrough: bool = False
    vad_analyzer: Any = None
    turn_analyzer: Any = None

    _deprecated: ClassVar[str] = "{old} is deprecated: set {new} instead"

    @model_validator(mode="before")
    @classmethod
    def _carry_over(cls, values: Any) -> Any:
        """Let each deprecated name that is set set the name that took its place."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        for old in [name for name in values if name.startswith(_CAMERA)]:
            new = _VIDEO + old.removeprefix(_CAMERA)
            if new not in cls.model_fields:
                continue  # refused below, as an unknown name
            cls._warn(old, new)
            if values.setdefault(new, values[old]) != values[old]:
                raise ValueError(f"{old} and {new} are set to different values")
        for old, new in _TURNS_ON.items():
            if old in values:
                cls._warn(old, new)
                if values[old]:
                    values[new] = True
        return values

    @model_validator(mode="after")
    def _refuse_what_is_not_built(self) -> Self:
        for name in sorted(self.model_fields_set & _NOT_BUILT.keys()):
            if getattr(self, name) != type(self).model_fields[name].get_default(
                call_default_factory=True
            ):
                raise ValueError(f"{name}: {_NOT_BUILT[name]} cannot be used in this version yet")
        return self

    @classmethod
    def _warn(cls, old: str, new: str) -> None:
        warnings.warn(cls._deprecated.format(old=old, new=new), DeprecationWarning, stacklevel=5)


class WebsocketParams(TransportParams):
    """What a websocket transport can be told, beyond `TransportParams`. Times in seconds.

    Attributes:
        add_wav_header: send each chunk of audio as a complete WAV file.
        serializer: turns frames into messages and back; None: messages are read and dropped.
        session_timeout: from the start on; then `on_session_timeout` is told.
        end_on_session_timeout: and the session ends.
        end_on_disconnect: the session ends when the peer is gone.
        audio_out_lead_ms: how far ahead of its playing audio is sent: the peer's cushion.
        audio_out_queue_ms: how much audio may wait for its time; beyond it, producers wait.
        write_timeout: one message may take this long, and a second for each 64 KiB; a peer that
            takes longer is slow and the session ends.
        close_timeout: how long closing the socket may take.
        max_message_bytes: a larger message ends the session (close code 1009).
        max_bad_messages: so many messages within ten seconds that cannot be decoded end the
            session (close code 1007).
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
