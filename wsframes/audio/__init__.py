"""PCM audio, pure: signed 16-bit little-endian, interleaved."""

from wsframes.audio.filter import BaseAudioFilter
from wsframes.audio.g711 import mulaw_to_pcm, pcm_to_mulaw
from wsframes.audio.mixer import BaseAudioMixer
from wsframes.audio.packetizer import Packetizer
from wsframes.audio.pcm import (
    FrameAligner,
    bytes_per_frame,
    duration_s,
    frame_count,
    peak,
    remix,
    rms,
    silence,
    wav_bytes,
)

__all__ = [
    "BaseAudioFilter",
    "BaseAudioMixer",
    "FrameAligner",
    "Packetizer",
    "bytes_per_frame",
    "duration_s",
    "frame_count",
    "mulaw_to_pcm",
    "pcm_to_mulaw",
    "peak",
    "remix",
    "rms",
    "silence",
    "wav_bytes",
]
