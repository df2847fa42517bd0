"""Something to be heard beside what is said: the interface, which needs no package."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable

from wsframes.frames import MixerEnableFrame, MixerUpdateSettingsFrame

__all__ = ["BaseAudioMixer"]


class BaseAudioMixer(ABC):
    """Mixes into the audio of one destination: background noise, music, a second voice.

    It is a part of one session at a time.

    Write each method with `def` or with `async def`, as you need. The transport calls them one at a
    time. `mix` is called once for each chunk that is due, with silence where nothing is said, and
    never ahead of time; so what it gives goes on in real time, interruptions or not.

    A mixer that raises in `start` or `mix`, takes longer than half a second for a chunk, or gives
    anything but as many bytes as it was given is reported once and not asked again; the audio goes
    on without it. One that is a plain `def` and blocks, blocks all sessions: nothing can help that.

    Attributes:
        num_channels: of the audio, interleaved. Set before `start`.
    """

    num_channels: int = 1

    @abstractmethod
    def start(self, sample_rate: int) -> Awaitable[None] | None:
        """Get ready; before anything else, once a session.

        Args:
            sample_rate: Hz of the audio that will come.
        """

    @abstractmethod
    def stop(self) -> Awaitable[None] | None:
        """The session is over. Called once, if `start` was."""

    @abstractmethod
    def mix(self, audio: bytes) -> bytes | Awaitable[bytes]:
        """The audio with something added to it.

        Args:
            audio: whole frames of signed 16-bit little-endian PCM, interleaved; a chunk, or less.

        Returns:
            As many bytes.
        """

    @abstractmethod
    def process_frame(
        self, frame: MixerUpdateSettingsFrame | MixerEnableFrame
    ) -> Awaitable[None] | None:
        """Take new settings, in order with the audio around the frame.

        What it raises is reported, and the mixer goes on as it was.
        """
