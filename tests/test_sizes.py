"""No class and no module of the package grows past what a reader can hold in mind."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "wsframes"
MODULES = sorted(PACKAGE.rglob("*.py"))

LINES = 400
ATTRIBUTES = 12
METHODS = 25


def classes() -> list[tuple[str, ast.ClassDef]]:
    return [
        (f"{path.relative_to(PACKAGE)}: {node.name}", node)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]


CLASSES = classes()
BY_NAME = {node.name: node for _, node in CLASSES}


def functions(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]


def assigned(node: ast.ClassDef) -> set[str]:
    """The attributes of itself that a class sets, its bases' among them."""
    return {
        inner.attr
        for function in functions(node)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Attribute)
        and isinstance(inner.ctx, ast.Store)
        and isinstance(inner.value, ast.Name)
        and inner.value.id == "self"
    }


def inherited(node: ast.ClassDef) -> set[str]:
    bases = [
        BY_NAME[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in BY_NAME
    ]
    return set().union(*(assigned(base) | inherited(base) for base in bases))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module(path: Path) -> None:
    assert len(path.read_text().splitlines()) < LINES


def test_a_class() -> None:
    attributes = {name: len(assigned(node) - inherited(node)) for name, node in CLASSES}
    methods = {name: len(functions(node)) for name, node in CLASSES}
    assert {name: count for name, count in attributes.items() if count >= ATTRIBUTES} == {}
    assert {name: count for name, count in methods.items() if count > METHODS} == {}
