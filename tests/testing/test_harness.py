"""A processor by itself: wsframes.testing.harness, and wsframes.testing.trial below it."""

import time
from typing import Any

import anyio
import pytest

from wsframes import (
    BaseObserver,
    BotInterruptionFrame,
    CancelFrame,
    EndFrame,
    EndReason,
    ErrorFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    FramePushed,
    HeartbeatFrame,
    InterruptionFrame,
    ParallelPipeline,
    Pipeline,
    PipelineParams,
    PipelineTask,
    QueueLimits,
    StartFrame,
    StopFrame,
    TextFrame,
)
from wsframes.exceptions import UsageError
from wsframes.processors import FrameFilter, IdentityFilter, NullFilter, processor
from wsframes.testing import SleepFrame, run_test

UPSTREAM = FrameDirection.UPSTREAM

A, B = TextFrame("a"), TextFrame("b")


@processor
def shout(frame: TextFrame) -> TextFrame:
    return TextFrame(frame.text.upper())


@processor
async def wait_a_minute(frame: TextFrame) -> TextFrame:
    await anyio.sleep(60)
    return frame


@processor
async def hang(frame: TextFrame) -> None:
    await anyio.sleep_forever()


@processor
def fail(frame: TextFrame) -> None:
    raise LookupError(f"no {frame.text}")


# --- what comes out


@pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.socket)])
async def test_frames_go_in_and_come_out_in_virtual_time_and_in_real_time(real: bool) -> None:
    down, up = await run_test(
        shout(),
        frames_to_send=[A, SleepFrame(0.01), B],
        expected_down_frames=[TextFrame("A"), TextFrame],
        expected_up_frames=[],
    )
    assert [type(frame) for frame in down] == [TextFrame, TextFrame]
    assert up == []


async def test_it_is_enough_to_start_and_end() -> None:
    assert await run_test(IdentityFilter()) == ([], [])


async def test_frames_can_be_sent_upstream() -> None:
    down, up = await run_test(
        IdentityFilter(),
        frames_to_send=(frame for frame in [A, B]),
        frames_to_send_direction=UPSTREAM,
        expected_up_frames=[A, B],
        expected_down_frames=[],
    )
    assert (down, up) == ([], [A, B])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pipeline([IdentityFilter(), shout()]),
        lambda: ParallelPipeline([shout()], [NullFilter()]),
        lambda: Pipeline([ParallelPipeline([FrameFilter([])], [Pipeline([shout()])])]),
    ],
)
async def test_pipelines_are_run_as_processors_are(make: Any) -> None:
    await run_test(
        make(), frames_to_send=[A, B], expected_down_frames=[TextFrame("A"), TextFrame("B")]
    )


async def test_a_pause_lets_what_was_sent_before_it_go_first() -> None:
    # An interruption overtakes what waits, and drops it.
    await run_test(
        wait_a_minute(),
        frames_to_send=[A, InterruptionFrame(), SleepFrame(), B],
        expected_down_frames=[InterruptionFrame, B],
        timeout_s=100,
    )
    await run_test(
        wait_a_minute(),
        frames_to_send=[A, SleepFrame(61), InterruptionFrame(), SleepFrame(), B],
        expected_down_frames=[A, InterruptionFrame, B],
        timeout_s=100,
    )


async def test_a_pause_may_be_as_long_as_it_likes() -> None:
    real_s = time.perf_counter()
    await run_test(shout(), frames_to_send=[A, SleepFrame(3600), B])
    assert anyio.current_time() >= 3600
    assert time.perf_counter() - real_s < 5


def test_a_pause_is_short_by_default() -> None:
    assert SleepFrame().sleep == 0.2


async def test_start_and_end_are_left_out_unless_asked_for() -> None:
    end = EndFrame("mine")
    down, _ = await run_test(
        IdentityFilter(),
        frames_to_send=[A, end],
        expected_down_frames=[StartFrame, A, end],
        ignore_start=False,
        send_end_frame=False,
    )
    assert isinstance(down[0], StartFrame)


async def test_frames_that_a_processor_pushes_by_itself_are_seen() -> None:
    class Talkative(FrameProcessor):
        def start(self, frame: StartFrame) -> None:
            self.push_frame_nowait(A)
            self.push_frame_nowait(A, UPSTREAM)

        async def stop(self, frame: EndFrame) -> None:
            self.push_frame_nowait(B)
            self.push_frame_nowait(B, UPSTREAM)

    await run_test(Talkative(), expected_down_frames=[A, B], expected_up_frames=[A, B])


