"""The audio filter of a session: any audio in, and no failure out."""

import inspect
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any

import anyio

from wsframes.audio.filter import BaseAudioFilter
from wsframes.audio.pcm import bytes_per_frame
from wsframes.frames import FilterEnableFrame, FilterUpdateSettingsFrame
from wsframes.graph.failures import describe, is_failure
from wsframes.transport.tasks.workers import place, run_slow

__all__ = ["FilterStage"]

_START_S = 5.0
_FILTER_S = 0.5
_STOP_S = 0.3

_Format = tuple[int, int]
Report = Callable[[str, BaseException | None], None]


class _State(Enum):
    IDLE = auto()
    """It has not been started, or has been stopped."""
    STARTED = auto()
    FAILED = auto()
    """It is asked nothing more; audio passes as it is."""
    CLOSED = auto()


class FilterStage:
    """Asks one session's filter, with a deadline, and leaves it out once it has failed.

    What is cheap is done at once (`feed_nowait`); whatever has to wait is awaited (`feed`,
    `control`), one call at a time, by whoever keeps the order.

    Args:
        audio_filter: its methods are `def` or `async def`.
        report: told once what the filter has failed with, and each control frame that it refused.
    """

    __slots__ = ("_filter", "_format", "_is_quick", "_report", "_state")

    def __init__(self, audio_filter: BaseAudioFilter, report: Report) -> None:
        self._filter = audio_filter
        self._is_quick = audio_filter.runs_inline and not inspect.iscoroutinefunction(
            audio_filter.filter
        )
        self._report = report
        self._state = _State.IDLE
        self._format: _Format | None = None

    def feed_nowait(self, audio: bytes, sample_rate: int, num_channels: int) -> bytes | None:
        """The audio as it is to be heard, maybe nothing; None: `feed` has to be awaited for it."""
        if self._state in (_State.FAILED, _State.CLOSED):
            return audio
        if not self._is_quick or self._format != (sample_rate, num_channels):
            return None
        try:
            return self._checked(self._filter.filter(audio))
        except Exception as exc:
            self._fail(describe(exc), exc)
            return audio

    async def feed(self, audio: bytes, sample_rate: int, num_channels: int) -> bytes:
        """The audio as it is to be heard, maybe nothing. Starts the filter where that is due."""
        if self._state in (_State.FAILED, _State.CLOSED):
            return audio
        try:
            await self._tune((sample_rate, num_channels))
            return self._checked(await self._call("filter", _FILTER_S, audio))
        except _TooLate as exc:
            self._fail(str(exc), None)
        except Exception as exc:
            self._fail(describe(exc), exc)
        return audio

    async def control(self, frame: FilterUpdateSettingsFrame | FilterEnableFrame) -> None:
        """Hand on a control frame. One that the filter refuses costs nothing but the frame."""
        if self._state in (_State.FAILED, _State.CLOSED):
            return
        try:
            await self._call("process_frame", _FILTER_S, frame)
        except _TooLate as exc:
            self._fail(str(exc), None)
        except Exception as exc:
            self._report(f"{self._name} refused {frame.name}: {describe(exc)}", exc)

    async def close(self) -> None:
        """Stop the filter, if it was started. Never fails, and takes no longer than a moment."""
        was, self._state = self._state, _State.CLOSED
        try:
            await self._stop()
        except Exception as exc:
            if was is _State.STARTED:  # of one that has failed, once was enough
                self._report(f"{self._name} did not stop: {describe(exc)}", exc)

    @property
    def _name(self) -> str:
        return type(self._filter).__name__

    async def _tune(self, now: _Format) -> None:
        """Start the filter for this audio, unless it has been."""
        if now != self._format:
            await self._stop()
            self._format = now
            self._state = _State.STARTED
            sample_rate, self._filter.num_channels = now
            await self._call("start", _START_S, sample_rate)

    async def _stop(self) -> None:
        if self._format is not None:
            self._format = None
            await self._call("stop", _STOP_S)

    def _checked(self, filtered: object) -> bytes:
        assert self._format is not None
        if not isinstance(filtered, bytes):
            raise TypeError(f"filter returned {describe(filtered)} for bytes")
        if len(filtered) % bytes_per_frame(self._format[1]):
            raise ValueError(f"filter returned {len(filtered)} bytes, which are no whole frames")
        return filtered

    async def _call(self, method: str, timeout_s: float, *arguments: Any) -> Any:
        """What a method of the filter returns in the end.

        Raises:
            _TooLate: it did not return in time.
            Exception: what it raises.
        """
        func = getattr(self._filter, method)
        try:
            if inspect.iscoroutinefunction(func):
                result = await _in_time(func(*arguments), method, timeout_s)
            elif self._filter.runs_inline:
                result = func(*arguments)
            else:
                async with place():
                    result = await _in_time(run_slow(func, *arguments), method, timeout_s)
        except BaseException as exc:
            if isinstance(exc, Exception) or not is_failure(exc):
                raise
            raise RuntimeError(f"{method} raised {type(exc).__name__}") from exc
        return result

    def _fail(self, why: str, exc: BaseException | None) -> None:
        self._state = _State.FAILED
        self._report(f"{self._name} is left out from now on, and audio unfiltered: {why}", exc)


class _TooLate(Exception):
    pass


async def _in_time(result: Awaitable[Any], method: str, timeout_s: float) -> Any:
    with anyio.move_on_after(timeout_s):
        return await result
    raise _TooLate(f"{method} took more than {timeout_s:g} s")
