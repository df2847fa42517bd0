"""A processor of a plain function: wsframes.processors.function."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Union

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.parts import running
from wsframes import (
    ErrorFrame,
    Frame,
    FrameDirection,
    FrameProcessor,
    HeartbeatFrame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    StartFrame,
    TextFrame,
    UserStartedSpeakingFrame,
)
from wsframes.exceptions import UsageError
from wsframes.graph import QueueLimits
from wsframes.processors import FunctionProcessor, processor
from wsframes.testing import SleepFrame, check_processor, run_test

UPSTREAM = FrameDirection.UPSTREAM


@processor
def shout(frame: TextFrame) -> TextFrame:
    """Upper case."""
    return TextFrame(frame.text.upper())


@processor
async def shout_later(frame: TextFrame) -> TextFrame:
    await anyio.sleep(1)
    return TextFrame(frame.text.upper())


@processor
def words(frame: "TextFrame") -> Iterator[TextFrame]:
    for word in frame.text.split():
        yield TextFrame(word)


@processor
async def words_later(frame: TextFrame) -> AsyncIterator[TextFrame]:
    for word in frame.text.split():
        await anyio.sleep(1)
        yield TextFrame(word)


@processor(TextFrame)
def word_list(frame):  # type: ignore[no-untyped-def]
    return [TextFrame(word) for word in frame.text.split()]


@processor(TextFrame)
async def word_list_later(frame):  # type: ignore[no-untyped-def]
    await anyio.sleep(1)
    return tuple(TextFrame(word) for word in frame.text.split())


@processor
def swallow(frame: TextFrame) -> None:
    pass


@processor
async def swallow_later(frame: TextFrame) -> None:
    await anyio.sleep(1)


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, TextFrame)]


@pytest.mark.parametrize("kind", [shout, shout_later])
async def test_a_frame_that_is_returned_goes_on(kind: type[FunctionProcessor]) -> None:
    down, _ = await run_test(kind(), frames_to_send=[TextFrame("a"), TextFrame("b")])
    assert texts(down) == ["A", "B"]


@pytest.mark.parametrize("kind", [words, words_later, word_list, word_list_later])
async def test_frames_of_an_iterable_go_on_in_order(kind: type[FunctionProcessor]) -> None:
    splitter = kind()
    sent = [TextFrame("one two"), TextFrame(""), TextFrame("three")]
    down, _ = await run_test(splitter, frames_to_send=sent)
    assert texts(down) == ["one", "two", "three"]
    assert splitter.dropped == {"consumed": 1}


@pytest.mark.parametrize("kind", [swallow, swallow_later])
async def test_none_drops_the_frame_and_counts_it(kind: type[FunctionProcessor]) -> None:
    swallower = kind()
    sent = [TextFrame("a"), TextFrame("b")]
    await run_test(swallower, frames_to_send=sent, expected_down_frames=[])
    assert swallower.dropped == {"consumed": 2}


@given(given_texts=st.lists(st.text(" ab", max_size=6), max_size=5), later=st.booleans())
async def test_what_goes_on_is_what_the_function_makes(given_texts: list[str], later: bool) -> None:
    """Invariant: out = the function's frames for each frame, in order; in = made + consumed."""
    splitter = (words_later if later else words)()
    down, _ = await run_test(splitter, frames_to_send=[TextFrame(text) for text in given_texts])
    assert texts(down) == [word for text in given_texts for word in text.split()]
    assert splitter.dropped["consumed"] == sum(not text.split() for text in given_texts)


@pytest.mark.parametrize("kind", [shout, shout_later])
async def test_other_frames_pass(kind: type[FunctionProcessor]) -> None:
    sent = [InputAudioRawFrame(b"", 8000), OutputAudioRawFrame(b"", 8000), HeartbeatFrame(0.0)]
    down, _ = await run_test(kind(), frames_to_send=sent)
    assert set(down) == set(sent)


