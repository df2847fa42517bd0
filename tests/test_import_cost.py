"""Importing the package loads the base install and no more.

What is loaded is compared with a list of what may be, so that an optional package nobody thought of
is caught too.
"""

import importlib
import subprocess
import sys

import pytest

BASE = {
    "annotated_types",
    "anyio",
    "idna",
    "msgspec",
    "pydantic",
    "pydantic_core",
    "sniffio",
    "typing_extensions",
    "typing_inspection",
    "wsframes",
}

# What the interpreter loads for itself, such as an import hook of its environment, is not ours.
PROBE = """
import importlib, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(*set(sys.modules) - before)
"""


def packages_loaded_by(module: str) -> set[str]:
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, module], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in probe.stdout.split()}
    assert "wsframes" in loaded
    # The platform's build settings are part of the standard library under a name of their own.
    return {
        name for name in loaded - sys.stdlib_module_names if not name.startswith("_sysconfigdata")
    }


@pytest.mark.parametrize(
    "module",
    ["wsframes", "wsframes.audio", "wsframes.serializers", "wsframes.vad", "wsframes.turn"],
)
def test_core_loads_only_the_base_install_and_no_web_framework(module: str) -> None:
    assert packages_loaded_by(module) <= BASE


@pytest.mark.parametrize("module", ["wsframes.transport", "wsframes.testing"])
def test_ends_of_the_graph_add_starlette_and_nothing_else(module: str) -> None:
    assert packages_loaded_by(module) <= BASE | {"starlette"}


def test_pydantic_is_loaded_when_it_is_used() -> None:
    assert "pydantic" not in packages_loaded_by("wsframes")


@pytest.mark.parametrize("module", ["wsframes", "wsframes.graph"])
def test_a_name_that_is_loaded_when_it_is_used_is_like_the_others(module: str) -> None:
    package = importlib.import_module(module)

    assert package.PipelineParams is importlib.import_module("wsframes.graph.params").PipelineParams
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'PipelineParam'"):
        _ = package.PipelineParam
