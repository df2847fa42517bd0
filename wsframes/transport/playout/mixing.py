"""A mixer as a sender uses it: asked with a deadline, and left out once it has failed."""

import inspect
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import anyio

from wsframes.audio.mixer import BaseAudioMixer
from wsframes.frames import MixerEnableFrame, MixerUpdateSettingsFrame
from wsframes.graph.failures import describe

__all__ = ["Mixing"]

_START_S = 5.0
_MIX_S = 0.5
_STOP_S = 0.3


class _State(Enum):
    NEW = auto()
    MIXING = auto()
    FAILED = auto()
    """It is asked nothing more."""
    STOPPED = auto()


class Mixing:
    """Asks one mixer.

    Args:
        mixer: what is asked; its methods are `def` or `async def`.
        num_channels: of the audio.
        report: told once what the mixer has failed with; and each control frame that it refused.
    """

    __slots__ = ("_mixer", "_num_channels", "_report", "_state")

    def __init__(
        self,
        mixer: BaseAudioMixer,
        num_channels: int,
        report: Callable[[str, Exception | None], None],
    ) -> None:
        self._mixer = mixer
        self._num_channels = num_channels
        self._report = report
        self._state = _State.NEW

    @property
    def is_on(self) -> bool:
        """Whether the mixer has started and not failed."""
        return self._state is _State.MIXING

    async def start(self, sample_rate: int) -> None:
        """Start the mixer, unless it has been started before."""
        if self._state is _State.NEW:
            self._mixer.num_channels = self._num_channels
            self._state = _State.MIXING
            await self._ask("start", _START_S, sample_rate)

    async def mix(self, audio: bytes) -> bytes:
        """The audio with what the mixer adds; as it was where the mixer fails."""
        if self._state is not _State.MIXING:
            return audio
        mixed = await self._ask("mix", _MIX_S, audio)
        if isinstance(mixed, bytes) and len(mixed) == len(audio):
            return mixed
        if self._state is _State.MIXING:
            given = f"{len(mixed)} bytes" if isinstance(mixed, bytes) else type(mixed).__name__
            self._fail(f"mix returned {given} for {len(audio)} bytes", None)
        return audio

    async def control(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        """Hand on a control frame. One that the mixer refuses costs nothing but the frame."""
        if self._state is _State.MIXING:
            try:
                await self._wait_for("process_frame", _MIX_S, frame)
            except TimeoutError:
                self._fail(f"process_frame took more than {_MIX_S} s", None)
            except Exception as exc:
                self._report(f"{self._name} refused {frame.name}: {describe(exc)}", exc)

    async def stop(self) -> None:
        """Stop the mixer, if it was started. Never fails, and takes no longer than a moment."""
        was, self._state = self._state, _State.STOPPED
        if was in (_State.MIXING, _State.FAILED):
            try:
                await self._wait_for("stop", _STOP_S)
            except Exception as exc:
                if was is _State.MIXING:  # of one that has failed, once was enough
                    self._report(f"{self._name} did not stop: {describe(exc)}", exc)

    @property
    def _name(self) -> str:
        return type(self._mixer).__name__

    async def _ask(self, method: str, timeout_s: float, argument: Any) -> Any:
        try:
            return await self._wait_for(method, timeout_s, argument)
        except TimeoutError:
            self._fail(f"{method} took more than {timeout_s} s", None)
        except Exception as exc:
            self._fail(f"{method} raised {describe(exc)}", exc)
        return None

    async def _wait_for(self, method: str, timeout_s: float, *arguments: Any) -> Any:
        result = getattr(self._mixer, method)(*arguments)
        if inspect.isawaitable(result):
            with anyio.fail_after(timeout_s):
                return await result
        return result

    def _fail(self, why: str, exc: Exception | None) -> None:
        self._state = _State.FAILED
        self._report(f"{self._name} is left out from now on: {why}", exc)
