"""Who speaks: what voice activity detection and play-out have found."""

from wsframes.frames.base import SystemFrame

__all__ = [
    "BotSpeakingFrame",
    "BotStartedSpeakingFrame",
    "BotStoppedSpeakingFrame",
    "EmulateUserStartedSpeakingFrame",
    "EmulateUserStoppedSpeakingFrame",
    "UserStartedSpeakingFrame",
    "UserStoppedSpeakingFrame",
    "VADUserStartedSpeakingFrame",
    "VADUserStoppedSpeakingFrame",
]


class UserStartedSpeakingFrame(SystemFrame):
    """The user's turn has begun.

    Attributes:
        emulated: nobody was heard: an `EmulateUserStartedSpeakingFrame` asked for it.
    """

    emulated: bool = False


class UserStoppedSpeakingFrame(SystemFrame):
    """The user's turn is over: it comes after the last audio of it.

    Attributes:
        emulated: an `EmulateUserStoppedSpeakingFrame` asked for it.
    """

    emulated: bool = False


class EmulateUserStartedSpeakingFrame(SystemFrame):
    """Pushed upstream, it tells the input that the user's turn begins, whatever is heard."""


class EmulateUserStoppedSpeakingFrame(SystemFrame):
    """Pushed upstream, it tells the input that the user's turn is over."""


class VADUserStartedSpeakingFrame(SystemFrame):
    """Voice was detected: it comes before the audio that made it certain.

    Attributes:
        start_secs: how long it had been there by then.
    """

    start_secs: float = 0.0


class VADUserStoppedSpeakingFrame(SystemFrame):
    """Voice is no longer detected.

    Attributes:
        stop_secs: how long it had been absent when that was certain.
    """

    stop_secs: float = 0.0


class BotStartedSpeakingFrame(SystemFrame):
    """The first audio of an utterance has gone out."""


class BotSpeakingFrame(SystemFrame):
    """The bot is being heard; repeated while it lasts."""


class BotStoppedSpeakingFrame(SystemFrame):
    """The last audio of an utterance has been played."""
