"""Pictures to work with: the same in every run."""

import random
from typing import Any

from PIL import Image

from wsframes import OutputImageRawFrame

__all__ = ["changing", "difference", "noise", "photo"]


def photo(
    size: tuple[int, int] = (64, 48), seed: int = 0, pixel_format: str = "RGB", **common: Any
) -> OutputImageRawFrame:
    """Soft colours, with a little noise."""
    chance = random.Random(seed)
    soft = Image.frombytes("RGB", (8, 6), chance.randbytes(8 * 6 * 3)).resize(
        size, Image.Resampling.BICUBIC
    )
    grain = Image.frombytes("RGB", size, chance.randbytes(size[0] * size[1] * 3))
    image = Image.blend(soft, grain, 0.04).convert(pixel_format)
    return OutputImageRawFrame(image.tobytes(), size, pixel_format, **common)


def noise(size: tuple[int, int], seed: int = 0) -> OutputImageRawFrame:
    """What cannot be compressed."""
    pixels = random.Random(seed).randbytes(size[0] * size[1] * 3)
    return OutputImageRawFrame(pixels, size, "RGB")


def changing(count: int, size: tuple[int, int] = (160, 120)) -> list[OutputImageRawFrame]:
    """Images of which each differs from the one before, and some are far harder than others."""
    return [
        photo(size, number) if number // 40 % 3 else noise(size, number) for number in range(count)
    ]


def difference(one: bytes, other: bytes) -> float:
    """Mean distance of their values."""
    assert len(one) == len(other)
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
