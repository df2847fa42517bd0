"""`wsframes.audio.soundfile_mixer` and `wsframes.audio.sound_file`."""

import importlib.util
import os
import sys
import tempfile
import wave
from array import array
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from wsframes.audio import sound_file, soundfile_mixer
from wsframes.audio.pcm import remix, rms, wav_bytes
from wsframes.audio.resample import StreamResampler
from wsframes.audio.sound_file import load_sound
from wsframes.audio.soundfile_mixer import SoundfileMixer
from wsframes.exceptions import MissingExtraError
from wsframes.frames import MixerEnableFrame, MixerUpdateSettingsFrame

RATE = 16000


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def write_wav(path: Path, audio: bytes, rate: int = RATE, channels: int = 1) -> str:
    path.write_bytes(wav_bytes(audio, rate, channels))
    return str(path)


@pytest.fixture
def ramp(tmp_path: Path) -> str:
    """A sound of ten samples: 10, 20, ... 100."""
    return write_wav(tmp_path / "ramp.wav", pcm(*range(10, 101, 10)))


def playing(path: str, **options: Any) -> SoundfileMixer:
    options = {"volume": 1.0} | options
    mixer = SoundfileMixer(sound_files={"it": path}, default_sound="it", **options)
    mixer.start(RATE)
    return mixer


# --- the mixer


def test_the_sound_is_added_and_goes_round(ramp: str) -> None:
    mixer = playing(ramp)
    assert mixer.mix(pcm(1, 2, 3, 4)) == pcm(11, 22, 33, 44)
    assert mixer.mix(pcm(*[0] * 8)) == pcm(50, 60, 70, 80, 90, 100, 10, 20)
    assert mixer.mix(pcm(*[0] * 25)) == pcm(*([*range(10, 101, 10)] * 4)[2:27])
    assert mixer.mix(b"") == b""


def test_the_sum_saturates(tmp_path: Path) -> None:
    mixer = playing(write_wav(tmp_path / "loud.wav", pcm(32767, -32768)))
    assert mixer.mix(pcm(1000, -1000, -5, 5)) == pcm(32767, -32768, 32762, -32763)
    mixer.process_frame(MixerUpdateSettingsFrame({"volume": 1000.0}))
    assert mixer.mix(pcm(0, 0)) == pcm(32767, -32768)


def test_the_volume_is_a_factor(ramp: str) -> None:
    assert playing(ramp, volume=0.25).mix(pcm(0, 0, 0)) == pcm(2, 5, 8)  # 7.5 goes to the even one
    assert playing(ramp, volume=0).mix(pcm(7, 7)) == pcm(7, 7)


def test_once_is_once(ramp: str) -> None:
    mixer = playing(ramp, loop=False)
    assert mixer.mix(pcm(*[1] * 8))[-2:] == pcm(81)
    assert mixer.mix(pcm(1, 1, 1, 1)) == pcm(91, 101, 1, 1)
    assert mixer.mix(pcm(1, 1)) == pcm(1, 1)
    mixer.process_frame(MixerUpdateSettingsFrame({"sound": "it"}))
    assert mixer.mix(pcm(1)) == pcm(11)


def test_frames_change_what_is_played(ramp: str, tmp_path: Path) -> None:
    other = write_wav(tmp_path / "other.wav", pcm(-1, -2))
    mixer = SoundfileMixer(
        sound_files={"a": ramp, "b": Path(other)}, default_sound="a", volume=1.0, mixing=False
    )
    mixer.start(RATE)
    assert mixer.mix(pcm(0, 0)) == pcm(0, 0)
    mixer.process_frame(MixerEnableFrame(True))
    assert mixer.mix(pcm(0, 0)) == pcm(10, 20)
    mixer.process_frame(MixerUpdateSettingsFrame({"sound": "b", "volume": 2}))
    assert mixer.mix(pcm(0, 0, 0)) == pcm(-2, -4, -2)
    mixer.process_frame(MixerUpdateSettingsFrame({"loop": False}))
    assert mixer.mix(pcm(0, 0, 0)) == pcm(-4, 0, 0)
    mixer.process_frame(MixerEnableFrame(False))
    assert mixer.mix(pcm(5)) == pcm(5)
    mixer.stop()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"sound": "b"}, "no sound is called 'b'; there are 'it'"),
        ({"volume": -0.1}, "volume must be a number from 0 on, not -0.1"),
        ({"volume": float("nan")}, "volume must be"),
        ({"volume": "loud"}, "volume must be"),
        ({"loudness": 1}, "no setting is called 'loudness'; there are 'sound', 'volume', 'loop'"),
        ({"sound": ["it"]}, "no sound is called"),
    ],
)
def test_settings_that_are_wrong_change_nothing(
    ramp: str, settings: dict[str, object], problem: str
) -> None:
    mixer = playing(ramp)
    mixer.mix(pcm(0))
    with pytest.raises(ValueError, match=problem):
        mixer.process_frame(MixerUpdateSettingsFrame({"loop": False, "volume": 9} | settings))
    assert mixer.mix(pcm(*[0] * 10)) == pcm(*range(20, 101, 10), 10)


