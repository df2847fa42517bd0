"""What is a failure, and how it is logged."""

import asyncio
import logging
import sys

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.graph.failures import FailureLog, clip, describe, ends_task, is_failure
from wsframes.testing import settle, virtual_backends


async def stray_cancellation() -> BaseException:
    """A cancellation exception that cancels nobody any more."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await anyio.lowlevel.checkpoint()
        except anyio.get_cancelled_exc_class() as exc:
            return exc
    raise AssertionError("a cancelled checkpoint raises")


async def test_an_exception_is_a_failure_and_the_end_of_the_process_is_none() -> None:
    assert is_failure(LookupError())
    assert is_failure(ExceptionGroup("several", [LookupError()]))
    assert not is_failure(KeyboardInterrupt())
    assert not is_failure(SystemExit())


async def test_a_cancellation_is_a_failure_only_where_nobody_is_being_cancelled() -> None:
    stray = await stray_cancellation()
    assert is_failure(stray)
    with anyio.CancelScope() as scope:  # noqa: ASYNC100
        scope.cancel()
        assert not is_failure(stray)


async def test_an_error_beside_a_cancellation_is_a_failure() -> None:
    stray = await stray_cancellation()
    inner = BaseExceptionGroup("inner", [stray, LookupError()])
    assert is_failure(BaseExceptionGroup("several", [stray, inner]))
    assert not is_failure(BaseExceptionGroup("several", [inner, KeyboardInterrupt()]))
    assert not is_failure(BaseExceptionGroup("several", [stray]))


async def test_only_a_cancellation_of_the_task_itself_ends_it() -> None:
    assert not ends_task(LookupError())
    assert not ends_task(await stray_cancellation())


@pytest.mark.parametrize("anyio_backend", virtual_backends()[:1], indirect=True)
async def test_asyncio_can_cancel_a_task_past_all_scopes(
    anyio_backend: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[bool] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        except asyncio.CancelledError as exc:
            caught.extend([is_failure(exc), ends_task(exc)])
            monkeypatch.delitem(sys.modules, "asyncio")
            caught.append(ends_task(exc))
            monkeypatch.undo()

    task = asyncio.ensure_future(work())
    await settle()
    task.cancel()
    await task
    assert caught == [True, True, False], "the last where asyncio is not there: trio runs"


def test_a_description_is_short_whatever_it_describes() -> None:
    assert describe(LookupError("key")) == "LookupError('key')"
    text = describe(ValueError("x" * 10_000))
    assert len(text.encode()) == 256
    assert text.endswith("\u2026")
    assert len(describe("\u00e4" * 10_000).encode()) in (255, 256)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r", r"a\nb\r"),
        ("\x1b[31m\x00", r"\x1b[31m\x00"),
        ("gr\u00fc\u00df dich", "gr\u00fc\u00df dich"),
        ("abc\u202exyz", r"abc\u202exyz"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert clip(text) == shown
    assert describe(ValueError(text)).isprintable()


@given(st.text(), st.integers(3, 300))
def test_a_clipped_text_is_short_and_printable(text: str, most_bytes: int) -> None:
    """Property: whatever the text, one printable line of at most so many bytes."""
    shown = clip(text, most_bytes)
    assert shown.isprintable()
    assert len(shown.encode()) <= most_bytes


def test_a_description_of_what_cannot_be_described() -> None:
    class Secretive(Exception):
        def __repr__(self) -> str:
            raise LookupError

    assert describe(Secretive()) == "Secretive, whose repr fails"


def raised(exc: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise exc from cause
    except Exception as error:
        return error


async def test_it_logs_once_a_second_for_each_place_and_counts_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = FailureLog()
    for _ in range(5):
        log.error("here", "here it failed")
    log.error("there", "there it failed")
    await anyio.sleep(1)
    log.error("here", "here it failed again")
    await anyio.sleep(1)
    log.error("here", "here it failed once more")
    assert [record.getMessage() for record in caplog.records] == [
        "here it failed",
        "there it failed",
        "here it failed again (4 more before it)",
        "here it failed once more",
    ]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


async def test_it_logs_where_the_exception_and_its_causes_came_from_without_their_bulk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bulk = "payload" * 10_000
    exc = raised(ValueError(bulk), raised(LookupError(bulk)))
    FailureLog().error("here", "it failed", exc)
    text = caplog.records[0].getMessage()
    assert text.startswith("it failed\nValueError(")
    assert "LookupError(" in text
    assert text.count("test_failures.py") == 2
    assert len(text) < 2000
    assert text.count("payload") * len("payload") <= 256


class Loud(Exception):
    def __repr__(self) -> str:
        return "!" * 100


async def test_what_exceptions_say_has_room_in_all_and_their_types_are_always_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exc = raised(Loud(), raised(Loud(), raised(Loud(), Loud())))
    FailureLog().error("here", "x" * 200, exc)
    FailureLog().error("here", "!" * 100 + " failed", exc)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.count("Loud !") == 2
    assert first.count("\nLoud") == 4
    assert first.count("!") + 200 <= 256
    assert second.count("Loud from") == 4


async def test_what_an_exception_suppresses_is_not_logged_and_what_it_hides_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hidden = raised(LookupError("hidden"))
    suppressing = raised(ValueError("first"))
    suppressing.__context__ = hidden
    suppressing.__suppress_context__ = True
    FailureLog().error("first", "first failed", suppressing)
    telling = raised(ValueError("second"))
    telling.__suppress_context__ = False
    telling.__context__ = hidden
    FailureLog().error("second", "second failed", telling)
    first, second = (record.getMessage() for record in caplog.records)
    assert "hidden" not in first
    assert "LookupError('hidden')" in second


async def test_a_chain_of_causes_has_an_end(caplog: pytest.LogCaptureFixture) -> None:
    exc = raised(LookupError("0"))
    for number in range(1, 10):
        exc = raised(LookupError(str(number)), exc)
    FailureLog().error("here", "it failed", exc)
    assert caplog.records[0].getMessage().count("LookupError") == 4
