"""What a processor owes the pipeline that it stands in, checked one rule after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from wsframes.frames import (
    ControlFrame,
    DataFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FrameDirection,
    HeartbeatFrame,
    InterruptionFrame,
    StopFrame,
    SystemFrame,
    UninterruptibleFrame,
)
from wsframes.graph import EndReason

from .clock import settle
from .probation import CANCEL_TIMEOUT_S, Probation, check_factory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .trial import Section

__all__ = ["PROCESSOR_RULES", "check_processor"]

DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM

PROCESSOR_RULES: Final[Mapping[str, str]] = {
    "start": "it starts in time",
    "end": "it lets the run end, in time and not before it is asked to",
    "cleanup": "its cleanup returns in time and does not fail",
    "passes": "a frame that it does not know passes once, either way, or is counted in `dropped`",
    "order": "frames that it does not know keep their order",
    "accounting": "its counts are exact: each frame is delivered, dropped or refused, once",
    "raises": "it fails on no frame, known or not",
    "errors": "the error of another processor passes upstream, and it goes on",
    "interruption": "it goes on after an interruption, which loses nothing uninterruptible",
    "resume": "after a stop it can be started again",
    "cancel": "it lets itself be cancelled, idle or at work, in time",
    "alive": "after the run nothing that it has started is alive: no task, no thread",
}
"""The names with which the errors of `check_processor` begin, and what they stand for."""

_SLACK_S = 0.1


class _Data(DataFrame):
    number: int = 0


class _Control(ControlFrame):
    number: int = 0


class _System(SystemFrame):
    number: int = 0


class _Uninterruptible(DataFrame, UninterruptibleFrame):
    number: int = 0


async def check_processor(
    factory: Callable[[], Section], *, frames: Iterable[Frame] = (), timeout_s: float = 5.0
) -> None:
    """Check that a processor keeps the rules of the pipeline; see `PROCESSOR_RULES`.

    Each rule is tried on a fresh processor. In virtual time it takes some milliseconds.

    A processor that drops frames on purpose counts them, by reason, in a mapping that it has as
    `dropped`.

    Args:
        factory: makes the processor, or a pipeline of several.
        frames: some that it handles, in an order that makes it work. They are sent downstream,
            alone and among others.
        timeout_s: how long it may take to start, and how long nothing may move.

    Raises:
        AssertionError: a rule is broken; the text begins with the rule's name.
        TypeError: `factory` makes nothing, but is a processor itself, say.
    """
    check_factory("factory", factory)
    subject = _Subject(factory, tuple(frames), timeout_s)
    await _check_run(subject)
    await _check_passes(subject, DOWNSTREAM)
    await _check_passes(subject, UPSTREAM)
    await _check_order(subject)
    await _check_errors(subject)
    await _check_interruption(subject)
    await _check_resume(subject)
    for at_work in (False, True):
        await _check_cancel(subject, at_work=at_work)
        await _check_cancelled_from_outside(subject, at_work=at_work)


class _Subject:
    def __init__(
        self, factory: Callable[[], Section], frames: Sequence[Frame], timeout_s: float
    ) -> None:
        self.factory = factory
        self.frames = frames
        self.timeout_s = timeout_s

    def probation(self, rule: str) -> Probation:
        return Probation(self.factory(), rule, PROCESSOR_RULES, self.timeout_s)


async def _check_run(subject: _Subject) -> None:
    probation = subject.probation("end")

    async def drive() -> None:
        for frame in subject.frames:
            await probation.trial.send(frame)
        await probation.trial.send(EndFrame())

    await probation.run(drive)
    probation.check_left_over()


async def _check_passes(subject: _Subject, direction: FrameDirection) -> None:
    probation = subject.probation("passes")
    trial = probation.trial
    probes = _probes()
    heartbeat = HeartbeatFrame(0.0)

    async def drive() -> None:
        for frame in probes:
            await trial.send(frame, direction)
        if direction is DOWNSTREAM:
            await trial.send(heartbeat)
        # Upstream it is a request, and has to pass as any other frame.
        await trial.send(EndFrame(), direction)
        if direction is UPSTREAM:
            await probation.stand_still()
            raise AssertionError(
                "an EndFrame pushed upstream, to ask for the end, did not come out"
            )

    await probation.run(drive)
    probation.check_left_over()
    probation.check_came_through(probes, direction, exactly=True)
    if direction is DOWNSTREAM and heartbeat not in trial.down:
        probation.fail("a HeartbeatFrame did not come out, which is told as a processor that hangs")


async def _check_order(subject: _Subject) -> None:
    probation = subject.probation("order")
    probes = [kind(number) for number in range(20) for kind in (_Data, _System)]

    async def drive() -> None:
        for frame in probes:
            await probation.trial.send(frame)
        await probation.trial.send(EndFrame())

    await probation.run(drive)
    probation.check_left_over()
    for kind in (_Data, _System):
        numbers = [frame.number for frame in probation.trial.down if isinstance(frame, kind)]
        if numbers != sorted(numbers):
            probation.fail(f"{kind.__bases__[0].__name__}s came out as {numbers}")


async def _check_errors(subject: _Subject) -> None:
    probation = subject.probation("errors")
    error = ErrorFrame("planted by check_processor", processor="a processor below")
    probes = _probes()

    async def drive() -> None:
        await probation.trial.send(error, UPSTREAM)
        for frame in probes:
            await probation.trial.send(frame)
        await probation.trial.send(EndFrame())

    await probation.run(drive)
    probation.check_left_over()
    if error not in probation.trial.up:
        probation.fail("an ErrorFrame of a processor below it did not come out upstream")
    probation.check_came_through(probes, DOWNSTREAM)


async def _check_interruption(subject: _Subject) -> None:
    probation = subject.probation("interruption")
    trial = probation.trial
    kept = _Uninterruptible()
    probes = _probes()

    async def drive() -> None:
        for frame in (*subject.frames, kept):
            await trial.send(frame)
        await settle()
        await trial.send(InterruptionFrame())
        await settle()
        for frame in (*probes, *subject.frames):
            await trial.send(frame)
        await trial.send(EndFrame())

    await probation.run(drive)
    probation.check_left_over()
    probation.check_came_through([kept, *probes], DOWNSTREAM)


async def _check_resume(subject: _Subject) -> None:
    probation = subject.probation("resume")
    trial = probation.trial
    probes = _probes()

    async def stop() -> None:
        for frame in subject.frames:
            await trial.send(frame)
        await trial.send(StopFrame())

    async def go_on() -> None:
        for frame in (*probes, *subject.frames):
            await trial.send(frame)
        await trial.send(EndFrame())

    await probation.run(stop, EndReason.STOPPED)
    probation.check_left_over()
    await probation.run(go_on)
    probation.check_left_over()
    probation.check_came_through(probes, DOWNSTREAM)


async def _check_cancel(subject: _Subject, *, at_work: bool) -> None:
    probation = subject.probation("cancel")
    cancelled_s = 0.0

    async def drive() -> None:
        nonlocal cancelled_s
        await _put_to_work(probation, subject, at_work=at_work)
        cancelled_s = anyio.current_time()
        await probation.trial.task.cancel()

    await probation.run(drive, EndReason.CANCELLED)
    _check_in_time(probation, cancelled_s)
    probation.check_left_over()


async def _check_cancelled_from_outside(subject: _Subject, *, at_work: bool) -> None:
    probation = subject.probation("cancel")
    cancelled_s = 0.0
    with anyio.CancelScope() as scope:

        async def drive() -> None:
            nonlocal cancelled_s
            await _put_to_work(probation, subject, at_work=at_work)
            cancelled_s = anyio.current_time()
            scope.cancel()

        await probation.trial.run(drive)
    _check_in_time(probation, cancelled_s)
    probation.check_left_over()


async def _put_to_work(probation: Probation, subject: _Subject, *, at_work: bool) -> None:
    if at_work:
        for frame in (*subject.frames, *_probes()):
            await probation.trial.send(frame)
    await settle()


def _check_in_time(probation: Probation, cancelled_s: float) -> None:
    took_s = anyio.current_time() - cancelled_s
    if took_s > CANCEL_TIMEOUT_S + _SLACK_S:
        probation.fail(f"the run was over {took_s:.3g} s after it was cancelled")


def _probes() -> list[Frame]:
    return [kind() for kind in (_Data, _Control, _System, _Uninterruptible)]
