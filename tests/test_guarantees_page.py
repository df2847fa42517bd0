"""`docs/guarantees.md` has a row for each promise, with the figure reached and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "guarantees"
PROMISES = range(1, 29)

_ROW = re.compile(r"^\| P(\d+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS = _ROW.findall((ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8"))


def test_each_promise_has_one_row_in_order() -> None:
    assert [int(number) for number, *_ in ROWS] == list(PROMISES)


@pytest.mark.parametrize(("number", "promise", "reached", "tests"), ROWS)
def test_a_row_has_a_figure_and_tests_that_exist(
    number: str, promise: str, reached: str, tests: str
) -> None:
    assert len(promise) > 20
    assert re.search(r"\d|exact|each|once", reached), "what was reached?"
    assert "REACHED" not in reached
    names = re.findall(r"`(\w+)`", tests)
    assert names
    assert all((TESTS / f"{name}.py").is_file() for name in names)
    # One of them is named after it: the file, or a test in it.
    own = f"test_p{int(number):02}_"
    texts = [(TESTS / f"{name}.py").read_text(encoding="utf-8") for name in names]
    assert any(name.startswith(own) for name in names) or any(f"def {own}" in t for t in texts)
