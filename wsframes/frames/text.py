"""Words."""

from wsframes.frames.base import DataFrame

__all__ = ["TextFrame"]


class TextFrame(DataFrame):
    """A piece of text."""

    text: str

    @property
    def payload_bytes(self) -> int:
        return len(self.text)
