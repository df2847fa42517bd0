"""The frames that start, stop and end a run, and those that report on it."""

from typing import ClassVar

from wsframes.frames.base import ControlFrame, SystemFrame, UninterruptibleFrame

__all__ = [
    "BotInterruptionFrame",
    "CancelFrame",
    "EndFrame",
    "ErrorFrame",
    "HeartbeatFrame",
    "InterruptionFrame",
    "StartFrame",
    "StopFrame",
]


class StartFrame(SystemFrame):
    """Reaches every processor before any other frame, and says how the run is set up.

    Attributes:
        audio_in_sample_rate: Hz of the audio that comes in; None: that with which it comes.
        audio_out_sample_rate: Hz of the audio that goes out; None: that of the first audio that
            is sent.
        allow_interruptions: whether the user's speech may interrupt the bot.
        enable_metrics: whether processors measure themselves.
    """

    lifecycle: ClassVar[bool] = True

    audio_in_sample_rate: int | None = None
    audio_out_sample_rate: int | None = None
    allow_interruptions: bool = True
    enable_metrics: bool = False


class EndFrame(ControlFrame, UninterruptibleFrame):
    """The ordered end: everything that was queued before it is delivered first.

    Pushed upstream, it asks for the end of the run: the run then sends one downstream.
    """

    lifecycle: ClassVar[bool] = True

    reason: str | None = None


class StopFrame(ControlFrame, UninterruptibleFrame):
    """Like `EndFrame`, but processors and socket stay, and the run can be resumed."""

    lifecycle: ClassVar[bool] = True


class CancelFrame(SystemFrame):
    """The immediate end: overtakes everything, and nothing more is processed."""

    lifecycle: ClassVar[bool] = True

    reason: str | None = None


class InterruptionFrame(SystemFrame):
    """The user barged in: interruptible frames in queues and at work are dropped, everywhere."""

    lifecycle: ClassVar[bool] = True


class BotInterruptionFrame(SystemFrame):
    """Pushed upstream to ask for an interruption: the run answers with an `InterruptionFrame`."""


class ErrorFrame(SystemFrame):
    """Something failed. Travels upstream to the run, which tells `on_pipeline_error`.

    Attributes:
        error: what failed, in words.
        fatal: whether the run ends because of it.
        processor: name of the processor that failed.
        exception: what it raised, where it raised.
    """

    error: str
    fatal: bool = False
    processor: str | None = None
    exception: BaseException | None = None


class HeartbeatFrame(ControlFrame, UninterruptibleFrame):
    """Travels in order from source to sink, so that a processor that is stuck is noticed.

    Attributes:
        timestamp_s: `anyio.current_time()` when it was sent.
    """

    timestamp_s: float
