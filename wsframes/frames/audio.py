"""Sound. PCM is signed 16-bit little-endian, channels interleaved.

Settings survive an interruption: barge-in silences the bot, it does not undo what was asked for.
"""

from typing import ClassVar

from wsframes.frames.base import (
    ControlFrame,
    DataFrame,
    Frame,
    SystemFrame,
    UninterruptibleFrame,
)

__all__ = [
    "AudioRawFrame",
    "FilterEnableFrame",
    "FilterUpdateSettingsFrame",
    "InputAudioRawFrame",
    "MixerEnableFrame",
    "MixerUpdateSettingsFrame",
    "OutputAudioRawFrame",
    "TTSAudioRawFrame",
]


class AudioRawFrame(Frame):
    """A piece of PCM; the base of the audio frames.

    Attributes:
        audio: the samples, as bytes; whole frames of `2 * num_channels` bytes.
        sample_rate: Hz.
        num_channels: interleaved channels.
    """

    audio: bytes
    sample_rate: int
    num_channels: int = 1

    @property
    def num_frames(self) -> int:
        """Samples per channel."""
        return len(self.audio) // (2 * self.num_channels)

    @property
    def payload_bytes(self) -> int:
        return len(self.audio)


class InputAudioRawFrame(AudioRawFrame, SystemFrame):
    """Audio from the peer."""

    input_media: ClassVar[bool] = True


class OutputAudioRawFrame(AudioRawFrame, DataFrame):
    """Audio for the peer."""


class TTSAudioRawFrame(OutputAudioRawFrame):
    """Audio for the peer that a speech synthesizer made."""


class FilterUpdateSettingsFrame(ControlFrame, UninterruptibleFrame):
    """New settings for the input audio filter."""

    settings: dict[str, object]


class FilterEnableFrame(ControlFrame, UninterruptibleFrame):
    """Turns the input audio filter on or off."""

    enable: bool


class MixerUpdateSettingsFrame(ControlFrame, UninterruptibleFrame):
    """New settings for the output mixer."""

    settings: dict[str, object]


class MixerEnableFrame(ControlFrame, UninterruptibleFrame):
    """Turns the output mixer on or off."""

    enable: bool
