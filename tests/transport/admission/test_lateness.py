"""`wsframes.transport.admission.lateness`, and `max_lateness_ms` of `WebsocketApp`."""

import time
from typing import Any

import anyio
import pytest

from tests.transport.sessions import Echo
from wsframes import Pipeline, PipelineTask
from wsframes.testing import MemoryPeer, PeerDenied, settle
from wsframes.transport import WebsocketApp, WebsocketParams, WebsocketTransport
from wsframes.transport.admission.lateness import LatenessWatch
from wsframes.transport.admission.overload import Overload


class Looks(Overload):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(0.02)
        self.noted: list[tuple[float, float]] = []

    def note(self, late_s: float, now_s: float, cpu_s: float = 0.0) -> None:
        super().note(late_s, now_s, cpu_s)
        self.noted.append((round(late_s, 9), round(now_s, 9)))


async def test_it_looks_while_one_runs_and_only_once() -> None:
    looks = Looks()
    watch = LatenessWatch(looks)
    async with anyio.create_task_group() as tasks:
        for seconds in (0.1, 0.2, 0.05):
            tasks.start_soon(watch.run, anyio.sleep, seconds)
    assert 7 <= len(looks.noted) <= 10
    assert all(late_s == 0.0 for late_s, _ in looks.noted)
    noted = len(looks.noted)
    await anyio.sleep(1)
    assert len(looks.noted) == noted
    await watch.run(anyio.sleep, 0.1)
    assert len(looks.noted) > noted


async def test_it_hands_on_what_the_call_returns_and_raises() -> None:
    async def fail() -> None:
        raise ValueError("as it was told")

    async def answer(number: int) -> int:
        return number

    for watch in (LatenessWatch(None), LatenessWatch(Looks())):
        assert await watch.run(answer, 7) == 7
        with pytest.raises(ValueError, match="as it was told"):
            await watch.run(fail)


async def test_a_call_that_is_cancelled_hands_the_looking_on() -> None:
    looks = Looks()
    watch = LatenessWatch(looks)
    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(0.1):
            tasks.start_soon(_late, watch)
            await watch.run(anyio.sleep_forever)
        noted = len(looks.noted)
        await anyio.sleep(0.1)
        assert len(looks.noted) >= noted + 3


async def _late(watch: LatenessWatch) -> None:
    await anyio.sleep(0.05)
    await watch.run(anyio.sleep, 1)


def test_without_a_limit_nothing_is_measured() -> None:
    watch = LatenessWatch(None)
    assert watch.lateness_s is None
    assert all(watch.admits(number) for number in range(100))
    assert LatenessWatch(Overload(0.02)).lateness_s == 0.0


# --- the application


def make_app(**options: Any) -> WebsocketApp:
    def build(transport: WebsocketTransport) -> Pipeline:
        return Pipeline([transport.input(), Echo(), transport.output()])

    return WebsocketApp(build, params=WebsocketParams(), **options)


async def test_an_app_whose_loop_is_late_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(max_lateness_ms=20)
    late_s = 0.0
    sleep_until = anyio.sleep_until

    async def late(due_s: float) -> None:
        await sleep_until(due_s + late_s)

    monkeypatch.setattr("wsframes.transport.admission.lateness.anyio.sleep_until", late)
    async with MemoryPeer(app) as first:
        await first.connect()
        await anyio.sleep(2)
        assert app.statistics().lateness_s == pytest.approx(0)
        late_s = 0.05
        await anyio.sleep(2)
        assert app.statistics().lateness_s == pytest.approx(0.05)
        with pytest.raises(PeerDenied) as denied:
            async with MemoryPeer(app) as second:
                await second.connect()
        assert denied.value.status == 503
        assert app.statistics().refused == {"overload": 1}
        late_s = 0.0
        await anyio.sleep(2.1)
        async with MemoryPeer(app) as third:
            await third.connect()
    assert app.statistics().accepted == 2


async def test_without_the_option_it_does_not() -> None:
    app = make_app()
    async with MemoryPeer(app) as peer:
        await peer.connect()
        assert app.statistics().lateness_s is None
        names = {task.name for task in anyio.get_running_tasks()}
        assert "wsframes lateness" not in names


async def test_what_a_session_raises_comes_out_as_it_is() -> None:
    def build(transport: WebsocketTransport) -> PipelineTask:
        task = PipelineTask(Pipeline([transport.input(), transport.output()]))
        task._state = task._state.FINISHED  # it will refuse to run
        return task

    app = WebsocketApp(build, params=WebsocketParams(), max_lateness_ms=20)
    with pytest.raises(Exception, match="has finished"):
        async with MemoryPeer(app) as peer:
            await peer.connect()
    assert app.statistics().ended == {"error": 1}


@pytest.mark.socket
async def test_a_loop_that_is_blocked_is_seen_to_be_late() -> None:
    overload = Overload(0.02)
    watch = LatenessWatch(overload)

    async def block() -> None:
        for _ in range(10):
            time.sleep(0.1)  # noqa: ASYNC251 - what is to be noticed
            await settle()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.run, anyio.sleep_forever)
        await settle()
        await block()
        lateness_s = watch.lateness_s
        tasks.cancel_scope.cancel()
    assert lateness_s is not None
    assert lateness_s > 0.02
    assert not overload.admits(1, anyio.current_time())
