"""What stands at a place while its pushes must not go to the neighbour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.parts import DOWN, Alert, Media, Note, Word
from tests.graph.places import Spot, a_run
from wsframes.frames import CancelFrame, Frame, StartFrame
from wsframes.graph.gates import AfterCancel, AfterEnd, Finished, Gate, Hold, Interrupted
from wsframes.graph.outcome import EndReason
from wsframes.graph.states import NodeState


async def test_what_is_held_is_pushed_in_order_when_the_place_runs() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        hold = place.down = Hold(place)
        frames = [Word(), Alert(), Word()]
        for frame in frames:
            hold.receive(frame, DOWN)
        assert place.pushed == []
        hold.let_go(NodeState.RUNNING)
        assert place.pushed == frames
        hold.let_go(NodeState.RUNNING)
        assert place.pushed == frames, "once"


async def test_what_gets_to_the_hold_after_the_start_goes_where_pushes_go_now() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        late = Word()
        Hold(place).receive(late, DOWN)
        assert place.pushed == [late]


async def test_the_start_that_is_being_held_up_is_not_held() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        hold = place.down = Hold(place)
        start = StartFrame()
        context.enter(start, DOWN)
        hold.receive(start, DOWN)
        hold.let_go(NodeState.RUNNING)
        assert place.pushed == []


async def test_more_than_can_be_held_ends_the_run() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        hold = place.down = Hold(place)
        for _ in range(1024):
            hold.receive(Word(), DOWN)
        assert context.result is None
        hold.receive(Word(), DOWN)
        assert place.counts.refused == {"overload": 1}
        assert context.result is not None
        assert context.result.reason is EndReason.OVERLOAD
        assert context.result.stuck == "it"
        hold.let_go(NodeState.RUNNING)
        assert len(place.pushed) == 1024


@given(
    steps=st.lists(st.sampled_from([Word, Note, "interrupt"]), max_size=30),
    state=st.sampled_from(NodeState),
)
async def test_what_was_held_is_pushed_or_counted(
    steps: list[type[Frame] | str], state: NodeState
) -> None:
    """All that is pushed before the start is pushed once, in order, or in one count."""
    async with a_run() as context:
        place = Spot(context, "it")
        hold = place.down = Hold(place)
        held: list[Frame] = []
        interrupted = 0
        for step in steps:
            if isinstance(step, str):
                hold.drop_interruptible()
                interrupted += sum(not frame.uninterruptible for frame in held)
                held = [frame for frame in held if frame.uninterruptible]
            else:
                held.append(step())
                hold.receive(held[-1], DOWN)
        hold.let_go(state)
        counts = place.counts.dropped
        assert counts["interrupted"] == interrupted
        if state is NodeState.RUNNING:
            assert place.pushed == held
        else:
            reason = "cancelled" if state is NodeState.CANCELLED else "ended"
            assert (place.pushed, counts[reason]) == ([], len(held))
        assert place.taken == counts.total()


async def test_interrupted_work_pushes_nothing_but_what_survives() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        below = Spot(context, "below", place)
        is_at_work = True
        gate = Interrupted(place, lambda: is_at_work)
        survives, of_others = Note(), Word()
        gate.receive(Word(), DOWN)
        gate.receive(survives, DOWN)
        is_at_work = False
        gate.receive(of_others, DOWN)
        assert below.received == [survives, of_others]
        assert (place.taken, place.counts.dropped) == (1, {"interrupted": 1})


async def test_after_the_end_only_system_frames_pass_and_no_input_media() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        below = Spot(context, "below", place)
        gate = AfterEnd(place)
        passes = Alert()
        for frame in (Word(), passes, Media()):
            gate.receive(frame, DOWN)
        assert below.received == [passes]
        assert place.counts.refused == {"ended": 2}


async def test_after_the_end_nothing_passes_where_nobody_is_below() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        AfterEnd(place).receive(Alert(), DOWN)
        assert place.counts.refused == {"ended": 1}


async def test_after_a_cancellation_all_is_refused_but_the_cancel_itself_is_no_loss() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        below = Spot(context, "below", place)
        gate = AfterCancel(place)
        cancel = CancelFrame()
        context.enter(cancel, DOWN)
        for frame in (cancel, Alert(), Word()):
            gate.receive(frame, DOWN)
        assert below.received == []
        assert place.counts.refused == {"cancelled": 2}


async def test_when_all_is_over_all_is_refused() -> None:
    async with a_run() as context:
        place = Spot(context, "it")
        for frame in (Alert(), Word()):
            Finished(place).receive(frame, DOWN)
        assert place.counts.refused == {"finished": 2}


@pytest.mark.parametrize("kind", [AfterCancel, AfterEnd, Finished, Hold])
async def test_a_gate_is_asked_for_every_frame_and_what_fails_was_pushed_by_its_place(
    kind: type[Gate],
) -> None:
    async with a_run() as context:
        place = Spot(context, "it", Spot(context, "above"))
        gate = kind(place)
        assert (gate.call, gate.put) == (None, None)
        frame = Word()
        gate.fail(frame, DOWN, ValueError())
        assert place.failed == [(frame, place)]
