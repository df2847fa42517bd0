"""The settings of a run."""

from typing import Any

import pytest
from pydantic import ValidationError

from wsframes.graph import PipelineParams


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cancel_timeout", 0),
        ("start_timeout", -1),
        ("drain_stall_timeout", 0),
        ("handler_timeout", 0),
        ("heartbeats_period_secs", 0),
        ("heartbeats_monitor_secs", 0),
        ("audio_in_sample_rate", 0),
        ("audio_out_sample_rate", 0),
        ("allow_interuptions", True),
    ],
)
def test_wrong_values_and_unknown_names_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        PipelineParams(**{name: value})


def test_they_cannot_be_changed_under_a_run() -> None:
    params = PipelineParams()
    with pytest.raises(ValidationError, match="frozen"):
        params.cancel_timeout = 3