async def test_an_async_processor_keeps_the_order_of_all_ordered_frames() -> None:
    audio = OutputAudioRawFrame(b"", 8000)
    sent = [TextFrame("a"), audio, TextFrame("b")]
    await run_test(
        shout_later(),
        frames_to_send=sent,
        expected_down_frames=[TextFrame("A"), audio, TextFrame("B")],
    )


@pytest.mark.parametrize("kind", [shout, shout_later])
async def test_the_other_direction_passes_untouched(kind: type[FunctionProcessor]) -> None:
    await run_test(
        kind(),
        frames_to_send=[TextFrame("a")],
        frames_to_send_direction=UPSTREAM,
        expected_up_frames=[TextFrame("a")],
    )


@pytest.mark.parametrize("direction", [UPSTREAM, None])
async def test_the_direction_can_be_chosen_and_is_kept(direction: FrameDirection | None) -> None:
    @processor(direction=direction)
    def shout_up(frame: TextFrame) -> TextFrame:
        return TextFrame(frame.text.upper())

    await run_test(
        shout_up(),
        frames_to_send=[TextFrame("a")],
        frames_to_send_direction=UPSTREAM,
        expected_up_frames=[TextFrame("A")],
        expected_down_frames=[],
    )
    down = TextFrame("A") if direction is None else TextFrame("a")
    await run_test(shout_up(), frames_to_send=[TextFrame("a")], expected_down_frames=[down])


async def test_frames_of_the_run_are_never_asked_about() -> None:
    seen: list[Frame] = []

    @processor(direction=None)
    def note(frame: Frame) -> Frame:
        seen.append(frame)
        return frame

    text, speaking = TextFrame("a"), UserStartedSpeakingFrame()
    sent = [HeartbeatFrame(0.0), text, InterruptionFrame(), speaking]
    down, _ = await run_test(note(), frames_to_send=sent)
    assert seen == [text, speaking]
    assert set(down) == set(sent)


# --- which frames


async def test_several_types_are_given_or_annotated() -> None:
    @processor
    def union(frame: TextFrame | InputDTMFFrame) -> None: ...

    @processor
    def old_union(frame: Union[TextFrame, InputDTMFFrame]) -> None: ...  # noqa: UP007

    @processor(TextFrame, InputDTMFFrame)
    def told(frame: Any) -> None: ...

    for kind in (union, old_union, told):
        assert kind.types == (TextFrame, InputDTMFFrame)
        await run_test(
            kind(),
            frames_to_send=[TextFrame("a"), InputDTMFFrame("1")],
            expected_down_frames=[],
        )


def test_the_types_given_outweigh_the_annotation() -> None:
    @processor(TextFrame)
    def narrow(frame: Frame) -> None: ...

    assert narrow.types == (TextFrame,)


async def test_a_method_and_an_object_can_be_processors() -> None:
    class Bot:
        def answer(self, frame: TextFrame) -> TextFrame:
            return TextFrame(f"{frame.text}!")

        async def __call__(self, frame: TextFrame) -> None: ...

    bot = Bot()
    made = processor(bot.answer)
    assert (made.__name__, made.types) == ("answer", (TextFrame,))
    await run_test(made(), frames_to_send=[TextFrame("a")], expected_down_frames=[TextFrame("a!")])

    called = processor(TextFrame)(bot)
    assert called.__name__ == "Bot"
    assert called()._is_lane()


def test_the_class_looks_like_the_function() -> None:
    assert shout.__name__ == "shout"
    assert shout.__doc__ == "Upper case."
    assert shout.__module__ == __name__
    assert issubclass(shout, FrameProcessor)
    assert shout.function(TextFrame("a")).text == "A"
    assert shout().name.startswith("shout#")
    assert shout(name="loud").name == "loud"
    assert not shout()._is_lane()
    assert shout_later()._is_lane()


def no_parameter() -> None: ...


