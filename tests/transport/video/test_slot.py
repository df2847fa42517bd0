"""`wsframes.transport.video.slot`."""

from hypothesis import example, given
from hypothesis import strategies as st

from wsframes import OutputImageRawFrame, SpriteFrame
from wsframes.frames import UninterruptibleFrame
from wsframes.transport.video.slot import OVER_BITRATE, VideoSlot


class Alert(OutputImageRawFrame, UninterruptibleFrame):
    """An image that an interruption must not drop."""


def image(name: str = "x") -> OutputImageRawFrame:
    return OutputImageRawFrame(name.encode(), (1, 1), "L")


def sprite(names: str) -> SpriteFrame:
    return SpriteFrame([image(name) for name in names])


def show(slot: VideoSlot, count: int) -> str:
    """The names of the images that are sent at the next moments; a dash for one without any."""
    shown = ""
    for _ in range(count):
        if slot.first is None:
            shown += "-"
            continue
        first = slot.first
        assert slot.take() is first
        shown += first.image.decode()
        slot.done(None)
    return shown


# --- what is shown when


def test_the_last_image_is_repeated() -> None:
    slot = VideoSlot(is_live=False)
    assert show(slot, 1) == "-"
    slot.put(image("a"))
    assert show(slot, 3) == "aaa"
    slot.put(image("b"))
    assert show(slot, 2) == "bb"


def test_a_sprite_is_a_cycle_that_begins_with_its_first_image() -> None:
    slot = VideoSlot(is_live=False)
    slot.put(sprite("abc"))
    assert show(slot, 7) == "abcabca"
    slot.put(sprite("de"))
    assert show(slot, 3) == "ded"
    slot.put(image("f"))
    assert show(slot, 2) == "ff"


def test_live_images_are_shown_once_and_sprites_too() -> None:
    slot = VideoSlot(is_live=True)
    slot.put(image("a"))
    assert show(slot, 2) == "a-"
    slot.put(sprite("bcd"))
    assert show(slot, 4) == "bcd-"
    slot.put(sprite("ef"))
    assert show(slot, 1) == "e"
    slot.put(image("g"))
    assert show(slot, 2) == "g-"


def test_the_latest_wins() -> None:
    slot = VideoSlot(is_live=True)
    for name in "abc":
        slot.put(image(name))
    assert show(slot, 2) == "c-"
    statistics = slot.statistics()
    assert (statistics.taken, statistics.sent) == (3, 1)
    assert statistics.dropped == {"superseded": 2}


def test_a_picture_is_handed_back_when_it_has_been_shown_for_the_first_time() -> None:
    slot = VideoSlot(is_live=False)
    picture = sprite("ab")
    slot.put(picture)
    slot.take()
    assert not slot.is_settled
    assert slot.done(None) is picture
    assert slot.is_settled
    slot.take()
    assert slot.done(None) is None
    assert slot.statistics().images == 2
    assert slot.statistics().sent == 1


def test_a_live_sprite_is_settled_when_it_is_over() -> None:
    slot = VideoSlot(is_live=True)
    slot.put(sprite("ab"))
    show(slot, 1)
    assert not slot.is_settled
    show(slot, 1)
    assert slot.is_settled


# --- what is not shown


def test_an_image_that_fails_is_not_tried_again() -> None:
    slot = VideoSlot(is_live=False)
    slot.put(image("a"))
    slot.take()
    assert slot.done("unusable_image") is None
    assert slot.first is None
    assert slot.statistics().dropped == {"unusable_image": 1}


def test_one_that_fails_later_has_been_sent() -> None:
    slot = VideoSlot(is_live=False)
    slot.put(image("a"))
    show(slot, 3)
    slot.take()
    slot.done("unsent")
    assert slot.first is None
    assert slot.statistics().sent == 1
    assert slot.statistics().dropped == {}


def test_one_without_room_in_the_bitrate_is_tried_again_where_it_is_repeated() -> None:
    slot = VideoSlot(is_live=False)
    slot.put(image("a"))
    slot.take()
    slot.done(OVER_BITRATE)
    assert slot.statistics().queued == 1
    assert show(slot, 1) == "a"
    slot.take()
    slot.done(OVER_BITRATE)
    assert show(slot, 1) == "a"
    assert slot.statistics().missed == 2
    assert slot.statistics().dropped == {}


