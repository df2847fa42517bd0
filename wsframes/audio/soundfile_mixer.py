"""A mixer that plays sound files. Needs the extra `audio`."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from wsframes.audio.mixer import BaseAudioMixer
from wsframes.audio.sound_file import load_sound
from wsframes.exceptions import MissingExtraError
from wsframes.frames import MixerEnableFrame, MixerUpdateSettingsFrame

try:
    import numpy as np
except ImportError as exc:
    raise MissingExtraError("numpy", "audio") from exc

__all__ = ["SoundfileMixer"]

_SETTINGS = ("sound", "volume", "loop")


class SoundfileMixer(BaseAudioMixer):
    """Plays one of several sound files behind what is said.

    A sum beyond full scale is full scale. Files may have any rate and channels: they are converted
    when the session starts, and kept for the sessions that follow. 16-bit WAV files are read by the
    standard library, all others by soundfile.

    `MixerUpdateSettingsFrame` changes `sound` (its name; it starts from the beginning), `volume`
    and `loop`; `MixerEnableFrame` turns the mixing on and off. While it is off, the sound stands
    still.

    Args:
        sound_files: the files by name.
        default_sound: name of the one that is played first.
        volume: what the sound is multiplied by; 1.0: as it is in the file.
        mixing: whether it is turned on.
        loop: begin again at the end; False: be silent then.

    Raises:
        ValueError: there is no such sound, or the volume is negative.
    """

    def __init__(
        self,
        *,
        sound_files: Mapping[str, str | PathLike[str]],
        default_sound: str,
        volume: float = 0.4,
        mixing: bool = True,
        loop: bool = True,
    ) -> None:
        self._sound_files = dict(sound_files)
        self._check(default_sound, volume)
        self._sound = default_sound
        self._volume = volume
        self._mixing = mixing
        self._loop = loop
        self._at = 0
        # Each is shared with the other sessions that play it, and read-only.
        self._samples: dict[str, np.ndarray[Any, np.dtype[np.int16]]] = {}

    def start(self, sample_rate: int) -> None:
        """Read all files.

        Raises:
            OSError: a file cannot be read.
            ValueError: there is no sound in it.
            MissingExtraError: reading it needs soundfile, which is not installed.
        """
        self._at = 0
        self._samples = {
            name: load_sound(path, sample_rate, self.num_channels)
            for name, path in self._sound_files.items()
        }

    def stop(self) -> None:
        self._samples = {}

    def mix(self, audio: bytes) -> bytes:
        if not self._mixing:
            return audio
        spoken = np.frombuffer(audio, "<i2")
        sound = self._next(len(spoken))
        total = spoken + np.rint(sound * self._volume)
        mixed: bytes = total.clip(-32768, 32767).astype("<i2").tobytes()
        return mixed

    def process_frame(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        """Take new settings, all of them or, where one is wrong, none.

        Raises:
            ValueError: there is no such setting or sound, or the volume is negative.
        """
        if isinstance(frame, MixerEnableFrame):
            self._mixing = frame.enable
            return
        new: dict[str, Any] = frame.settings
        unknown = sorted(set(new) - set(_SETTINGS))
        if unknown:
            raise ValueError(f"no setting is called {unknown[0]!r}; there are {_list(_SETTINGS)}")
        sound, volume = new.get("sound", self._sound), new.get("volume", self._volume)
        self._check(sound, volume)
        if "sound" in new:
            self._at = 0
        self._sound, self._volume = sound, volume
        self._loop = bool(new.get("loop", self._loop))

    def _check(self, sound: object, volume: object) -> None:
        if not isinstance(sound, str) or sound not in self._sound_files:
            raise ValueError(f"no sound is called {sound!r}; there are {_list(self._sound_files)}")
        if not isinstance(volume, int | float) or not 0 <= volume < float("inf"):
            raise ValueError(f"volume must be a number from 0 on, not {volume!r}")

    def _next(self, count: int) -> "np.ndarray[Any, np.dtype[np.int16]]":
        """So many samples of all channels, from where it is."""
        samples = self._samples[self._sound]
        at = self._at
        if at + count <= len(samples):
            self._at = at + count
            return samples[at : at + count]
        if self._loop:
            self._at = (at + count) % len(samples)
            return np.take(samples, range(at, at + count), mode="wrap")
        self._at = len(samples)
        rest = samples[at:]
        return np.concatenate([rest, np.zeros(count - len(rest), np.int16)])


def _list(names: Any) -> str:
    return ", ".join(map(repr, names))
