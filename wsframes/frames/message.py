"""What application and peer tell each other beside the media: messages and DTMF keys.

Ordered messages are uninterruptible: barge-in silences the bot, it does not lose application data.
"""

from typing import Any

from wsframes.frames.base import DataFrame, Frame, SystemFrame, UninterruptibleFrame

__all__ = [
    "DTMFFrame",
    "InputDTMFFrame",
    "InputTransportMessageFrame",
    "MessageFrame",
    "OutputDTMFFrame",
    "OutputDTMFUrgentFrame",
    "TransportMessageFrame",
    "TransportMessageUrgentFrame",
]


class MessageFrame(Frame):
    """A message of the application; the base of the message frames.

    Attributes:
        message: JSON-like: None, bool, numbers, str, bytes, lists, dicts.
    """

    message: Any

    @property
    def payload_bytes(self) -> int:
        return _size(self.message)


class TransportMessageFrame(MessageFrame, DataFrame, UninterruptibleFrame):
    """A message for the peer, sent in order with the audio around it."""


class TransportMessageUrgentFrame(MessageFrame, SystemFrame):
    """A message for the peer, sent at once."""


class InputTransportMessageFrame(MessageFrame, SystemFrame):
    """A message from the peer."""


_NODE_BYTES = 64  # what CPython spends on a small object and its place in a container, about


def _size(message: Any) -> int:
    total = 0
    pending = [message]
    while pending:
        value = pending.pop()
        total += _NODE_BYTES
        if isinstance(value, str | bytes):
            total += len(value)
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
    return total


class DTMFFrame(Frame):
    """A key of a telephone; the base of the DTMF frames.

    Attributes:
        button: one of `0123456789*#ABCD`.
    """

    button: str


class InputDTMFFrame(DTMFFrame, SystemFrame):
    """A key that the peer pressed."""


class OutputDTMFFrame(DTMFFrame, DataFrame):
    """A key to be sent, in order with the audio around it."""


class OutputDTMFUrgentFrame(DTMFFrame, SystemFrame):
    """A key to be sent at once."""
