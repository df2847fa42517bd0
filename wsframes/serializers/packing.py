"""Packed audio for the serializers of our own wire."""

from wsframes.frames.codec import MAX_AUDIO_S, AudioPacker
from wsframes.serializers.base import SerializerSettings

__all__ = ["packer_for"]


def packer_for(settings: SerializerSettings) -> AudioPacker:
    """What packs and unpacks the audio of one session.

    Raises:
        MissingExtraError: the extra `opus` is not installed.
        ValueError: Opus has no such bitrate.
    """
    from wsframes.audio.opus import OpusPacker  # only who asks for it needs the extra

    return OpusPacker(settings.audio_out_bitrate, MAX_AUDIO_S)
