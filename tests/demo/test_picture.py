from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from tests.demo.story import as_heard, as_served, interrupted, two_phrases
from wsframes.demo import picture
from wsframes.demo.clip import Clip
from wsframes.demo.measure import measure
from wsframes.demo.notes import Arrival, Heard, Served


def draw(path: Path, heard: Heard) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return draw_of(path, two_phrases(), heard, as_served(heard))


def draw_of(
    path: Path, clip: Clip, heard: Heard, served: Served
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    picture.draw(path, "a server", clip, heard, served, measure(clip, heard, served))
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = imread(path)
    return pixels


def columns(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", colour: str) -> float:
    """How many columns have this colour, in the middle of the height of its panel."""
    same = np.all(np.abs(pixels[:, :, :3] - to_rgb(colour)) < 0.02, axis=2)
    return float(np.count_nonzero(same.sum(axis=0) > 20))


def test_the_picture_shows_what_was_said_and_as_much_of_it_heard(tmp_path: Path) -> None:
    pixels = draw(tmp_path / "session.png", as_heard(two_phrases()))

    height, width, _ = pixels.shape
    assert (height, width) == (1064, 1820)
    said = columns(pixels, picture._SAID)
    heard = columns(pixels, picture._HEARD)
    assert said > 200
    assert heard == pytest.approx(said, rel=0.05)


def test_speech_and_its_interruption_are_seen(tmp_path: Path) -> None:
    clip, heard, served = interrupted()
    pixels = draw_of(tmp_path / "session.png", clip, heard, served)
    same = np.all(np.abs(pixels[:, :, :3] - to_rgb(picture._SPEECH)) < 0.02, axis=2)
    # Two bars of ten rows, and one line of nearly the whole height of its panel.
    assert np.count_nonzero(same.sum(axis=0) >= 5) > 300
    assert np.count_nonzero(same.sum(axis=0) > 150) >= 1


def test_a_gap_that_is_heard_is_seen(tmp_path: Path) -> None:
    whole = as_heard(two_phrases())
    arrivals = [
        Arrival(arrival.at_s + 0.6 * (number > 25), arrival.audio)
        for number, arrival in enumerate(whole.arrivals)
    ]
    clip = two_phrases()
    late = Heard(
        **{**{name: getattr(whole, name) for name in whole.__struct_fields__}, "arrivals": arrivals}
    )
    figures = measure(clip, late, as_served(late))

    assert figures.gaps == 1
    runs = picture._runs(late, figures)
    assert len(runs) == 3
    assert b"".join(audio for audio, _ in runs) == b"".join(each.audio for each in arrivals)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        draw(tmp_path, as_heard(two_phrases()))
