"""Backends, deadlines and Hypothesis profiles for all tests.

An async test runs once per backend, in virtual time. ``@pytest.mark.socket`` runs it in
real time instead, on asyncio, asyncio with uvloop, and trio. A test that needs other
backends parametrizes ``anyio_backend`` itself.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from wsframes.testing import real_backends, virtual_backends, with_deadline

if TYPE_CHECKING:
    from wsframes.testing import Backend

# Longer than any test, and shorter than for ever: a test whose tasks wait for each other
# has this timer as its last one, so in virtual time it fails at once.
VIRTUAL_LIMIT_S = 30 * 86400.0
REAL_LIMIT_S = 50.0

settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "dev")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "anyio_backend" not in metafunc.fixturenames:
        return
    if any(
        "anyio_backend" in str(mark.args[:1])
        for mark in metafunc.definition.iter_markers("parametrize")
    ):
        return
    real = metafunc.definition.get_closest_marker("socket") is not None
    backends = real_backends() if real else virtual_backends()
    metafunc.parametrize("anyio_backend", backends, indirect=True, scope="module")


@pytest.fixture(scope="module")
def anyio_backend(request: pytest.FixtureRequest) -> Backend:
    backend: Backend = request.param
    return backend


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Puts a deadline around the test before anyio's plugin runs it."""
    real = pyfuncitem.get_closest_marker("socket") is not None
    limit_s = REAL_LIMIT_S if real else VIRTUAL_LIMIT_S
    test: Any = pyfuncitem.obj
    if inspect.iscoroutinefunction(test):
        pyfuncitem.obj = with_deadline(test, limit_s)
    # anyio puts a sync function in its place, so the second backend finds it limited.
    elif hasattr(test, "hypothesis") and inspect.iscoroutinefunction(test.hypothesis.inner_test):
        test.hypothesis.inner_test = with_deadline(test.hypothesis.inner_test, limit_s)
