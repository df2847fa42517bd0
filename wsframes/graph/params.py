"""The settings of a run."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["DEFAULTS", "PipelineParams"]


class PipelineParams(BaseModel):
    """How a `PipelineTask` runs. Times in seconds.

    Attributes:
        allow_interruptions: whether the user's speech may interrupt the bot.
        audio_in_sample_rate: Hz of the audio that comes in; None: that with which it comes.
        audio_out_sample_rate: Hz of the audio that goes out; None: that of the first audio that
            is sent.
        enable_metrics: measure how long processors take; see `PipelineTask.metrics`.
        enable_heartbeats: send a `HeartbeatFrame` through the pipeline every
            `heartbeats_period_secs`; one that has not arrived after `heartbeats_monitor_secs` is
            told by `on_heartbeat_timeout`, with the name of the processor that holds it.
        start_timeout: a start that takes longer ends the run with an error that names the
            processor.
        cancel_timeout: a cancelled run is over within this time, whatever is stuck.
        drain_stall_timeout: an end that makes no progress for this long is given up, with the
            reason `stalled`. It does not bound how long an end may take while it moves.
        handler_timeout: an event handler that takes longer is cancelled and counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_interruptions: bool = True
    audio_in_sample_rate: int | None = Field(default=None, ge=1)
    audio_out_sample_rate: int | None = Field(default=None, ge=1)
    enable_metrics: bool = False
    enable_heartbeats: bool = False
    heartbeats_period_secs: float = Field(default=1.0, gt=0)
    heartbeats_monitor_secs: float = Field(default=10.0, gt=0)
    start_timeout: float = Field(default=10.0, gt=0)
    cancel_timeout: float = Field(default=1.0, gt=0)
    drain_stall_timeout: float = Field(default=5.0, gt=0)
    handler_timeout: float = Field(default=5.0, gt=0)


DEFAULTS = PipelineParams()
