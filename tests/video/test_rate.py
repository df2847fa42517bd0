"""`wsframes.video.rate`: the controller alone, with images that are functions of the quality."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.video import RateController
from wsframes.video.rate import MAX_QUALITY, MIN_QUALITY

Sizes = Callable[[int], int]


def smooth(bytes_at_50: float) -> Sizes:
    """An image that becomes larger with its quality about as photographs do."""

    def size(quality: int) -> int:
        scale = 5000 / quality if quality < 50 else 200 - 2 * quality
        return 600 + int(bytes_at_50 * (100 / scale) ** 0.75)

    return size


def run(
    controller: RateController, images: list[Sizes], period_s: float
) -> list[tuple[float, int, int]]:
    """The time, the quality and the bytes of each image that went out."""
    sent = []
    for number, size in enumerate(images):
        now_s = number * period_s
        quality = controller.begin(now_s)
        tries = 0
        while quality is not None:
            tries += 1
            assert MIN_QUALITY <= quality <= MAX_QUALITY
            if controller.take(quality, size(quality)):
                sent.append((now_s, quality, size(quality)))
                break
            quality = controller.lower(quality)
        assert tries <= 3
    return sent


def worst_mean(sent: list[tuple[float, int, int]], window_s: float) -> float:
    """Bits a second of the fullest window."""
    worst = 0
    for at, (begin_s, _, _) in enumerate(sent):
        worst = max(worst, sum(size for now_s, _, size in sent[at:] if now_s < begin_s + window_s))
    return 8 * worst / window_s


@pytest.mark.parametrize("bitrate", [200_000, 800_000, 5_000_000])
def test_the_bitrate_is_used_and_not_exceeded(bitrate: int) -> None:
    sent = run(RateController(bitrate, 30), [smooth(15_000)] * 600, 1 / 30)
    assert worst_mean(sent, 10) <= bitrate
    assert 8 * sum(size for _, _, size in sent) / 20 >= 0.85 * bitrate


def test_where_there_is_room_the_quality_is_the_best() -> None:
    sent = run(RateController(10**9, 30), [smooth(15_000)] * 100, 1 / 30)
    assert len(sent) == 100
    assert sent[-1][1] == MAX_QUALITY


def test_where_the_lowest_quality_is_too_much_images_are_left_out() -> None:
    sent = run(RateController(100_000, 30), [lambda quality: 5_000] * 600, 1 / 30)
    assert worst_mean(sent, 10) <= 100_000
    assert len(sent) == pytest.approx(600 * 100_000 / 8 / 30 / 5_000, rel=0.15)
    assert sent[-1][1] == MIN_QUALITY


def test_an_image_of_more_than_the_bucket_goes_out_when_nothing_is_owed() -> None:
    sent = run(RateController(80_000, 10), [lambda quality: 50_000] * 200, 0.1)
    assert [size for _, _, size in sent] == [50_000] * 4
    gaps_s = [after[0] - before[0] for before, after in zip(sent, sent[1:], strict=False)]
    assert all(gap_s >= 5 for gap_s in gaps_s)


def test_a_scene_that_becomes_hard_is_tried_again_lower() -> None:
    easy, hard = smooth(4_000), smooth(40_000)
    sent = run(RateController(2_000_000, 30), [easy] * 150 + [hard] * 300, 1 / 30)
    assert worst_mean(sent, 10) <= 2_000_000
    assert sent[149][1] > sent[-1][1]
    assert len(sent) > 430  # a moment's images may be left out, and no more


def test_one_that_fails_twice_is_tried_at_the_lowest_quality_and_no_more() -> None:
    controller = RateController(80_000, 10)
    assert controller.begin(0.0) is not None
    assert controller.take(50, 1_000)  # of 5,000, of which 950 have gone at the next
    first = controller.begin(0.1)
    assert first is not None
    assert not controller.take(first, 4_960)
    second = controller.lower(first)
    assert second is not None
    assert MIN_QUALITY < second < first
    assert not controller.take(second, 4_960)
    assert controller.lower(second) == MIN_QUALITY
    assert not controller.take(MIN_QUALITY, 4_960)
    assert controller.lower(MIN_QUALITY) is None


def test_images_that_come_seldom_may_be_larger() -> None:
    often = run(RateController(800_000, 30), [smooth(20_000)] * 300, 1 / 30)
    seldom = run(RateController(800_000, 30), [smooth(20_000)] * 100, 1 / 10)
    assert seldom[-1][1] > often[-1][1]
    assert 8 * sum(size for _, _, size in seldom) / 10 >= 0.8 * 800_000


@pytest.mark.parametrize(("bitrate", "framerate"), [(0, 30), (800_000, 0)])
def test_nothing_is_no_rate(bitrate: int, framerate: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        RateController(bitrate, framerate)


@given(
    bitrate=st.integers(100_000, 5_000_000),
    framerate=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    least=st.integers(1, 5_000),
)
def test_no_ten_seconds_have_more_than_the_bitrate(
    bitrate: int, framerate: int, seed: int, least: int
) -> None:
    """Whatever the images are, as long as one at the lowest quality is half a second's bytes."""
    chance = random.Random(seed)
    scenes = [smooth(chance.uniform(10, 200_000)) for _ in range(5)]

    def image() -> Sizes:
        scene, noise = chance.choice(scenes), chance.uniform(0.3, 3)
        return lambda quality: (
            min(least, bitrate // 16)
            if quality == MIN_QUALITY
            else max(least, int(scene(quality) * noise))
        )

    images = [image() for _ in range(min(25 * framerate, 400))]
    sent = run(RateController(bitrate, framerate), images, 1 / framerate)
    assert worst_mean(sent, 10) <= bitrate
    assert sent


@given(bitrate=st.integers(300_000, 5_000_000), bytes_at_50=st.floats(2_000, 50_000))
def test_a_steady_scene_has_a_steady_quality(bitrate: int, bytes_at_50: float) -> None:
    """After two seconds the quality moves by no more than a few steps."""
    sent = run(RateController(bitrate, 30), [smooth(bytes_at_50)] * 150, 1 / 30)
    late = [quality for now_s, quality, _ in sent if now_s > 2]
    assert max(late) - min(late) <= 3
