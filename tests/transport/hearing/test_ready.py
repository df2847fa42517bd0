"""`wsframes.transport.hearing.ready`."""

import threading

import anyio
import pytest

from tests.vad.parts import Loud
from wsframes.transport.hearing.ready import make_ready


async def test_what_an_analyzer_raises_is_told_with_its_name() -> None:
    class Unready(Loud):
        def prepare(self) -> None:
            raise OSError("no model")

    with pytest.raises(
        RuntimeError, match=r"^Unready could not be made ready: OSError\('no mo"
    ) as e:
        await make_ready(Unready())
    assert isinstance(e.value.__cause__, OSError)


async def test_one_that_takes_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsframes.transport.hearing.ready._PREPARE_S", 0.02)
    go_on = threading.Event()

    class Endless(Loud):
        def prepare(self) -> None:
            go_on.wait(60)

    with pytest.raises(TimeoutError, match=r"^Endless could not be made ready within 0.02 s$"):
        await make_ready(Endless())
    go_on.set()


async def test_a_cancellation_stays_one() -> None:
    go_on = threading.Event()

    class Slow(Loud):
        def prepare(self) -> None:
            go_on.wait(60)

    with anyio.move_on_after(0.02) as scope:
        await make_ready(Slow())
    go_on.set()
    assert scope.cancelled_caught


async def test_one_that_is_ready() -> None:
    class Ready(Loud):
        def prepare(self) -> None:
            done.append(threading.get_ident())

    done: list[int] = []
    await make_ready(Ready())
    assert len(done) == 1
    assert done[0] != threading.get_ident()
