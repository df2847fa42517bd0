"""From voice, window by window, to speech: a state machine as a table.

    QUIET      nobody speaks
    STARTING   a voice is there, not yet for long enough
    SPEAKING   somebody speaks
    STOPPING   the voice is gone, not yet for long enough

Each window of audio brings a verdict: with voice or without. A verdict that contradicts STARTING
or STOPPING undoes it; one that lasts for the time that is set confirms it. Time is counted in
frames of audio, so the windows may have any length, and each its own.
"""

from enum import Enum, auto

__all__ = ["VADState", "VADStateMachine"]


class VADState(Enum):
    """Whether somebody speaks."""

    __hash__ = object.__hash__  # that of Enum is written in Python, and the table asks for it

    QUIET = auto()
    STARTING = auto()
    SPEAKING = auto()
    STOPPING = auto()


QUIET, STARTING, SPEAKING, STOPPING = VADState

# But for the two verdicts that change nothing.
_AFTER = {
    (QUIET, True): STARTING,
    (STARTING, False): QUIET,
    (STARTING, True): STARTING,
    (SPEAKING, False): STOPPING,
    (STOPPING, False): STOPPING,
    (STOPPING, True): SPEAKING,
}

_CONFIRMED = {STARTING: SPEAKING, STOPPING: QUIET}


class VADStateMachine:
    """Takes verdicts. Starts in QUIET.

    Args:
        start_frames: of voice without a break until it is speech; at least one window of it.
        stop_frames: without voice until the speech is over; at least one window of it.

    Attributes:
        state: the present one.
        lasted_frames: how long the verdict that led to it had lasted then, for STARTING and
            STOPPING until now. 0 where a verdict was undone.
    """

    __slots__ = ("lasted_frames", "start_frames", "state", "stop_frames")

    def __init__(self, start_frames: int, stop_frames: int) -> None:
        self.start_frames = start_frames
        self.stop_frames = stop_frames
        self.state = QUIET
        self.lasted_frames = 0

    def update(self, voiced: bool, window_frames: int) -> VADState:
        """Take the verdict on one window; the state after it."""
        before = self.state
        if before is (SPEAKING if voiced else QUIET):
            return before  # nearly always; and to look it up, the hash of an enum is 0.1 us
        state = _AFTER[before, voiced]
        if state in _CONFIRMED:
            lasted = window_frames + (self.lasted_frames if state is before else 0)
            self.lasted_frames = lasted
            if lasted >= (self.start_frames if state is STARTING else self.stop_frames):
                state = _CONFIRMED[state]
        else:
            self.lasted_frames = 0
        self.state = state
        return state

    def reset(self) -> None:
        """As at the beginning."""
        self.state = QUIET
        self.lasted_frames = 0
