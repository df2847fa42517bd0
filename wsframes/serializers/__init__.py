"""Messages from frames, and frames from messages."""

from wsframes.serializers.base import (
    FrameSerializer,
    FrameSerializerType,
    SerializerSettings,
    VideoDecoder,
    VideoEncoder,
)
from wsframes.serializers.json import JsonFrameSerializer
from wsframes.serializers.msgpack import MsgpackFrameSerializer
from wsframes.serializers.raw import RawAudioSerializer
from wsframes.serializers.twilio import TwilioFrameSerializer

__all__ = [
    "FrameSerializer",
    "FrameSerializerType",
    "JsonFrameSerializer",
    "MsgpackFrameSerializer",
    "RawAudioSerializer",
    "SerializerSettings",
    "TwilioFrameSerializer",
    "VideoDecoder",
    "VideoEncoder",
]
