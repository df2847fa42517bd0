"""Observers and cleanups that raise: wsframes.testing.watching, as `run_test` uses it."""

from typing import Any

import anyio
import pytest

from wsframes import (
    BaseObserver,
    CancelFrame,
    Frame,
    FrameProcessor,
    FramePushed,
    Pipeline,
    StopFrame,
    TextFrame,
)
from wsframes.processors import IdentityFilter
from wsframes.testing import run_test

A, B = TextFrame("a"), TextFrame("b")


async def failure(section: Any, *frames: Frame, **options: Any) -> AssertionError:
    with pytest.raises(AssertionError) as caught:
        await run_test(section, frames_to_send=frames, **options)
    return caught.value


def raising(kind: type, hook: str, is_async: bool, error: BaseException) -> Any:
    """One of this kind whose hook raises, with `async def` or `def`."""

    def fail(*args: Any) -> None:
        raise error

    async def fail_later(*args: Any) -> None:
        await anyio.sleep(0.1)
        raise error

    return type(f"Bad{kind.__name__}", (kind,), {hook: fail_later if is_async else fail})


either_way = pytest.mark.parametrize("is_async", [False, True])


@either_way
async def test_a_cleanup_that_raises_fails_the_test(is_async: bool) -> None:
    bad = raising(FrameProcessor, "cleanup", is_async, LookupError("no file"))
    error = await failure(Pipeline([bad(name="it"), IdentityFilter()]), A)
    assert str(error) == "it failed in its cleanup: LookupError('no file')"
    assert isinstance(error.__cause__, LookupError)
    # Also where a StopFrame leaves it for later, and behind what came out.
    error = await failure(
        bad(name="it"), A, StopFrame(), send_end_frame=False, expected_down_frames=[A]
    )
    assert str(error).startswith("frames downstream: 1 expected, 2 got")
    assert str(error).endswith("it failed in its cleanup: LookupError('no file')")


async def test_a_plain_function_may_clean_up_with_a_coroutine() -> None:
    class Bad(FrameProcessor):
        def cleanup(self) -> Any:
            return self.finish()

        async def finish(self) -> None:
            raise LookupError("no file")

    assert "it failed in its cleanup: LookupError" in str(await failure(Bad(name="it")))


async def test_a_processor_is_left_as_it_was() -> None:
    it, cleaned_up = IdentityFilter(), []
    await run_test(it)
    assert "cleanup" not in vars(it)

    def own() -> None:
        cleaned_up.append(it)

    it.cleanup = own  # type: ignore[method-assign]
    for _ in range(2):
        await run_test(it)
    assert cleaned_up == [it, it]
    assert vars(it)["cleanup"] is own


@pytest.mark.parametrize("kind", [AssertionError, pytest.fail.Exception])
@either_way
async def test_what_an_observer_raises_is_raised(
    is_async: bool, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    first = kind("no text, please")
    bad = raising(BaseObserver, "on_push_frame", is_async, first)
    seen: list[Frame] = []

    class Other(BaseObserver):
        async def on_push_frame(self, data: FramePushed) -> None:
            seen.append(data.frame)

    with pytest.raises(kind) as caught:
        await run_test(IdentityFilter(), frames_to_send=[A, B], observers=[bad(), Other()])
    assert caught.value is first
    if kind is AssertionError:  # the run has gone on, as any would
        assert B in seen
        assert "observer BadBaseObserver failed" in caplog.text


async def test_an_observer_that_is_cancelled_has_not_failed() -> None:
    class Slow(BaseObserver):
        async def on_push_frame(self, data: FramePushed) -> None:
            await anyio.sleep_forever()

    await run_test(
        IdentityFilter(), frames_to_send=[CancelFrame()], send_end_frame=False, observers=[Slow()]
    )
