"""Keys of a telephone for a peer whose serializer has no message for them: as tones."""

from collections.abc import Mapping

from wsframes.audio.dtmf import dtmf_tone
from wsframes.frames import DTMFFrame
from wsframes.transport.media_sender import MediaSender
from wsframes.transport.params import WebsocketParams

__all__ = ["play_key"]


def play_key(
    frame: DTMFFrame, senders: Mapping[str | None, MediaSender], params: WebsocketParams
) -> str | None:
    """Let the tone of a key be the next audio; says why it cannot be heard, or None.

    Raises:
        ValueError: there is no such key.
    """
    if not params.audio_out_enabled:
        return "audio_out_disabled"
    sender = senders.get(frame.transport_destination)
    if sender is None:
        return "unknown_destination"
    sender.play_next(dtmf_tone(frame.button, sender.sample_rate, params.audio_out_channels))
    return None
