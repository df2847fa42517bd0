"""Pages that are made from the code are what the code makes now."""

from pathlib import Path

import pytest

import wsframes.frames
from docs.generate import HERE, PAGES, frame_types, main
from wsframes.frames import Frame


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
