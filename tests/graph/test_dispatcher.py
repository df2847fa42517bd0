"""The loop that runs functions, with targets made by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.graph.parts import DOWN, Alert, Word
from wsframes.frames import EndFrame, Frame, FrameDirection
from wsframes.graph.dispatcher import Dispatcher, Receive


class Stub:
    """A target that does what a test says, and notes it."""

    def __init__(self, log: list[Any], call: Callable[[Frame], Any] | None = None) -> None:
        self.log = log
        self.taken = 0
        self.call: Receive | None = None
        self.put: Receive | None = None
        if call is not None:
            self.call = lambda frame, direction: call(frame)

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        self.log.append(("received", frame))

    def returned(self, result: Any) -> None:
        self.log.append(("returned", result))

    def fail(self, frame: Frame, direction: FrameDirection, exc: BaseException) -> None:
        self.log.append(("failed", frame, exc))


class Full:
    async def wait_for_room(self) -> None:
        raise AssertionError("nobody waits here")


def test_a_frame_goes_into_call_if_there_is_one() -> None:
    log: list[Any] = []
    target = Stub(log, log.append)
    frame = Word()
    Dispatcher().send(target, frame, DOWN)
    assert log == [frame]
    assert target.taken == 1


def test_a_lifecycle_frame_is_received_whatever_there_is_to_call() -> None:
    log: list[Any] = []
    target = Stub(log, log.append)
    end = EndFrame()
    Dispatcher().send(target, end, DOWN)
    assert log == [("received", end)]
    assert target.taken == 0


def test_a_target_without_call_receives_everything() -> None:
    log: list[Any] = []
    frame = Word()
    Dispatcher().send(Stub(log), frame, DOWN)
    assert log == [("received", frame)]


def test_what_is_pushed_on_the_way_waits_for_its_turn() -> None:
    log: list[str] = []
    dispatcher = Dispatcher()
    last = Stub(log, lambda frame: log.append("last"))

    def first(frame: Frame) -> None:
        dispatcher.send(last, frame, DOWN)
        dispatcher.send(last, frame, DOWN)
        log.append("first is over")

    dispatcher.send(Stub(log, first), Word(), DOWN)
    assert log == ["first is over", "last", "last"]
    assert not dispatcher.running


def test_the_stack_stays_flat() -> None:
    dispatcher = Dispatcher()
    left = 10_000

    def again(frame: Frame) -> None:
        nonlocal left
        if left:
            left -= 1
            dispatcher.send(target, frame, DOWN)

    target = Stub([], again)
    dispatcher.send(target, Word(), DOWN)
    assert target.taken == 10_001


class NotEvenAnException(BaseException):
    """As the cancellation exceptions of the backends are."""


@pytest.mark.parametrize("error", [LookupError(), NotEvenAnException()])
def test_what_a_function_raises_is_told_to_it_and_the_next_one_runs(error: BaseException) -> None:
    log: list[Any] = []
    dispatcher = Dispatcher()
    other = Stub(log, log.append)
    frame, alert = Word(), Alert()

    def fail(frame: Frame) -> None:
        dispatcher.send(other, alert, DOWN)
        raise error

    dispatcher.send(Stub(log, fail), frame, DOWN)
    assert log == [("failed", frame, error), alert]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_comes_out_and_leaves_nothing(error: type[BaseException]) -> None:
    log: list[Any] = []
    dispatcher = Dispatcher()

    def stop(frame: Frame) -> None:
        dispatcher.send(Stub(log), frame, DOWN)
        raise error

    with pytest.raises(error):
        dispatcher.send(Stub(log, stop), Word(), DOWN)
    later = Word()
    dispatcher.send(Stub(log), later, DOWN)
    assert log == [("received", later)]


def test_what_a_function_returns_is_told_to_it() -> None:
    log: list[Any] = []
    Dispatcher().send(Stub(log, lambda frame: 7), Word(), DOWN)
    assert log == [("returned", 7)]


def test_every_outermost_push_counts_the_full_lanes_anew() -> None:
    class Full:
        async def wait_for_room(self) -> None:
            raise AssertionError("nobody waits here")

    dispatcher = Dispatcher()
    full = Full()
    dispatcher.send(Stub([], lambda frame: dispatcher.congested.append(full)), Word(), DOWN)
    first = dispatcher.congested
    assert first == [full]
    dispatcher.send(Stub([]), Word(), DOWN)
    assert dispatcher.congested == []
    assert first == [full], "who waits for them goes on with the list that it was given"
