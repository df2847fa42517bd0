"""Bare PCM: a binary message is audio and nothing else."""

from wsframes.exceptions import DecodeError, EncodeError
from wsframes.frames import (
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    TransportMessageFrame,
    TransportMessageUrgentFrame,
)
from wsframes.frames.codec import audio_problem, decode_message, encode_message
from wsframes.frames.shapes import MAX_AUDIO_S
from wsframes.serializers.base import FrameSerializer, FrameSerializerType

__all__ = ["RawAudioSerializer"]


class RawAudioSerializer(FrameSerializer):
    """Binary messages are signed 16-bit little-endian PCM, text messages an application's JSON.

    The audio has no header, so both ends have to know its rate and channels beforehand. The text
    of a `TransportMessageFrame` is its message alone; `InputTransportMessageFrame` likewise. Other
    frames do not cross. Keeps nothing: may be shared.

    Args:
        sample_rate: Hz of the audio both ways.
        num_channels: interleaved channels of the audio both ways.
        interruption: the text message that tells the peer to clear its playback; None to tell it
            nothing.

    Raises:
        ValueError: the rate is not 8000 to 192000, or the channels are not 1 to 8.
    """

    type = FrameSerializerType.BINARY

    def __init__(
        self,
        sample_rate: int = 16000,
        num_channels: int = 1,
        *,
        interruption: str | None = '{"type":"interruption"}',
    ) -> None:
        problem = audio_problem(0, sample_rate, num_channels)
        if problem is not None:
            raise ValueError(problem)
        self._sample_rate = self.audio_sample_rate = sample_rate
        self._num_channels = num_channels
        self._interruption = interruption
        self._max_bytes = MAX_AUDIO_S * 2 * num_channels * sample_rate

    def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            if (frame.sample_rate, frame.num_channels) != (self._sample_rate, self._num_channels):
                raise EncodeError(
                    f"{frame.name} has {frame.sample_rate} Hz and {frame.num_channels} channel(s), "
                    f"but this wire of bare PCM has {self._sample_rate} Hz and "
                    f"{self._num_channels}: set audio_out_sample_rate and audio_out_channels, or "
                    f"the serializer's sample_rate and num_channels"
                )
            return frame.audio
        if isinstance(frame, InterruptionFrame):
            return self._interruption
        if isinstance(frame, TransportMessageFrame | TransportMessageUrgentFrame):
            return encode_message(frame.message)
        return None

    def deserialize(self, data: str | bytes) -> Frame:
        if isinstance(data, str):
            return InputTransportMessageFrame(decode_message(data))
        if len(data) > self._max_bytes:
            problem = audio_problem(len(data), self._sample_rate, self._num_channels)
            assert problem is not None
            raise DecodeError(problem)
        return InputAudioRawFrame(data, self._sample_rate, self._num_channels)