async def test_what_an_interrupted_lane_still_pushes_is_seen() -> None:
    class Careful(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                try:
                    await anyio.sleep_forever()
                finally:
                    self.push_frame_nowait(HeartbeatFrame(0.0))

    await run_test(
        Careful(),
        frames_to_send=[A, SleepFrame(), InterruptionFrame(), SleepFrame()],
        expected_down_frames=[InterruptionFrame, HeartbeatFrame],
    )


async def test_a_processor_may_ask_for_an_interruption_and_for_the_end() -> None:
    class Rude(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                self.push_frame_nowait(BotInterruptionFrame(), UPSTREAM)
                self.push_frame_nowait(EndFrame(), UPSTREAM)

    await run_test(
        Rude(),
        frames_to_send=[A],
        send_end_frame=False,
        expected_down_frames=[InterruptionFrame, EndFrame],
        expected_up_frames=[BotInterruptionFrame, EndFrame],
    )


async def test_an_end_of_its_own_is_not_left_out() -> None:
    class Short(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                self.push_frame_nowait(EndFrame(), UPSTREAM)

    await run_test(Short(), frames_to_send=[A, SleepFrame()], expected_down_frames=[EndFrame])


@pytest.mark.parametrize("last", [CancelFrame(), StopFrame()])
async def test_a_run_may_be_cancelled_or_stopped_and_is_cleaned_up(last: Frame) -> None:
    cleaned_up: list[str] = []

    class Noting(FrameProcessor):
        def cleanup(self) -> None:
            cleaned_up.append(self.name)

    await run_test(
        Noting(name="it"),
        frames_to_send=[A, SleepFrame(), last],
        send_end_frame=False,
        expected_down_frames=[A, type(last)],
    )
    assert cleaned_up == ["it"]


async def test_observers_and_parameters_are_handed_on() -> None:
    rates: list[int | None] = []
    seen: list[Frame] = []

    class Noting(FrameProcessor):
        def start(self, frame: StartFrame) -> None:
            rates.append(frame.audio_in_sample_rate)

    class Observer(BaseObserver):
        def on_push_frame(self, data: FramePushed) -> None:
            if isinstance(data.frame, TextFrame):
                seen.append(data.frame)

    await run_test(
        Noting(),
        frames_to_send=[A],
        observers=[Observer()],
        pipeline_params=PipelineParams(audio_in_sample_rate=48000),
    )
    assert rates == [48000]
    assert A in seen


# --- what fails


async def failure(section: Any, *frames: Frame, **options: Any) -> AssertionError:
    with pytest.raises(AssertionError) as caught:
        await run_test(section, frames_to_send=frames, **options)
    return caught.value


async def test_other_frames_than_expected_are_shown() -> None:
    error = await failure(shout(), A, B, expected_down_frames=[TextFrame("A")])
    assert "frames downstream: 1 expected, 2 got, different from number 1 on:" in str(error)
    assert "(text='B')" in str(error)

    error = await failure(shout(), A, expected_up_frames=[A], expected_down_frames=[])
    assert "frames downstream: 0 expected, 1 got" in str(error)
    assert "frames upstream: 1 expected, 0 got" in str(error)


async def test_a_processor_that_raises_fails_the_test() -> None:
    error = await failure(fail(name="it"), A, B, expected_down_frames=[A])
    assert "it failed on TextFrame" in str(error)
    assert "LookupError('no b')" in str(error)
    assert "give expected_up_frames=[ErrorFrame, ...]" in str(error)
    assert "frames downstream: 1 expected, 0 got" in str(error)
    assert isinstance(error.__cause__, LookupError)


async def test_a_processor_that_is_meant_to_raise_does_not() -> None:
    await run_test(fail(), frames_to_send=[A], expected_up_frames=[ErrorFrame])
    # Not with the wrong error, though; and the exception is shown.
    error = await failure(fail(), A, expected_up_frames=[ErrorFrame, ErrorFrame])
    assert isinstance(error.__cause__, LookupError)


async def test_an_error_that_is_told_without_an_exception_fails_the_test_too() -> None:
    class Unhappy(FrameProcessor):
        def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                self.push_error("not today")

    error = await failure(Unhappy(), A)
    assert str(error).startswith("not today\n")
    assert error.__cause__ is None


class BadStart(FrameProcessor):
    async def start(self, frame: StartFrame) -> None:
        await anyio.sleep_forever()


class BadStop(FrameProcessor):
    async def stop(self, frame: EndFrame) -> None:
        await anyio.sleep_forever()


class BadCancel(FrameProcessor):
    def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            self.end_run(EndReason.CANCELLED)

    async def cancel(self, frame: CancelFrame) -> None:
        await anyio.sleep_forever()


class BadCleanup(FrameProcessor):
    async def cleanup(self) -> None:
        await anyio.sleep_forever()


@pytest.mark.parametrize("kind", [BadStart, BadStop, BadCleanup, hang])
async def test_a_processor_that_hangs_is_named_at_a_deadline(kind: type[FrameProcessor]) -> None:
    error = await failure(kind(name="it"), A, timeout_s=3)
    assert "it is stuck" in str(error)
    assert anyio.current_time() <= 6


async def test_a_cancel_that_hangs_is_named() -> None:
    error = await failure(BadCancel(name="it"), A, SleepFrame())
    assert "it is stuck: the run ended as cancelled" in str(error)


async def test_a_processor_that_hangs_and_takes_no_more_is_named() -> None:
    sent = [TextFrame(str(number)) for number in range(300)]
    error = await failure(Pipeline([IdentityFilter(), hang(name="it"), shout()]), *sent)
    assert "it is stuck: TextFrame#" in str(error)
    assert "found no room in its queue for 10 s" in str(error)


async def test_a_queue_that_overflows_fails_the_test() -> None:
    class Small(IdentityFilter):
        queue_limits = QueueLimits(max_frames=2, when_full="close")

        async def stop(self, frame: EndFrame) -> None:
            """With this it has a lane."""

    @processor
    def burst(frame: TextFrame) -> list[Frame]:
        return [TextFrame(frame.text) for _ in range(10)]

    error = await failure(Pipeline([burst(), Small(name="it")]), A)
    assert "the run ended as overload, the ordered queue of it is full" in str(error)


async def test_a_run_that_nobody_ends_fails_the_test() -> None:
    error = await failure(shout(), A, send_end_frame=False, timeout_s=5)
    assert str(error) == ("the run did not end within 5 s of the last frame: send an EndFrame")
    error = await failure(hang(name="it"), A, send_end_frame=False, timeout_s=5)
    assert str(error) == "it is stuck: it did not get on for 5 s"


async def test_a_fatal_error_ends_the_run_and_fails_the_test() -> None:
    class Broken(FrameProcessor):
        def start(self, frame: StartFrame) -> None:
            raise LookupError("no key")

    error = await failure(Broken(name="it"), A)
    assert "LookupError('no key')" in str(error)
    assert isinstance(error.__cause__, LookupError)


async def test_a_processor_that_runs_elsewhere_is_refused_without_a_group() -> None:
    shared = IdentityFilter()
    task = PipelineTask(Pipeline([shared]))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(task.run)
        await anyio.sleep(1)
        with pytest.raises(UsageError, match="is part of a pipeline that is running already"):
            await run_test(shared)
        await task.stop_when_done()


@pytest.mark.parametrize("name", ["frames_to_send", "expected_down_frames", "expected_up_frames"])
@pytest.mark.parametrize("single", [A, TextFrame])
async def test_a_single_one_for_a_list_is_named(name: str, single: Any) -> None:
    lists: dict[str, Any] = {name: single}
    with pytest.raises(TypeError, match=rf"{name} has to be a list, and not .*TextFrame"):
        await run_test(IdentityFilter(), **lists)


async def test_frames_that_cannot_be_made_end_the_run_and_are_raised() -> None:
    def broken() -> Any:
        yield A
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run_test(IdentityFilter(), frames_to_send=broken())


@pytest.mark.parametrize("where", ["frames", "lane"])
async def test_what_pytest_raises_is_raised_as_it_is(where: str) -> None:
    class Lane(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                pytest.fail("so be it")

    def frames() -> Any:
        yield A
        pytest.fail("so be it")

    tried = (Lane(), [A]) if where == "lane" else (IdentityFilter(), frames())
    with pytest.raises(pytest.fail.Exception, match="so be it"):
        await run_test(tried[0], frames_to_send=tried[1])


async def test_cancelling_the_test_cancels_the_run() -> None:
    cleaned_up: list[EndReason] = []

    class Noting(FrameProcessor):
        def cleanup(self) -> None:
            assert self.run_result is not None
            cleaned_up.append(self.run_result.reason)

    with anyio.move_on_after(5):
        await run_test(Noting(), frames_to_send=[SleepFrame(10)])
    assert cleaned_up == [EndReason.CANCELLED]
