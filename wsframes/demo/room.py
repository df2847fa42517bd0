"""The room that the answers come from: a soft sound behind them, mixed in by the server.

The client knows the sound, and takes it out again, sample for sample. So it can see that the answer
is the phrase, every bit of it, and that nothing was missing of the background.
"""

from array import array
from collections.abc import Sequence
from importlib.resources import files

from wsframes.audio.sound_file import load_sound
from wsframes.audio.soundfile_mixer import SoundfileMixer
from wsframes.demo.clip import SAMPLE_RATE

__all__ = ["Room", "room_mixer", "room_samples"]

# A hum of 1 s: sines whose periods are whole in it, and a little noise.
_FILE = str(files("wsframes.demo") / "room.wav")


def room_mixer() -> SoundfileMixer:
    """The mixer of one session."""
    return SoundfileMixer(sound_files={"room": _FILE}, default_sound="room", volume=1.0)


def room_samples() -> list[int]:
    """The sound, once round."""
    samples: list[int] = load_sound(_FILE, SAMPLE_RATE, 1).tolist()
    return samples


class Room:
    """Takes the background out of what comes.

    Args:
        samples: of the sound, once round; none: there is no background.
    """

    def __init__(self, samples: Sequence[int]) -> None:
        self._samples = samples
        self._at = 0

    def without(self, audio: bytes) -> bytes:
        """What is left of the next piece, the sound having gone on since the one before.

        Nothing, where it was background alone.
        """
        if not self._samples:
            return audio
        heard = array("h", audio)
        count, size = len(heard), len(self._samples)
        rest = array(
            "h",
            [
                (sample - self._samples[at % size] + 32768) % 65536 - 32768
                for at, sample in enumerate(heard, self._at)
            ],
        )
        self._at += count
        return rest.tobytes() if any(rest) else b""