def test_what_is_played_first_has_to_be_there() -> None:
    with pytest.raises(ValueError, match="no sound is called 'x'; there are 'a'"):
        SoundfileMixer(sound_files={"a": "a.wav"}, default_sound="x")


@given(
    cuts=st.lists(st.integers(0, 30), max_size=12),
    samples=st.lists(st.integers(-32768, 32767), min_size=1, max_size=40),
)
def test_how_the_audio_is_cut_changes_nothing(cuts: list[int], samples: list[int]) -> None:
    """Chunks of any length get what one large chunk would have got."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_wav(Path(folder) / "it.wav", pcm(*samples))
        whole, pieces = playing(path), playing(path)
        audio = pcm(*[100] * sum(cuts))
        at, parts = 0, []
        for cut in cuts:
            parts.append(pieces.mix(audio[2 * at : 2 * (at + cut)]))
            at += cut
        assert b"".join(parts) == whole.mix(audio)


# --- files


def test_a_file_is_converted_to_the_rate_and_channels_of_the_session(tmp_path: Path) -> None:
    audio = b"".join(pcm(n % 800, -(n % 600)) for n in range(8000))
    path = write_wav(tmp_path / "stereo.wav", audio, 8000, 2)
    mono = remix(audio, 2, 1)
    assert load_sound(path, 8000, 1).tobytes() == mono
    assert load_sound(path, 8000, 2).tobytes() == audio
    resampler = StreamResampler(8000, 24000, 1)
    assert load_sound(path, 24000, 1).tobytes() == resampler.push(mono) + resampler.flush()
    mixer = SoundfileMixer(sound_files={"it": path}, default_sound="it", volume=1.0)
    mixer.num_channels = 2
    mixer.start(8000)
    assert mixer.mix(bytes(400)) == audio[:400]


def test_a_sound_is_read_once_and_shared_until_it_changes(ramp: str) -> None:
    first = load_sound(ramp, RATE, 1)
    assert load_sound(ramp, RATE, 1) is first
    assert not first.flags.writeable
    write_wav(Path(ramp), pcm(1, 2, 3))
    os.utime(ramp, ns=(1, 1))
    assert load_sound(ramp, RATE, 1).tolist() == [1, 2, 3]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT"])
def test_wav_files_of_other_samples(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "it.wav"
    soundfile.write(path, [0.0, 0.5, -0.5], RATE, subtype=subtype)
    assert load_sound(path, RATE, 1).tolist() == pytest.approx([0, 16384, -16384], abs=300)


@pytest.mark.parametrize("name", ["it.ogg", "it.flac", "it.mp3"])
def test_other_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, [0.3, -0.3, 0.3, 0.3] * 4000, RATE)
    samples = load_sound(path, RATE, 1)
    assert len(samples) == pytest.approx(RATE, rel=0.2)
    assert rms(samples.tobytes()) > 0.05


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_sound(tmp_path / "none.wav", RATE, 1)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(ValueError, match=r"text\.wav cannot be read"):
        load_sound(tmp_path / "text.wav", RATE, 1)
    with pytest.raises(ValueError, match="has no sound in it"):
        load_sound(write_wav(tmp_path / "empty.wav", b""), RATE, 1)


def test_a_wav_file_that_breaks_off_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "it.wav"
    path.write_bytes(wav_bytes(pcm(1, 2, 3, 4), RATE, 2)[:-1])
    with wave.open(str(path)) as file:
        assert file.getnframes() == 2
    assert load_sound(path, RATE, 2).tolist() == [1, 2]


# --- without the packages


def load_again(module: ModuleType) -> None:
    assert module.__file__ is not None
    spec = importlib.util.spec_from_file_location("again", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("module", [soundfile_mixer, sound_file])
def test_without_numpy_it_says_what_to_install(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtraError, match=r'pip install "wsframes\[audio\]"'):
        load_again(module)


def test_without_soundfile_wav_files_are_read(
    ramp: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "it.flac", [0.1], RATE)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert len(load_sound(ramp, RATE, 1)) == 10
    with pytest.raises(MissingExtraError, match="soundfile is not installed"):
        load_sound(tmp_path / "it.flac", RATE, 1)
