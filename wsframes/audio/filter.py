"""Something that is done to the audio from the peer: the interface, which needs no package."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import ClassVar

from wsframes.frames import FilterEnableFrame, FilterUpdateSettingsFrame

__all__ = ["BaseAudioFilter"]


class BaseAudioFilter(ABC):
    """Changes the audio of one session before anything else hears it: suppresses noise, or echo.

    Write each method with `def` or with `async def`, as you need. The transport calls them one at a
    time, and never from two sessions at once: each needs a filter of its own.

    A filter that raises in `start` or `filter`, takes longer than half a second for a piece (five
    for `start`), or gives anything but whole frames is reported once and not asked again; the audio
    goes on unfiltered, the piece that it failed at included.

    Attributes:
        num_channels: of the audio, interleaved. Set before `start`.
    """

    runs_inline: ClassVar[bool] = False
    """True: what is a plain `def` is called on the event loop, for it takes far less than a
    millisecond; nothing can help if it does not return. Otherwise a worker thread does it."""

    num_channels: int = 1

    @abstractmethod
    def start(self, sample_rate: int) -> Awaitable[None] | None:
        """Get ready, before the first audio; and again, after a `stop`, where its rate changes.

        Args:
            sample_rate: Hz of the audio that will come.
        """

    @abstractmethod
    def stop(self) -> Awaitable[None] | None:
        """The stream is over. Called once for each `start`."""

    @abstractmethod
    def filter(self, audio: bytes) -> bytes | Awaitable[bytes]:
        """The audio as it is to be heard.

        Args:
            audio: whole frames of signed 16-bit little-endian PCM, interleaved; of any length.

        Returns:
            Whole frames; not as many where some of them have to wait for what comes next.
        """

    @abstractmethod
    def process_frame(
        self, frame: FilterUpdateSettingsFrame | FilterEnableFrame
    ) -> Awaitable[None] | None:
        """Take new settings, in order with the audio; maybe before any has come.

        What it raises is reported, and the filter goes on as it was.
        """
