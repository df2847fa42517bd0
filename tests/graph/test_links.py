"""The neighbours of a place, and the ways to them."""

from hypothesis import given
from hypothesis import strategies as st

from tests.graph.parts import DOWN, Word
from tests.graph.places import Spot, a_run
from wsframes.frames import EndFrame, Frame, FrameDirection
from wsframes.graph.dispatcher import Target
from wsframes.graph.standins import Via


async def test_a_neighbour_is_its_own_way_where_nobody_watches() -> None:
    async with a_run() as context:
        above = Spot(context, "above")
        below = Spot(context, "below", above)
        assert above.links.way_down() is below
        assert below.links.way_to(above) is above


async def test_whoever_watches_sees_what_goes_past_the_gates_too() -> None:
    async with a_run() as context:
        seen: list[tuple[str, str, Frame]] = []

        def observed(source: str, destination: str, target: Target) -> Target:
            def observe(frame: Frame, direction: FrameDirection) -> None:
                seen.append((source, destination, frame))
                target.receive(frame, direction)

            return Via(observe, target)

        context.observed = observed
        first = Spot(context, "first")
        second = Spot(context, "second", first)
        third = Spot(context, "third", second)
        word, end, urgent = Word(), EndFrame(), Word()
        second.links.way_down().receive(word, DOWN)
        second.links.move_to(third, end, DOWN)
        third.links.send_to_source(urgent)
        assert seen == [
            ("second", "third", word),
            ("second", "third", end),
            ("third", "first", urgent),
        ]
        assert (third.received, third.moved, first.received) == ([word], [end], [urgent])


async def test_a_lifecycle_frame_is_moved_and_not_received() -> None:
    async with a_run() as context:
        above = Spot(context, "above")
        below = Spot(context, "below", above)
        end = EndFrame()
        above.links.move_to(below, end, DOWN)
        below.links.move_to(None, end, DOWN)
        assert (below.moved, below.received) == ([end], [])


async def test_what_is_moved_waits_for_its_turn() -> None:
    async with a_run() as context:
        above = Spot(context, "above")
        below = Spot(context, "below", above)
        context.dispatcher.running = True
        above.links.move_to(below, EndFrame(), DOWN)
        assert below.moved == []
        assert len(context.dispatcher.pending) == 1


@given(length=st.integers(1, 8), data=st.data())
async def test_the_source_is_the_first_of_all(length: int, data: st.DataObject) -> None:
    """From any place, a frame for the source gets to the first of the chain and to nobody else."""
    async with a_run() as context:
        chain = [Spot(context, "0")]
        for number in range(1, length):
            chain.append(Spot(context, str(number), chain[-1]))
        sender = data.draw(st.sampled_from(chain))
        frame = Word()
        sender.links.send_to_source(frame)
        assert [spot.received for spot in chain] == [[frame]] + [[]] * (length - 1)
