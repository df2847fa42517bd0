"""How much the tests of the promises do: a part of it each time, all of it in `make soak`."""

import os
from typing import Final, TypeVar

__all__ = ["SOAK", "scaled"]

T = TypeVar("T")

SOAK: Final = os.environ.get("WSFRAMES_SOAK") == "1"


def scaled(usual: T, soak: T) -> T:
    """What is to be done each time, or the whole."""
    return (usual, soak)[SOAK]
