"""`wsframes.transport.admission.shutdown`: the signals are real, and sent by the test to itself."""

import signal
import threading
from collections.abc import Iterator

import anyio
import anyio.to_thread
import pytest

from wsframes.exceptions import UsageError
from wsframes.testing import settle
from wsframes.transport.admission.shutdown import SignalWatch

BOTH = (signal.SIGTERM, signal.SIGINT)


class Server:
    """Handlers as a server sets them, and what is asked of the application."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.asked: list[str] = []
        self.drains_for_s = 0.0

    def on_signal(self, number: int, frame: object) -> None:
        self.told.append(number)

    async def drain(self) -> None:
        self.asked.append("drain")
        await anyio.sleep(self.drains_for_s)
        self.asked.append("drained")

    async def cancel(self) -> None:
        self.asked.append("cancel")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    before = {number: signal.signal(number, server.on_signal) for number in BOTH}
    yield server
    for number in BOTH:
        assert signal.getsignal(number) in (server.on_signal, signal.SIG_IGN)
        signal.signal(number, before[number])


@pytest.mark.parametrize("number", BOTH)
async def test_the_first_one_drains_and_then_the_server_is_told(
    server: Server, number: signal.Signals
) -> None:
    server.drains_for_s = 7
    async with SignalWatch(server.drain, server.cancel):
        signal.raise_signal(number)
        await anyio.sleep(5)
        assert (server.asked, server.told) == (["drain"], [])
        await anyio.sleep(3)
        assert server.asked == ["drain", "drained"]
        assert server.told == [signal.SIGINT]  # what it exits with 0 for
        signal.raise_signal(number)
        assert server.told == [signal.SIGINT, number]
    assert server.asked == ["drain", "drained"]


async def test_a_server_that_tells_them_apart_is_told_which_it_was(server: Server) -> None:
    signal.signal(signal.SIGINT, lambda *_: None)
    async with SignalWatch(server.drain, server.cancel):
        signal.raise_signal(signal.SIGTERM)
        await anyio.sleep(1)
    assert server.told == [signal.SIGTERM]
    signal.signal(signal.SIGINT, server.on_signal)


async def test_one_that_ignores_one_of_them_may_be_a_worker(server: Server) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    async with SignalWatch(server.drain, server.cancel):
        signal.raise_signal(signal.SIGTERM)
        await anyio.sleep(1.9)
        assert server.told == []
        await anyio.sleep(0.2)
        assert server.told == [signal.SIGTERM]


@pytest.mark.parametrize("drains_for_s", [3.3, 1000.0])
async def test_the_second_one_cancels_and_has_a_deadline(
    server: Server, drains_for_s: float
) -> None:
    server.drains_for_s = drains_for_s
    async with SignalWatch(server.drain, server.cancel):
        signal.raise_signal(signal.SIGTERM)
        await anyio.sleep(3)
        signal.raise_signal(signal.SIGTERM)
        await anyio.sleep(0.2)
        assert server.asked == ["drain", "cancel"]
        assert server.told == []
        await anyio.sleep(0.9)
        assert server.told == [signal.SIGINT] * 2
    assert server.asked[2:] == ["drained"] * (drains_for_s == 3.3)


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_worker_that_has_no_handler_is_given_time_to_leave(
    server: Server, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    """Only what the test sends is real: the signal that is handed on would end the tests."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    handed_on: list[tuple[int, object]] = []
    send = signal.raise_signal
    async with SignalWatch(server.drain, server.cancel):
        send(signal.SIGTERM)
        monkeypatch.setattr(
            signal,
            "raise_signal",
            lambda number: handed_on.append((number, signal.getsignal(number))),
        )
        await anyio.sleep(1.5 if leaves else 2.5)
        assert server.asked == ["drain", "drained"]
    assert handed_on == ([] if leaves else [(signal.SIGTERM, signal.SIG_DFL)])
    assert signal.signal(signal.SIGTERM, server.on_signal) is signal.SIG_DFL


async def test_a_third_one_takes_the_worker_its_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    handed_on: list[int] = []
    send = signal.raise_signal
    async with SignalWatch(server.drain, server.cancel):
        for _ in range(3):
            send(signal.SIGTERM)
        monkeypatch.setattr(signal, "raise_signal", handed_on.append)
        await anyio.sleep(0.2)
        assert handed_on == [signal.SIGTERM] * 3
    signal.signal(signal.SIGTERM, server.on_signal)


async def test_without_a_signal_nothing_happens(server: Server) -> None:
    async def fail() -> None:
        async with SignalWatch(server.drain, server.cancel):
            await anyio.sleep(1)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert (server.told, server.asked) == ([], [])


async def test_in_another_thread_it_is_refused() -> None:
    problems: list[UsageError] = []

    async def watch() -> None:
        try:
            async with SignalWatch(anyio.lowlevel.checkpoint, anyio.lowlevel.checkpoint):
                raise AssertionError("it was let in")
        except UsageError as exc:
            problems.append(exc)

    thread = threading.Thread(target=anyio.run, args=(watch,))
    thread.start()
    thread.join()
    assert "main thread" in str(problems[0])
    await settle()