def test_unless_there_is_a_newer_one_or_it_was_the_last_try() -> None:
    slot = VideoSlot(is_live=False)
    slot.put(image("a"))
    slot.take()
    slot.put(image("b"))
    slot.done(OVER_BITRATE)
    assert slot.statistics().dropped == {"superseded": 1}
    slot.take()
    slot.done(OVER_BITRATE, is_last_try=True)
    assert slot.statistics().dropped == {"superseded": 1, OVER_BITRATE: 1}
    assert slot.first is None


def test_live_it_is_dropped() -> None:
    slot = VideoSlot(is_live=True)
    slot.put(image("a"))
    slot.take()
    slot.done(OVER_BITRATE)
    assert slot.first is None
    assert slot.statistics().dropped == {OVER_BITRATE: 1}


# --- interruption and end


def test_an_interruption_drops_what_is_live() -> None:
    slot = VideoSlot(is_live=True)
    slot.put(image("a"))
    slot.take()
    slot.put(image("b"))
    assert slot.given_up is None
    slot.interrupt()
    assert slot.given_up == "interrupted"
    slot.done(slot.given_up)
    assert slot.first is None
    assert slot.statistics().dropped == {"interrupted": 2}
    slot.put(image("c"))
    slot.take()
    assert slot.given_up is None


def test_but_not_what_is_uninterruptible() -> None:
    slot = VideoSlot(is_live=True)
    warning = Alert(b"w", (1, 1), "L")
    slot.put(warning)
    slot.interrupt()
    assert show(slot, 0) == ""
    slot.take()
    slot.interrupt()
    assert slot.given_up is None
    assert slot.done(None) is warning


def test_a_picture_that_is_repeated_goes_on_over_an_interruption() -> None:
    slot = VideoSlot(is_live=False)
    slot.put(image("a"))
    show(slot, 1)
    slot.put(image("b"))
    slot.interrupt()
    assert show(slot, 2) == "bb"


def test_when_it_is_cleared_nothing_is_shown() -> None:
    slot = VideoSlot(is_live=False)
    slot.clear("ended")
    assert slot.statistics().dropped == {}
    slot.put(image("a"))
    slot.take()
    slot.put(image("b"))
    slot.clear("cancelled")
    slot.done(slot.given_up)
    assert slot.first is None
    assert slot.statistics().dropped == {"cancelled": 2}


def test_moments_that_were_missed() -> None:
    slot = VideoSlot(is_live=False)
    slot.missed(3)
    slot.missed(2)
    assert slot.statistics().missed == 5


@example(is_live=True, steps=["put", "take", "sent", "sprite", "take", "interrupt", "bad"])
@given(
    is_live=st.booleans(),
    steps=st.lists(
        st.sampled_from(["put", "sprite", "take", "sent", "over", "bad", "interrupt", "clear"]),
        max_size=40,
    ),
)
def test_every_picture_has_one_fate(is_live: bool, steps: list[str]) -> None:
    """taken = sent + dropped + queued, and no more than two are queued."""
    slot = VideoSlot(is_live)
    at_work, put = False, 0
    for step in steps:
        if step in ("put", "sprite"):
            slot.put(image() if step == "put" else sprite("abc"))
            put += 1
        elif step == "take" and not at_work and slot.first is not None:
            slot.take()
            at_work = True
        elif step in ("sent", "over", "bad") and at_work:
            reasons = {"sent": None, "over": OVER_BITRATE, "bad": "bad"}
            slot.done(slot.given_up or reasons[step])
            at_work = False
        elif step == "interrupt":
            slot.interrupt()
        elif step == "clear":
            slot.clear("cleared")
        statistics = slot.statistics()
        assert statistics.taken == put
        assert 0 <= statistics.queued <= 2
        assert statistics.sent + sum(statistics.dropped.values()) + statistics.queued == put
    if at_work:
        slot.done("cancelled")
    slot.clear("over")
    assert slot.statistics().queued == 0
