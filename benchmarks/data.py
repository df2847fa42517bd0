"""The audio that everything is measured with: the same in every run, and not compressible."""

import random

__all__ = ["MESSAGE_BYTES", "SAMPLE_RATE", "message_audio"]

SAMPLE_RATE = 16000
MESSAGE_BYTES = 640
"""20 ms of 16 kHz mono, so 50 messages are a second."""


def message_audio(seed: int = 0) -> bytes:
    """The audio of one message."""
    return random.Random(seed).randbytes(MESSAGE_BYTES)
