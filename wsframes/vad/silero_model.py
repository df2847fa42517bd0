"""What the runtimes of Silero's model have in common."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CONTEXT_FRAMES", "STATE_SHAPE", "WINDOW_FRAMES", "SileroModel", "SileroStream"]

WINDOW_FRAMES = {8000: 256, 16000: 512}
"""Of audio that the model takes at a time, by the rate: 32 ms."""

CONTEXT_FRAMES = {8000: 32, 16000: 64}
"""Of the window before, which go before it."""

STATE_SHAPE = (2, 1, 128)
"""Of what the model hands on from window to window, as float32."""


class SileroStream(Protocol):
    """The state of one stream."""

    def score(self, samples: "npt.NDArray[np.float32]") -> float:
        """How sure the model is that there is a voice in the next window, from 0 to 1.

        Args:
            samples: one window of 32 ms, from -1 to 1.
        """

    def reset(self) -> None:
        """Begin a new stream."""


class SileroModel(Protocol):
    """A loaded model, for any number of streams in any threads."""

    def stream(self, sample_rate: int) -> SileroStream:
        """A new stream, of 8000 or 16000 Hz."""