def untyped(frame):  # type: ignore[no-untyped-def]
    ...


def of_a_number(frame: int) -> None: ...


def of_a_list(frame: list[TextFrame]) -> None: ...


def of_a_name_that_is_none(frame: "Nonsense") -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (no_parameter, "no_parameter does not say which frames it is for"),
        (untyped, "untyped does not say which frames it is for"),
        (of_a_number, "of_a_number is for <class 'int'>, which is no frame type"),
        (of_a_list, "of_a_list is for list.*, which is no frame type"),
        (of_a_name_that_is_none, "is for Nonsense, which cannot be looked up"),
    ],
)
def test_a_function_that_does_not_say_what_it_is_for_is_refused(
    function: Any, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem + r".*@processor\(TextFrame\)"):
        processor(function)
    with pytest.raises(UsageError, match=problem):
        processor(direction=None)(function)


@pytest.mark.parametrize(
    "arguments", [(int,), (TextFrame, str), (StartFrame(),), (untyped, untyped)]
)
def test_what_is_neither_a_function_nor_frame_types_is_refused(arguments: Any) -> None:
    with pytest.raises(UsageError, match="processor takes"):
        processor(*arguments)


def test_lifecycle_frames_are_refused_since_they_would_never_come() -> None:
    with pytest.raises(UsageError, match="untyped is for lifecycle frames"):
        processor(StartFrame)(untyped)


# --- what goes wrong


@processor(TextFrame)
def number(frame: TextFrame) -> Any:
    return 1


@pytest.mark.parametrize("how", ["interrupted", "cancelled"])
async def test_an_async_generator_is_closed_where_it_is_given_up(how: str) -> None:
    closed: list[str] = []

    @processor
    async def speech(frame: TextFrame) -> AsyncIterator[TextFrame]:
        try:
            while True:
                yield frame
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)
            closed.append(frame.text)

    class Full(FrameProcessor):
        queue_limits = QueueLimits(max_frames=2)

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            if isinstance(frame, TextFrame):
                await anyio.sleep(60)

    async with running(speech(), Full()) as session:
        await session.send(TextFrame("a"))
        assert closed == []
        if how == "interrupted":
            await session.send(InterruptionFrame())
            await session.end()
        else:
            await session.task.cancel()
            await session.wait()
        assert closed == ["a"]


@processor(TextFrame)
async def number_later(frame: TextFrame) -> Any:
    return 1


@processor(TextFrame)
def just_text(frame: TextFrame) -> Any:
    return frame.text


@processor(TextFrame)
async def just_text_later(frame: TextFrame) -> Any:
    yield frame.text


@pytest.mark.parametrize(
    ("kind", "made"),
    [(number, "int"), (number_later, "int"), (just_text, "str"), (just_text_later, "str")],
)
async def test_what_is_no_frame_is_an_error_that_says_so(
    kind: type[FunctionProcessor], made: str
) -> None:
    down, (error,) = await run_test(
        kind(name="it"), frames_to_send=[TextFrame("a")], expected_up_frames=[ErrorFrame]
    )
    assert down == []
    assert isinstance(error, ErrorFrame)
    assert f"it made '{made}': return a frame, None, or an iterable of frames" in error.error


async def test_an_interruption_gives_up_what_an_async_function_does() -> None:
    down, _ = await run_test(
        words_later(),
        frames_to_send=[
            *(TextFrame("one two three"), SleepFrame(1.5)),
            *(InterruptionFrame(), SleepFrame(1), TextFrame("four")),
        ],
    )
    assert texts(down) == ["one", "four"]


@pytest.mark.parametrize(
    "kind", [shout, shout_later, words, words_later, word_list_later, swallow, swallow_later]
)
async def test_what_it_makes_keeps_the_rules(kind: type[FunctionProcessor]) -> None:
    await check_processor(kind, frames=[TextFrame("one two"), TextFrame("")])
