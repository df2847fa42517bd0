"""Handlers and the queue that calls them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.graph.test_failures import stray_cancellation
from wsframes.exceptions import UsageError
from wsframes.graph.events import EventHandlers, EventQueue
from wsframes.testing import settle

NAMES = ("on_this", "on_that")


class Told:
    """What a queue's owner is told."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, BaseException]] = []

    def __call__(self, name: str, exc: BaseException) -> None:
        self.failed.append((name, exc))


@asynccontextmanager
async def queue(timeout_s: float = 5.0) -> AsyncIterator[tuple[EventQueue, EventHandlers, Told]]:
    told = Told()
    async with anyio.create_task_group() as tasks:
        events = EventQueue(tasks, timeout_s, told)
        yield events, EventHandlers("it", NAMES), told
        events.close()


def test_an_unknown_event_is_refused_with_the_known_ones() -> None:
    handlers = EventHandlers("it", NAMES)
    with pytest.raises(UsageError, match="it has no event 'on_more'; its events: on_that, on_this"):
        handlers.add("on_more", print)
    with pytest.raises(UsageError, match="its events: none"):
        EventHandlers("it", ()).get("on_this")


def test_an_event_can_be_made_known() -> None:
    handlers = EventHandlers("it", ())
    handlers.register("on_more")
    handlers.handler("on_more")(print)
    handlers.register("on_more")
    assert handlers.get("on_more") == [print]


async def test_handlers_are_called_one_after_the_other_in_the_order_of_events() -> None:
    async with queue() as (events, handlers, _):
        log: list[str] = []

        @handlers.handler("on_this")
        async def this(text: str) -> None:
            log.append(f"{text} begins")
            await anyio.sleep(1)
            log.append(f"{text} ends")

        @handlers.handler("on_that")
        def that(text: str) -> None:
            log.append(text)

        handlers.add("on_this", lambda text: log.append(f"also {text}"))
        events.emit(handlers, "on_this", "a")
        events.emit(handlers, "on_that", "b")
        events.emit(handlers, "on_this", "c")
        assert log == [], "emit does not call anybody"
        await events.wait_idle()
        assert log == ["a begins", "a ends", "also a", "b", "c begins", "c ends", "also c"]
        counts = events.statistics()
        assert (counts.taken, counts.delivered, counts.queued) == (5, 5, 0)


async def test_several_may_wait_until_all_is_told() -> None:
    async with queue() as (events, handlers, _):
        handlers.add("on_this", lambda: anyio.sleep(1))
        events.emit(handlers, "on_this")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(events.wait_idle)
            tasks.start_soon(events.wait_idle)
        assert events.statistics().delivered == 1


async def test_it_waits_for_nothing_when_nothing_was_told() -> None:
    async with queue() as (events, handlers, _):
        await events.wait_idle()
        events.emit(handlers, "on_this")
        await events.wait_idle()
        events.abandon()
        assert events.statistics().taken == 0


async def test_a_handler_that_does_not_return_is_cancelled_and_counted() -> None:
    async with queue(timeout_s=5.0) as (events, handlers, told):
        log: list[float] = []
        begun_s = anyio.current_time()
        handlers.add("on_this", anyio.sleep_forever)
        handlers.add("on_that", lambda: log.append(anyio.current_time() - begun_s))
        events.emit(handlers, "on_this")
        events.emit(handlers, "on_that")
        await events.wait_idle()
        assert log == [5.0]
        assert events.statistics().dropped == {"handler_timeout": 1}
        ((name, exc),) = told.failed
        assert name == "on_this"
        assert isinstance(exc, TimeoutError)
        assert str(exc) == "a handler of on_this did not return within 5.0 s"


async def test_a_handler_that_raises_is_told_of_and_the_next_one_called() -> None:
    async with queue() as (events, handlers, told):
        error = LookupError()
        stray = await stray_cancellation()
        log: list[str] = []

        def fail() -> None:
            raise error

        async def fail_later() -> None:
            raise stray

        handlers.add("on_this", fail)
        handlers.add("on_this", fail_later)
        handlers.add("on_this", lambda: log.append("next"))
        events.emit(handlers, "on_this")
        await events.wait_idle()
        assert told.failed == [("on_this", error), ("on_this", stray)]
        assert log == ["next"]
        assert events.statistics().dropped == {"error": 2}


async def test_what_one_event_floods_does_not_push_out_another() -> None:
    async with queue() as (events, handlers, _):
        log: list[str] = []
        handlers.add("on_this", lambda: log.append("this"))
        handlers.add("on_that", lambda: log.append("that"))
        for _ in range(2000):
            events.emit(handlers, "on_this")
        events.emit(handlers, "on_that")
        await events.wait_idle()
        assert log == ["this"] * 1024 + ["that"]
        assert events.statistics().dropped == {"full": 976}
        events.emit(handlers, "on_this")
        await events.wait_idle()
        assert len(log) == 1026, "and there is room again"


async def test_what_is_abandoned_is_cancelled_dropped_and_counted() -> None:
    async with queue() as (events, handlers, told):
        log: list[str] = []

        async def hang() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                log.append("cancelled")

        handlers.add("on_this", hang)
        handlers.add("on_that", lambda: log.append("that"))
        for _ in range(3):
            events.emit(handlers, "on_this")
        await settle()
        events.abandon()
        await events.wait_idle()
        events.emit(handlers, "on_that")
        await events.wait_idle()
        await settle()
        assert sorted(log) == ["cancelled", "that"]
        assert events.statistics().dropped == {"abandoned": 3}
        assert not told.failed


async def test_an_event_does_not_wait_for_an_abandoned_handler_that_stays() -> None:
    async with queue() as (events, handlers, _):
        log: list[str] = []

        async def stay() -> None:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(10)
            log.append("gone")

        handlers.add("on_this", stay)
        handlers.add("on_that", lambda: log.append("that"))
        events.emit(handlers, "on_this")
        await settle()
        events.abandon()
        events.emit(handlers, "on_that")
        await events.wait_idle()
        assert log == ["that"]
        events.emit(handlers, "on_that")
        await anyio.sleep(11)
        assert log == ["that", "that", "gone"]


async def test_events_are_told_though_their_task_group_is_cancelled() -> None:
    told = Told()
    handlers = EventHandlers("it", NAMES)
    log: list[str] = []

    async def this() -> None:
        await anyio.sleep(1)
        log.append("this")

    handlers.add("on_this", this)
    async with anyio.create_task_group() as tasks:
        events = EventQueue(tasks, 5.0, told)
        events.emit(handlers, "on_this")
        tasks.cancel_scope.cancel()
    assert log == ["this"]


async def test_after_the_end_nothing_is_told_but_counted() -> None:
    async with queue() as (events, handlers, _):
        handlers.add("on_this", print)
        events.close()
        events.emit(handlers, "on_this")
        assert events.statistics().dropped == {"finished": 1}


async def test_what_is_no_exception_comes_out_of_the_task_group() -> None:
    class Halt(BaseException):
        """As the end of the process is; but that one would end the event loop of the test."""

    def halt() -> None:
        raise Halt

    handlers = EventHandlers("it", NAMES)
    handlers.add("on_this", halt)
    with pytest.raises(BaseExceptionGroup) as caught:
        async with anyio.create_task_group() as tasks:
            EventQueue(tasks, 5.0, Told()).emit(handlers, "on_this")
    assert isinstance(caught.value.exceptions[0], Halt)
