"""Pages that are made from the code are what the code makes now."""

import ast
import re
from pathlib import Path

import pytest

import wsframes.frames
from docs.generate import HERE, PAGES, frame_types, main
from docs.parameters_page import TESTS, UNITS, PageError, parameters_page
from tests.transport.test_params import SEED
from wsframes.frames import Frame
from wsframes.transport import WebsocketParams


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    committed = (HERE / name).read_text(encoding="utf-8")
    assert committed == PAGES[name](), "run `make docs`"


def test_main_writes_the_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("docs.generate.HERE", tmp_path)
    main()
    assert {path.name for path in tmp_path.iterdir()} == PAGES.keys()


def test_every_frame_that_users_import_is_in_the_table() -> None:
    bases = {"Frame", "SystemFrame", "DataFrame", "ControlFrame", "UninterruptibleFrame"}
    names = {
        name
        for name in wsframes.__all__
        if isinstance(value := getattr(wsframes, name), type) and issubclass(value, Frame)
    }
    assert names - bases == {frame_type.__name__ for frame_type in frame_types()}


# --- parameters


def rows() -> list[list[str]]:
    """The cells of each parameter's row."""
    return [
        re.split(r" \| ", line[2:-2]) for line in parameters_page().splitlines() if "| `" in line
    ]


def test_every_parameter_has_its_row_and_the_seed_page_s_come_first_in_its_order() -> None:
    names = [cells[0].strip("`") for cells in rows()]
    assert names[: len(SEED)] == list(SEED)
    assert names == list(WebsocketParams.model_fields)
    assert parameters_page().split("## ")[1].count("\n| `") == len(SEED)


def test_a_row_says_what_the_parameter_is() -> None:
    by_name = {cells[0].strip("`"): cells[1:] for cells in rows()}
    kind, unit, default, text, shown = by_name["audio_in_sample_rate"]
    assert (kind, unit, default) == ("int from 8000 to 192000 or None", "Hz", "`None`")
    assert text.startswith("Audio at another rate is resampled")
    assert shown == "[test_audio_in.py](../tests/parameters/test_audio_in.py)"
    assert by_name["write_timeout"][:3] == ["float above 0", "s", "`5.0`"]
    assert by_name["flood_policy"][:3] == ['`"wait"` or `"close"`', "", "`'wait'`"]
    assert by_name["camera_in_enabled"][3] == "Deprecated: set video_in_enabled instead."
    assert {cells[1] for cells in by_name.values()} - {""} == UNITS


def test_the_test_of_a_parameter_sets_it() -> None:
    """At least its name stands in it."""
    bodies: dict[str, str] = {}
    for path in TESTS.glob("test_*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.AsyncFunctionDef):
                body = [ast.get_source_segment(source, part) or "" for part in node.body]
                bodies[node.name] = "".join(body)
    for name in WebsocketParams.model_fields:
        assert re.search(rf"\b{name}\b", bodies[f"test_{name}"]), name


def test_a_parameter_without_a_description_has_no_page() -> None:
    class More(WebsocketParams):
        volume: int = 1

    with pytest.raises(PageError, match="volume: the docstring of More does not say what it does"):
        parameters_page(More)


def test_nor_has_one_without_a_test() -> None:
    class More(WebsocketParams):
        """More.

        Attributes:
            volume: dB; how loud.
        """

        volume: int = 1

    with pytest.raises(PageError, match="volume: there is no test_volume in tests/parameters"):
        parameters_page(More)


def test_nor_has_a_number_without_a_unit() -> None:
    class More(WebsocketParams):
        """More.

        Attributes:
            write_timeout: how long.
        """

    with pytest.raises(PageError, match="write_timeout: its description does not begin with a un"):
        parameters_page(More)
