"""Runs a processor by itself: frames in, frames out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from wsframes.frames import EndFrame, ErrorFrame, Frame, FrameDirection, StartFrame, SystemFrame
from wsframes.graph import PipelineParams

from .comparison import difference
from .trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsframes.graph import BaseObserver

    from .comparison import Expected
    from .trial import Section

__all__ = ["SleepFrame", "run_test"]


class SleepFrame(SystemFrame):
    """A pause between two of `run_test`'s `frames_to_send`; it is not sent itself.

    Attributes:
        sleep: seconds. Any will do to let the frames before it be processed, where that takes no
            time.
    """

    sleep: float = 0.2


async def run_test(
    processor: Section,
    *,
    frames_to_send: Iterable[Frame] = (),
    expected_down_frames: Sequence[Expected] | None = None,
    expected_up_frames: Sequence[Expected] | None = None,
    frames_to_send_direction: FrameDirection = FrameDirection.DOWNSTREAM,
    ignore_start: bool = True,
    observers: Sequence[BaseObserver] = (),
    pipeline_params: PipelineParams | None = None,
    send_end_frame: bool = True,
    timeout_s: float = 10.0,
) -> tuple[list[Frame], list[Frame]]:
    """Send frames through a processor, and compare what comes out of it at its two ends.

    All of it in virtual time, or in real time, as the test runs. The frames go in one after the
    other as fast as the processor takes them; system frames overtake the others there, as ever,
    and an interruption drops what waits: put a `SleepFrame` between them to see to their order.

    Args:
        processor: the processor; or a `Pipeline` or a `ParallelPipeline`.
        frames_to_send: once the processor has started.
        expected_down_frames: what comes out downstream, in order: types, each fulfilled by its
            subclasses too, or frames, compared as by `same_frame`. None: anything.
        expected_up_frames: likewise upstream. None: anything but an `ErrorFrame`.
        frames_to_send_direction: upstream, they enter at the downstream end.
        ignore_start: leave the `StartFrame` out of what came out.
        observers: of the run. What one of them raises is raised here, at the end.
        pipeline_params: of the run; by default its deadlines are all `timeout_s`.
        send_end_frame: send an `EndFrame` after the frames; it is left out of what came out. False:
            one of the frames, or the processor, has to end the run.
        timeout_s: how long nothing may move. A processor that waits is found out, and named; one
            that blocks the event loop is not.

    Returns:
        The frames that came out downstream, and those that came out upstream.

    Raises:
        TypeError: what has to be a list of frames or types is a single one.
        AssertionError: other frames came out, the processor failed, in its cleanup too, or it is
            stuck.
    """
    for name, frames in (
        ("frames_to_send", frames_to_send),
        ("expected_down_frames", expected_down_frames),
        ("expected_up_frames", expected_up_frames),
    ):
        if isinstance(frames, Frame | type):
            raise TypeError(f"{name} has to be a list, and not {frames!r}: put it in brackets")
    if pipeline_params is None:
        pipeline_params = PipelineParams(start_timeout=timeout_s, drain_stall_timeout=timeout_s)
    trial = Trial(processor, params=pipeline_params, observers=observers, timeout_s=timeout_s)
    end = EndFrame()

    async def drive() -> None:
        for frame in frames_to_send:
            if isinstance(frame, SleepFrame):
                await anyio.sleep(frame.sleep)
            else:
                await trial.send(frame, frames_to_send_direction)
        if send_end_frame:
            await trial.send(end)
            return
        await anyio.sleep(timeout_s)
        holder = trial.holder()
        raise AssertionError(
            f"{holder} is stuck: it did not get on for {timeout_s:g} s"
            if holder
            else f"the run did not end within {timeout_s:g} s of the last frame: send an EndFrame"
        )

    await trial.run(drive)
    await trial.close()
    down = [
        frame
        for frame in trial.down
        if frame is not end and not (ignore_start and isinstance(frame, StartFrame))
    ]
    _compare(down, expected_down_frames, trial.up, expected_up_frames, trial.cleanup_errors)
    return down, trial.up


def _compare(
    down: Sequence[Frame],
    expected_down: Sequence[Expected] | None,
    up: Sequence[Frame],
    expected_up: Sequence[Expected] | None,
    cleanup_errors: Sequence[tuple[str, BaseException]],
) -> None:
    errors = [frame for frame in up if isinstance(frame, ErrorFrame)]
    causes = [frame.exception for frame in errors if frame.exception is not None]
    problems = []
    if expected_up is None and errors:
        problems += [frame.error for frame in errors]
        problems.append("(give expected_up_frames=[ErrorFrame, ...] if it is meant to fail)")
    for way, expected, got in (("down", expected_down, down), ("up", expected_up, up)):
        if expected is not None and (differs := difference(expected, got)) is not None:
            problems.append(f"frames {way}stream: {differs}")
    for name, error in cleanup_errors:
        problems.append(f"{name} failed in its cleanup: {error!r}")
        causes.append(error)
    if problems:
        raise AssertionError("\n".join(problems)) from next(iter(causes), None)
