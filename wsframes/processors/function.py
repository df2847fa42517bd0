"""Makes a processor of a plain function."""

import inspect
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from types import SimpleNamespace, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints, overload

from wsframes.exceptions import UsageError
from wsframes.frames import Frame, FrameDirection
from wsframes.graph import FrameProcessor
from wsframes.processors.passage import belongs_to_run

__all__ = ["FunctionProcessor", "is_async", "processor"]

DOWNSTREAM = FrameDirection.DOWNSTREAM

Function = Callable[[Any], Any]


class FunctionProcessor(FrameProcessor):
    """The base of what `processor` makes.

    Attributes:
        function: the function itself, for tests of it alone.
        types: the frame types that it is called for.
        direction: the way that frames must move for it; None: either.
        dropped: frames of which the function made none, by the reason `consumed`.
    """

    function: "ClassVar[staticmethod[[Any], Any]]"
    types: ClassVar[tuple[type[Frame], ...]]
    direction: ClassVar[FrameDirection | None]
    _async: ClassVar[bool]

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.dropped: Counter[str] = Counter()

    def process_frame(self, frame: Frame, direction: FrameDirection) -> Any:
        if self._async:
            return self._wait_and_process(frame, direction)
        if not self._handles(frame, direction):
            self.push_frame_nowait(frame, direction)
            return None
        result = self.function(frame)
        if isinstance(result, Frame):
            self.push_frame_nowait(result, direction)
        else:
            for made in self._frames_of(result):
                self.push_frame_nowait(made, direction)
        return None

    def process_frame_nowait(self, frame: Frame, direction: FrameDirection) -> bool:
        if self._handles(frame, direction):
            return False
        self.push_frame_nowait(frame, direction)
        return True

    async def _wait_and_process(self, frame: Frame, direction: FrameDirection) -> None:
        if not self._handles(frame, direction):
            await self.push_frame(frame, direction)
            return
        result = self.function(frame)
        if not isinstance(result, AsyncGenerator):
            for made in self._frames_of(await result):
                await self.push_frame(made, direction)
            return
        any_made = False
        async with aclosing(result):  # or the event loop closes it, later and in no task of the run
            async for made in result:
                await self.push_frame(self._checked(made), direction)
                any_made = True
        if not any_made:
            self.dropped["consumed"] += 1

    def _handles(self, frame: Frame, direction: FrameDirection) -> bool:
        return (
            isinstance(frame, self.types)
            and (self.direction is None or direction is self.direction)
            and not belongs_to_run(frame)
        )

    def _frames_of(self, result: Any) -> Iterable[Frame]:
        if isinstance(result, Frame):
            yield result
            return
        any_made = False
        if result is not None:
            if not isinstance(result, Iterable):
                raise self._wrong(result)
            for made in result:
                yield self._checked(made)
                any_made = True
        if not any_made:
            self.dropped["consumed"] += 1

    def _checked(self, made: object) -> Frame:
        if not isinstance(made, Frame):
            raise self._wrong(made)
        return made

    def _wrong(self, result: object) -> TypeError:
        return TypeError(
            f"{self.name} made {type(result).__name__!r}: return a frame, None, or an iterable of "
            "frames"
        )

    def _is_lane(self) -> bool:
        return self._async


@overload
def processor(
    *types: type[Frame], direction: FrameDirection | None = DOWNSTREAM
) -> Callable[[Function], type[FunctionProcessor]]: ...


@overload
def processor(function: Function, /) -> type[FunctionProcessor]: ...


def processor(*args: Any, direction: FrameDirection | None = DOWNSTREAM) -> Any:
    """Decorator: make a processor class of a function of one frame.

    The function is called for frames of the type that its parameter is annotated with, or of the
    types given; all others pass, and so do lifecycle frames and heartbeats. What it returns goes
    on in place of the frame: a frame, None for nothing, or an iterable of frames, which it may also
    make by `yield`. With `def` the processor is a function, with `async def` it has a lane::

        @processor
        def shout(frame: TextFrame) -> TextFrame:
            return TextFrame(frame.text.upper())

        @processor(InputAudioRawFrame, direction=None)
        async def recognize(frame):
            ...

        Pipeline([transport.input(), recognize(), shout(), transport.output()])

    Args:
        args: the function; or the frame types, with their subclasses.
        direction: the way that frames must move for the function to be called; None: either.

    Returns:
        The class, named as the function. Its instances take `name` only, and one is needed for
        each place in a pipeline.

    Raises:
        UsageError: the frame types are neither given nor annotated, or something else is.
    """
    types = tuple(arg for arg in args if isinstance(arg, type))
    if not all(issubclass(frame_type, Frame) for frame_type in types):
        raise UsageError(f"processor takes frame types, not {types!r}")
    if len(types) < len(args):
        if len(args) > 1 or not callable(args[0]):
            raise UsageError(f"processor takes one function, or frame types, not {args!r}")
        return _make(args[0], _annotated_types(args[0]), direction)

    def decorate(function: Function) -> type[FunctionProcessor]:
        return _make(function, types or _annotated_types(function), direction)

    return decorate


def is_async(function: Callable[..., Any]) -> bool:
    """Whether what a call of it returns has to be awaited, or iterated over by `async for`."""
    call = getattr(function, "__call__", None)  # noqa: B004 - of an object that can be called
    return any(
        inspect.iscoroutinefunction(candidate) or inspect.isasyncgenfunction(candidate)
        for candidate in (function, call)
    )


def _make(
    made_of: Function, frame_types: tuple[type[Frame], ...], way: FrameDirection | None
) -> type[FunctionProcessor]:
    class Made(FunctionProcessor):
        function = staticmethod(made_of)
        types = frame_types
        direction = way
        _async = is_async(made_of)

    if any(frame_type.lifecycle for frame_type in frame_types):
        raise UsageError(f"{_name(made_of)} is for lifecycle frames: write a FrameProcessor for it")
    Made.__name__ = Made.__qualname__ = _name(made_of)
    Made.__module__ = made_of.__module__
    Made.__doc__ = made_of.__doc__
    return Made


def _annotated_types(function: Function) -> tuple[type[Frame], ...]:
    name = _name(function)
    how = "annotate its parameter with a frame type, or decorate it with @processor(TextFrame)"
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].annotation is inspect.Parameter.empty:
        raise UsageError(f"{name} does not say which frames it is for: {how}")
    annotation = parameters[0].annotation
    scope = SimpleNamespace(__annotations__={"frame": annotation})
    try:
        hint = get_type_hints(scope, globalns=getattr(function, "__globals__", {}))["frame"]
    except NameError as exc:
        raise UsageError(f"{name} is for {annotation}, which cannot be looked up: {how}") from exc
    types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not all(isinstance(one, type) and issubclass(one, Frame) for one in types):
        raise UsageError(f"{name} is for {annotation}, which is no frame type: {how}")
    return tuple(types)


def _name(function: Function) -> str:
    return getattr(function, "__name__", type(function).__name__)
