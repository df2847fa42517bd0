"""`wsframes.vad.params`."""

from typing import Any

import pytest
from pydantic import ValidationError

from wsframes.vad import VADParams


def test_the_defaults() -> None:
    params = VADParams()
    assert (params.confidence, params.start_secs, params.stop_secs, params.min_volume) == (
        0.7,
        0.2,
        0.8,
        0.6,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", 1.1),
        ("confidence", -0.1),
        ("start_secs", -1),
        ("start_secs", 61),
        ("stop_secs", -0.001),
        ("stop_secs", "long"),
        ("min_volume", 2),
        ("min_volume", None),
        ("silence", 1),
    ],
)
def test_a_wrong_value_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        VADParams(**{name: value})
