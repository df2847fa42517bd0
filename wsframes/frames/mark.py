"""Marks: how far the peer has come with its playback, told by the peer itself."""

from wsframes.frames.base import DataFrame, SystemFrame

__all__ = ["InputMarkFrame", "OutputMarkFrame"]


class OutputMarkFrame(DataFrame):
    """A place in the audio, sent in order with it; the peer answers when it has played up to there.

    Crosses only where the serializer has marks.

    Attributes:
        mark: its name, up to 64 characters. Those that begin with `bot:` are the transport's own.
    """

    mark: str


class InputMarkFrame(SystemFrame):
    """The peer has played all audio that was sent before the mark, or was told to clear it.

    Attributes:
        mark: the name that the mark was sent with.
    """

    mark: str
