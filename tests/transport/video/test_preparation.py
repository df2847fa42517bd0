"""`wsframes.transport.video.preparation`."""

import pytest

from tests.video.pictures import photo
from wsframes import OutputImageRawFrame
from wsframes.transport.video.preparation import VideoPreparation
from wsframes.video import fit

SIZE = (64, 48)


def raw(*, repeats: bool = True) -> VideoPreparation:
    return VideoPreparation(SIZE, "RGB", None, repeats=repeats)


def test_size_and_format() -> None:
    prepared = raw()(photo((32, 24), pixel_format="L"), 0.0)
    assert prepared is not None
    assert (prepared.size, prepared.format) == (SIZE, "RGB")


def test_what_is_right_already_is_quick_and_stays() -> None:
    image = photo(SIZE)
    assert raw().is_quick(image)
    assert raw()(image, 0.0) is image


def test_what_is_encoded_already_is_quick_and_stays() -> None:
    image = OutputImageRawFrame(b"jpeg", (1, 1))
    for preparation in (raw(), VideoPreparation(SIZE, "RGB", lambda *_: None, repeats=True)):
        assert preparation.is_quick(image)
        assert preparation(image, 0.0) is image


def test_an_image_that_comes_again_is_resized_once() -> None:
    preparation, image = raw(), photo((32, 24))
    assert not preparation.is_quick(image)
    prepared = preparation(image, 0.0)
    assert preparation.is_quick(image)
    assert preparation(image, 1.0) is prepared


def test_a_live_one_is_not_kept() -> None:
    preparation, image = raw(repeats=False), photo((32, 24))
    preparation(image, 0.0)
    assert not preparation.is_quick(image)


def test_no_more_is_kept_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsframes.transport.video.preparation._MAX_KEPT_BYTES", 3 * 64 * 48 * 3)
    preparation = raw()
    images = [photo((32, 24), number) for number in range(5)]
    for number, image in enumerate(images):
        preparation(image, 0.0)
        kept = [preparation.is_quick(other) for other in images[: number + 1]]
        assert 1 <= sum(kept) <= 3
        assert kept[-1]


def test_an_encoder_gets_what_fits_and_is_never_quick() -> None:
    given: list[tuple[OutputImageRawFrame, float]] = []

    def encode(image: OutputImageRawFrame, now_s: float) -> OutputImageRawFrame | None:
        given.append((image, now_s))
        return None

    preparation, image = VideoPreparation(SIZE, "L", encode, repeats=True), photo((32, 24))
    assert preparation(image, 1.5) is None
    assert not preparation.is_quick(image)
    assert preparation(image, 2.5) is None
    assert given[0][0].image == fit(image, SIZE, "L").image
    assert given[0][0] is given[1][0]  # so that the encoder sees that it is the same one
    assert [now_s for _, now_s in given] == [1.5, 2.5]


def test_what_lies_is_refused() -> None:
    with pytest.raises(ValueError, match="image has 2 bytes"):
        raw()(OutputImageRawFrame(b"12", (1, 1), "RGB"), 0.0)
