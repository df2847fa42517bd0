"""What a trial of a processor is judged by: how it ended, what came out, and what it left."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NoReturn

import anyio

from wsframes.frames import ErrorFrame, Frame, FrameDirection
from wsframes.graph import EndReason, FrameProcessor, PipelineParams

from .trial import Trial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .trial import Section

__all__ = ["CANCEL_TIMEOUT_S", "Probation", "check_factory"]

CANCEL_TIMEOUT_S: Final = 1.0

# Threads of pools are kept for the next call.
_POOLS = ("AnyIO worker", "Trio thread", "trio", "asyncio_")


def check_factory(name: str, factory: object) -> None:
    """Each rule is tried on a fresh one, so what is tried cannot be handed over ready-made."""
    if not callable(factory):
        raise TypeError(
            f"{name} has to make a fresh one each time, and {factory!r} cannot be called: "
            f"give the class, or a function, such as `lambda: {type(factory).__name__}(...)`"
        )


class Probation:
    """One fresh section in a trial of one rule.

    Args:
        section: what is tried.
        rule: the rule.
        rules: all of them, with what they stand for.
        timeout_s: how long nothing may move.
    """

    def __init__(
        self, section: Section, rule: str, rules: Mapping[str, str], timeout_s: float
    ) -> None:
        self.rule = rule
        self.trial = Trial(
            section,
            params=PipelineParams(
                start_timeout=timeout_s,
                drain_stall_timeout=timeout_s,
                cancel_timeout=CANCEL_TIMEOUT_S,
            ),
            timeout_s=timeout_s,
        )
        self._section = section
        self._rules = rules
        self._timeout_s = timeout_s
        self._alive = _Alive()

    async def run(
        self, drive: Callable[[], Awaitable[None]], reason: EndReason = EndReason.ENDED
    ) -> None:
        """Run to the end that is expected."""
        trial = self.trial
        try:
            result = await trial.run(drive)
        except AssertionError as exc:
            raise self._broken(self._blame(reason), str(exc)) from exc
        if result.reason is not reason:
            error = f", {result.error!r}" if result.error is not None else ""
            raise self._broken(
                self._blame(reason), f"the run ended as {result.reason}{error}, and not as {reason}"
            )

    def check_left_over(self) -> None:
        """After the run: errors, counts, and what is alive."""
        for frame in self.trial.up:
            if isinstance(frame, ErrorFrame) and frame.processor in self._names():
                raise self._broken("raises", frame.error) from frame.exception
        for _, error in self.trial.cleanup_errors:
            raise self._broken("cleanup", f"it failed: {error!r}") from error
        for name, counts in self.trial.task.statistics().items():
            lost = sum(counts.dropped.values()) + sum(counts.refused.values())
            if counts.taken != counts.delivered + lost:
                raise self._broken("accounting", f"{name} has {counts}")
        if left := self._alive.more():
            raise self._broken("alive", f"{', '.join(left)} left")

    def check_came_through(
        self, sent: Sequence[Frame], direction: FrameDirection, *, exactly: bool = False
    ) -> None:
        """Each frame has come out once, or was counted.

        Args:
            sent: the frames.
            direction: the way that they went.
            exactly: no other frames were sent, so that none too many may be counted.
        """
        down = direction is FrameDirection.DOWNSTREAM
        arrived = Counter(frame.id for frame in (self.trial.down if down else self.trial.up))
        way = direction.name.lower()
        for frame in sent:
            if arrived[frame.id] > 1:
                raise self._broken(
                    self.rule, f"{frame.name} came out {way} {arrived[frame.id]} times"
                )
        missing = [frame.name for frame in sent if not arrived[frame.id]]
        counted = self._counted()
        if len(missing) > counted:
            raise self._broken(
                self.rule,
                f"{', '.join(missing)} did not come out {way}, and `dropped` counts {counted}: "
                "push the frames that are not yours, or count them",
            )
        if exactly and counted > len(missing) and isinstance(self._section, FrameProcessor):
            raise self._broken(
                "accounting", f"`dropped` counts {counted}, but {len(missing)} did not come out"
            )

    async def stand_still(self) -> None:
        """Wait until nothing has come out for as long as nothing may move."""
        trial = self.trial
        while True:
            moved = len(trial.up) + len(trial.down)
            await anyio.sleep(self._timeout_s)
            if moved == len(trial.up) + len(trial.down):
                return

    def fail(self, detail: str) -> NoReturn:
        """The rule is broken."""
        raise self._broken(self.rule, detail)

    def _broken(self, rule: str, detail: str) -> AssertionError:
        return AssertionError(f"{rule}: {detail}\n  the rule: {self._rules[rule]}")

    def _blame(self, reason: EndReason) -> str:
        """Which rule is broken by a run that did not end as it should."""
        fatal = any(isinstance(frame, ErrorFrame) and frame.fatal for frame in self.trial.up)
        if fatal or not self.trial.started.is_set():
            return "resume" if self.rule == "resume" else "start"
        result = self.trial.result
        # What was decided as expected can be held up by the cleanup alone.
        cleaning = result is not None and result.reason is reason is not EndReason.CANCELLED
        return "cleanup" if cleaning else self.rule

    def _processors(self) -> list[FrameProcessor]:
        section = self._section
        return [section] if isinstance(section, FrameProcessor) else list(section)

    def _names(self) -> set[str]:
        return {processor.name for processor in self._processors()}

    def _counted(self) -> int:
        counts = (getattr(processor, "dropped", None) for processor in self._processors())
        return sum(sum(count.values()) for count in counts if isinstance(count, Mapping))


class _Alive:
    """The tasks and threads there are, and which have come since."""

    def __init__(self) -> None:
        self._tasks = {task.id for task in anyio.get_running_tasks()}
        self._threads = set(threading.enumerate())

    def more(self) -> list[str]:
        tasks = [task for task in anyio.get_running_tasks() if task.id not in self._tasks]
        threads = [thread for thread in threading.enumerate() if thread not in self._threads]
        return [f"task {task.name}" for task in tasks] + [
            f"thread {thread.name}" for thread in threads if not thread.name.startswith(_POOLS)
        ]
