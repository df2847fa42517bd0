"""When the next chunk of audio may leave: an absolute schedule with a lead.

Decides times and nothing else: it knows no clock, no bytes and no socket. Its caller
tells it what was sent and asks when to go on::

    while chunk := next_chunk():
        sleep_until(pacer.due_s)
        send(chunk)
        pacer.sent(frames_of(chunk), now())

Two lines of time, both computed afresh from whole numbers of frames, so that neither
drifts however long a session lasts:

- The *schedule*: all that was sent ends at ``start + frames / rate``, and the next chunk
  is due ``lead`` before that. A stall does not move it: overdue chunks are due at once,
  one after the other, until the schedule is regained. It starts anew only when audio
  comes after the sender had run empty and the schedule already lies in the past: that
  was a pause, not lateness.
- The *playout*: what the peer hears. It follows the schedule, but a chunk that comes when
  the peer has nothing left starts late, and so does all after it. The schedule makes up
  for lost time, the peer's loudspeaker can not.
"""

from typing import NamedTuple

__all__ = ["Interrupted", "Pacer"]


class Interrupted(NamedTuple):
    """How far the peer had come when it was told to clear its playback.

    Both in milliseconds, and estimates: the peer's own delay is not in them.
    """

    played_ms: float
    """Heard of the utterance."""
    unplayed_ms: float
    """Sent, and cleared before it was heard."""


class Pacer:
    """The schedule of one stream of audio.

    Times are seconds of any one clock that never goes backwards. Frames are samples of
    every channel, so that mono and stereo have the same schedule.

    Args:
        sample_rate: Frames a second.
        lead_s: How far ahead of its playout a chunk may leave: what the peer then holds
            is its cushion against a late chunk. Infinite: every chunk is due at once,
            for a peer that wants bursts; playout is followed all the same.
        now_s: The present: nothing sent before is still being played.

    Raises:
        ValueError: If the rate is not positive or the lead is negative.
    """

    __slots__ = ("_frames", "_lag_s", "_lead_s", "_start_s", "_utterance_s", "sample_rate")

    def __init__(self, sample_rate: int, lead_s: float, now_s: float) -> None:
        if not lead_s >= 0:  # so that NaN is refused too
            raise ValueError(f"lead_s must be 0 or more, not {lead_s}")
        self.sample_rate = _checked(sample_rate)
        self._lead_s = lead_s
        self._start_s = now_s  # where the schedule starts,
        self._frames = 0  # what has been sent on it,
        self._lag_s = 0.0  # how much later than it the peer plays,
        self._utterance_s = 0.0  # and how much more (or, below 0, less) the utterance has

    @property
    def due_s(self) -> float:
        """When the next chunk may leave; in the past if it is overdue."""
        return self._start_s + self._frames / self.sample_rate - self._lead_s

    @property
    def playout_end_s(self) -> float:
        """When the peer has played the last frame sent; in the past if it has."""
        return self._schedule_end_s + self._lag_s

    def is_due(self, now_s: float, ran_empty: bool) -> bool:
        """Whether the next chunk may leave.

        Args:
            now_s: The present.
            ran_empty: The sender had run empty before the chunk came: see `resume`.
        """
        end_s = self._start_s + self._frames / self.sample_rate
        if ran_empty and end_s < now_s:
            return self.resume(now_s)
        return end_s - self._lead_s <= now_s

    def resume(self, now_s: float) -> bool:
        """Tell that audio has come after the sender had run empty.

        Call it neither between chunks that were waiting nor after a stall: then the
        lost time would never be made up for.

        Returns:
            True if there was a pause: the old schedule lay in the past, and a new one
            starts now. False if the schedule goes on.
        """
        if self._schedule_end_s >= now_s:
            return False
        still_playing_s = max(0.0, self.playout_end_s - now_s)
        self._restart(now_s)
        self._lag_s = still_playing_s
        return True

    def sent(self, frames: int, now_s: float) -> None:
        """Tell that a chunk of ``frames`` has left, at the time its sending was over."""
        late_s = now_s - self._start_s - self._frames / self.sample_rate
        if late_s > self._lag_s:  # the peer had nothing left: it plays this from now on
            self._lag_s = late_s
        self._frames += frames

    def begin_utterance(self) -> None:
        """Let what is sent from here on be what `interrupt` tells about."""
        self._utterance_s = -self._frames / self.sample_rate

    def leave_out(self, frames: int) -> None:
        """Tell that this much of what was sent is no part of the utterance."""
        self._utterance_s -= frames / self.sample_rate

    def interrupt(self, now_s: float, end_s: float | None = None) -> Interrupted:
        """Tell that the peer has been told to clear its playback.

        Nothing sent before is played any more: a new schedule starts now, and a new
        utterance.

        Args:
            now_s: The present.
            end_s: When the peer would have played the last of the utterance; None: when it
                would have played all that was sent.

        Returns:
            What had been played and what had not, of the audio sent since
            `begin_utterance` or the last interruption.
        """
        sent_s = self._utterance_s + self._frames / self.sample_rate
        if end_s is None:
            end_s = self.playout_end_s
        unplayed_s = min(max(0.0, end_s - now_s), sent_s)
        self._restart(now_s)
        self._lag_s = 0.0
        self._utterance_s = 0.0
        return Interrupted(1000 * (sent_s - unplayed_s), 1000 * unplayed_s)

    def change_rate(self, sample_rate: int) -> None:
        """Go on with frames of another rate, from where the schedule is.

        Raises:
            ValueError: If the rate is not positive.
        """
        rate = _checked(sample_rate)
        self._restart(self._schedule_end_s)
        self.sample_rate = rate

    @property
    def _schedule_end_s(self) -> float:
        return self._start_s + self._frames / self.sample_rate

    def _restart(self, start_s: float) -> None:
        self._utterance_s += self._frames / self.sample_rate
        self._start_s = start_s
        self._frames = 0


def _checked(sample_rate: int) -> int:
    if sample_rate < 1:
        raise ValueError(f"sample_rate must be at least 1, not {sample_rate}")
    return sample_rate
